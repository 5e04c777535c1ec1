"""Sockets alone, for a process of their own: what production runs beside the web process."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_site.settings")
django.setup()

from channels.routing import ProtocolTypeRouter  # noqa: E402 - Django must be set up first

from platform_site.realtime.application import SocketApplication  # noqa: E402

Message = MutableMapping[str, Any]

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


async def internal(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """``/metrics`` and ``/health`` of this process, for whoever watches it. The edge routes only sockets here."""
    known = {"/metrics": sockets.hub.metrics.as_text(), "/health": "ok\n"}
    answer = known.get(scope["path"])
    body = (answer or "not found\n").encode()
    headers = [(b"content-type", b"text/plain; version=0.0.4"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200 if answer else 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})


application = ProtocolTypeRouter({"websocket": sockets, "lifespan": lifespan, "http": internal})
