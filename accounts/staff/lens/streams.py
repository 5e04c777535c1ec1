"""Bodies that are made while they are sent, each step inside the tenant."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager


def stepwise(inside: Callable[[], AbstractContextManager[object]], body: Iterable[bytes]) -> Iterator[bytes]:
    """The same body. ``inside`` is entered while a piece is made and never while it is being sent.

    The server takes the pieces after the middleware is left, and whoever it serves
    between two of them must find the connection in public.
    """
    pieces = iter(body)
    try:
        while True:
            with inside():
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            with inside():
                close()
