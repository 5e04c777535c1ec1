"""Requests and answers, a thin layer over WSGI."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

Json = dict[str, Any]
Environ = dict[str, Any]
StartResponse = Callable[..., Any]

LARGEST_BODY = 1024 * 1024


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @classmethod
    def read(cls, environ: Environ) -> "Request":
        """Raises ValueError for a body that is too large or has no honest length."""
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if not 0 <= length <= LARGEST_BODY:
            raise ValueError("The body is too large.")
        return cls(
            method=environ["REQUEST_METHOD"],
            path=environ.get("PATH_INFO", "/"),
            query=environ.get("QUERY_STRING", ""),
            headers=headers,
            body=environ["wsgi.input"].read(length) if length else b"",
        )

    def form(self) -> dict[str, str]:
        """A form of a page: each name once, the last value counts."""
        fields = parse_qs(self.body.decode("utf-8", errors="replace"), keep_blank_values=True, max_num_fields=100)
        return {name: values[-1] for name, values in fields.items()}


@dataclass
class Response:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    # The connection is closed without an answer.
    is_lost: bool = False

    def send(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self.is_lost:
            environ["local_stripe.lose"]()
        line = f"{self.status} {HTTPStatus(self.status).phrase}"
        headers = {"Content-Length": str(len(self.body)), "Cache-Control": "no-store", **self.headers}
        start_response(line, list(headers.items()))
        return [self.body]


def as_json(status: int, body: Json, headers: dict[str, str] | None = None) -> Response:
    text = json.dumps(body, indent=2)
    return Response(status, text.encode(), {"Content-Type": "application/json", **(headers or {})})


def redirect(location: str) -> Response:
    # 303: what follows a form is read with GET.
    return Response(303, b"", {"Location": location})
