"""Bodies that are made while they are sent, each step inside the tenant."""

from collections.abc import Iterable, Iterator

from platform_site.binding import TenantRef, bind


def bound_stream(tenant: TenantRef, body: Iterable[bytes]) -> Iterator[bytes]:
    """The same body. The tenant is bound while a piece is made and never while it is being sent.

    The server takes the pieces after the middleware is left, and whoever it serves
    between two of them must find the connection in public.
    """
    pieces = iter(body)
    try:
        while True:
            with bind(tenant):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            with bind(tenant):
                close()
