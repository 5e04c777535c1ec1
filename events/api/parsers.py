"""The body as it came, for the two paths whose services read JSON by themselves."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser
from rest_framework.request import Request


class RawJson(BaseParser):
    """``application/json`` and nothing else, unread."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body: bytes = stream.read()
        return body


def raw_body(request: Request) -> bytes:
    """No body at all is an object without fields, as everywhere."""
    body: Any = request.data
    return body if isinstance(body, bytes) and body else b"{}"
