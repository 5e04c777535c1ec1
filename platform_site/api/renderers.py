"""The envelope, written once. Views return bare data."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response


class Listed(Response):
    """A list's answer: ``data`` is the array, ``meta`` everything else about it."""

    def __init__(self, items: list[Any], meta: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(items, **kwargs)
        self.meta = dict(meta)


def _default(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not part of an answer")


def dump(value: Any) -> bytes:
    """JSON in UTF-8. orjson refuses integers over 64 bits, the standard library writes them."""
    try:
        return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except orjson.JSONEncodeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_default).encode()


class EnvelopeRenderer(BaseRenderer):
    """``{"success": true, "data": …}``; error bodies come whole from the exception handler."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        response = (renderer_context or {}).get("response")
        if isinstance(response, ErrorResponse):
            return dump(data)
        if response is not None and response.status_code == 204:
            return b""
        body: dict[str, Any] = {"success": True, "data": data}
        if isinstance(response, Listed):
            body["meta"] = response.meta
        return dump(body)


class ErrorResponse(Response):
    """An answer whose body is complete already: an error envelope or problem+json."""
