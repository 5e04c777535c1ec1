"""Sockets alone, for a process of their own: what production runs beside the web process."""

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_site.settings")
django.setup()

from channels.routing import ProtocolTypeRouter  # noqa: E402 - Django must be set up first
from django.conf import settings  # noqa: E402

from platform_site.metrics import serving  # noqa: E402
from platform_site.realtime.application import SocketApplication  # noqa: E402

Message = MutableMapping[str, Any]

serving.start("realtime")
sockets = SocketApplication()


async def lifespan(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    await receive()
    await sockets.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await sockets.stop()
    await send({"type": "lifespan.shutdown.complete"})


def _may_watch(scope: Message) -> bool:
    """Who has the token; where there is none, this machine, and nobody by way of a proxy on it."""
    headers = dict(scope["headers"])
    if settings.METRICS_TOKEN:
        return serving.is_allowed(headers.get(b"authorization", b"").decode("latin-1"))
    peer = (scope.get("client") or ("",))[0]
    return peer in ("127.0.0.1", "::1") and b"x-forwarded-for" not in headers


async def _metrics() -> bytes:
    """What the hub counts, and with the token also what the process does otherwise."""
    hub = sockets.hub.metrics.as_text()
    # Reading the files takes some milliseconds, which sockets would wait for.
    return await asyncio.to_thread(serving.exposition, more=hub) if serving.is_on() else hub.encode()


async def internal(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """``/metrics`` and ``/health`` of this process, for whoever watches it. The edge routes only sockets here."""
    body = b"ok\n" if scope["path"] == "/health" else None
    if scope["path"] == serving.PATH and _may_watch(scope):
        body = await _metrics()
    answer, body = body, body or b"not found\n"
    headers = [(b"content-type", b"text/plain; version=0.0.4"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200 if answer else 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})


application = ProtocolTypeRouter({"websocket": sockets, "lifespan": lifespan, "http": internal})
