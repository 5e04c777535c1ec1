"""Texts of notifications: Liquid with a short list of what it may do.

No sandbox is safe because it is called one. Here a template sees plain values
only, and few filters and tags; nothing can be repeated or multiplied, so the
output is about as long as what went in.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError as TemplateError

TAGS: Final = frozenset({"if", "unless", "case", "comment", "content", "output", "illegal"})
FILTERS: Final = frozenset(
    {"upcase", "downcase", "capitalize", "strip", "truncate", "truncatewords", "default", "date", "escape", "size"}
)
__all__ = ["TemplateError", "render_text"]


def _environment() -> Environment:
    environment = Environment()
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in TAGS}
    environment.filters = {name: call for name, call in environment.filters.items() if name in FILTERS}
    return environment


_ENVIRONMENT: Final = _environment()


@lru_cache(maxsize=512)
def _template(source: str) -> BoundTemplate:
    return _ENVIRONMENT.from_string(source)


def render_text(source: str, values: Mapping[str, Any], *, longest: int) -> str:
    """One line of plain text, cut to ``longest`` characters. Raises ``TemplateError``."""
    text = " ".join(_template(source).render(**dict(values)).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
