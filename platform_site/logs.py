"""Structured log lines with request id, tenant and user; secrets never get in.

``redact`` is the last processor before a line is written: whatever looks like
one of our tokens, or stands under a name that holds a secret, becomes ``[redacted]``.
"""

import logging
import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from platform_site.binding import bound_tenant
from platform_site.context import current

# Refresh tokens, link tokens and API keys share the form kind_<ref>.<id>.<secret>;
# access tokens are three base64 parts that begin with {"; and mailed links carry theirs in the path.
_TOKENS = re.compile(
    r"\b(?:rt|vfy|rst|inv|ak)_[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+"
    r"|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    r"|(?i:bearer)\s+[A-Za-z0-9._~+/=-]+"
)
_SECRET_NAMES = re.compile(r"(?i)password|secret|token|authorization|cookie|api_?key")
REDACTED = "[redacted]"


def redact_text(text: str) -> str:
    """``text`` with every token of ours blotted out."""
    return _TOKENS.sub(REDACTED, text)


def _redacted(name: str, value: Any) -> Any:
    if _SECRET_NAMES.search(name) and isinstance(value, str):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: _redacted(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(name, item) for item in value]
    return value


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: _redacted(name, value) for name, value in event.items()}


def add_work(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    work, tenant = current(), bound_tenant()
    if work.request_id:
        event.setdefault("request_id", work.request_id)
    if tenant is not None:
        event.setdefault("tenant", str(tenant.id))
    if work.actor_id is not None:
        event.setdefault("user", str(work.actor_id))
    return event


_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    add_work,
    structlog.processors.format_exc_info,
    redact,
]


def formatter(style_name: str = "json") -> logging.Formatter:
    """The formatter that ``LOGGING`` names: ``json`` for machines, ``text`` for a terminal."""
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if style_name == "text"
        else structlog.processors.JSONRenderer()
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def configure() -> None:
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
