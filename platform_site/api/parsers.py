"""JSON parsed strictly: what two parsers could read differently is refused."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.parsers import BaseParser

from platform_site.errors import MALFORMED_JSON, PlatformError

MAX_DEPTH = 20
# Beyond these a JSON number is no longer the same number everywhere.
MAX_INTEGER = 2**63


class StrictJSONParser(BaseParser):
    """Refuses duplicate keys, NaN and infinities, NUL, lone surrogates and depth over 20."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return loads(stream.read())


def loads(body: bytes) -> Any:
    """The value of a strict JSON text in UTF-8; raises ``malformed_json``."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        _check(value, 1)
    except UnicodeDecodeError:
        raise PlatformError(MALFORMED_JSON, "The body is not UTF-8.") from None
    except RecursionError:
        raise PlatformError(MALFORMED_JSON, f"The body is nested deeper than {MAX_DEPTH}.") from None
    except ValueError as error:
        position = f" near position {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise PlatformError(MALFORMED_JSON, f"The body is not valid JSON{position}.") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise PlatformError(MALFORMED_JSON, "A key stands twice in one object.")
    return result


def _no_constant(name: str) -> NoReturn:
    raise PlatformError(MALFORMED_JSON, f"{name} is not JSON.")


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        _check_depth(depth)
        for name, item in value.items():
            _check_text(name)
            _check(item, depth + 1)
    elif isinstance(value, list):
        _check_depth(depth)
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise PlatformError(MALFORMED_JSON, "A number is too large.")
    elif isinstance(value, int) and not -MAX_INTEGER <= value < MAX_INTEGER:
        raise PlatformError(MALFORMED_JSON, "A whole number is too large.")


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise PlatformError(MALFORMED_JSON, f"The body is nested deeper than {MAX_DEPTH}.")


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise PlatformError(MALFORMED_JSON, "A text contains NUL.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise PlatformError(MALFORMED_JSON, "A text contains half a surrogate pair.")
