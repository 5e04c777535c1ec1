"""What came with a request and was read by nobody is read to its end before the answer goes out.

Many requests are answered before their body is looked at: no sign-in, no such path, too large. A server that answers
while somebody still writes has to cut the line, and an edge that finds it cut says 502 instead of the refusal.
"""

import time
from collections.abc import Callable
from typing import IO, Any, Final, TypeVar

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Answer = TypeVar("Answer")

# What an edge lets through (deploy/nginx.conf, deploy/Caddyfile). Whoever sends more is cut off.
MOST_BYTES: Final = 8 * 1024 * 1024
MOST_SECONDS: Final = 5.0
_AT_ONCE: Final = 64 * 1024


def read_to_the_end(
    application: Callable[[Environ, StartResponse], Answer],
) -> Callable[[Environ, StartResponse], Answer]:
    """``application``, behind which no body is left over."""

    def serve(environ: Environ, start_response: StartResponse) -> Answer:
        answer = application(environ, start_response)
        if _may_be_left_over(environ):
            _let_run_out(environ["wsgi.input"])
        return answer

    return serve


def _may_be_left_over(environ: Environ) -> bool:
    # Whoever expects to be told to go on has sent nothing yet, and now never will.
    if environ.get("HTTP_EXPECT"):
        return False
    declared = environ.get("CONTENT_LENGTH") or ""
    return int(declared) <= MOST_BYTES if declared.isdecimal() else "HTTP_TRANSFER_ENCODING" in environ


def _let_run_out(body: IO[bytes]) -> None:
    left, until = MOST_BYTES, time.monotonic() + MOST_SECONDS
    while left > 0 and time.monotonic() < until:
        chunk = body.read(min(_AT_ONCE, left))
        if not chunk:
            return
        left -= len(chunk)
