"""``/ws/v1`` as an ASGI application, behind Channels' router and a check of the browser's origin.

Behind the router there is no consumer: Channels gives each delivery a hop through
the one thread that database calls share, and each socket a queue without an end.
The connection speaks ASGI itself, so any ASGI server and Channels' test tools
can drive it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from channels.routing import URLRouter
from channels.security.websocket import OriginValidator, WebsocketDenier
from django.conf import settings
from django.urls import re_path
from django.utils.module_loading import autodiscover_modules

from platform_site.api.origin import address_behind
from platform_site.realtime.connection import Connection
from platform_site.realtime.hub import Hub
from platform_site.realtime.outbound import Message
from platform_site.sockets import Reject

PATH: Final = r"^ws/v1$"

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Any]


class Origins(OriginValidator):
    """Browsers may come from the platform's own pages and from the frontends that CORS names; others have no origin."""

    def __init__(self, application: Any) -> None:
        frontends = [settings.FRONTEND_URL] if settings.FRONTEND_URL else []
        super().__init__(application, [*frontends, *settings.CORS_ALLOWED_ORIGINS])

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> Any:
        origin = _header(scope, b"origin")
        if not origin or _same_host(origin, _header(scope, b"host")):
            return await self.application(scope, receive, send)
        if not _readable(origin):
            return await WebsocketDenier()(scope, receive, send)
        return await super().__call__(scope, receive, send)


class SocketApplication:
    """The sockets of this process. ``start`` and ``stop`` belong to the server's life."""

    def __init__(self) -> None:
        autodiscover_modules("realtime")
        self.hub = Hub()
        self._router = Origins(
            URLRouter([re_path(PATH, self._serve), re_path(r"", Reject.as_asgi())])  # type: ignore[arg-type]
        )

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        await self._router(scope, receive, send)

    async def start(self) -> None:
        await self.hub.start()

    async def stop(self) -> None:
        await self.hub.stop()

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        # A server without a lifespan, such as a test's, begins with the first socket.
        await self.hub.start()
        peer = (scope.get("client") or ("",))[0]
        address = address_behind(peer, _header(scope, b"x-forwarded-for"))
        await Connection(self.hub, receive, send, address).serve(list(scope.get("subprotocols") or ()))


def _header(scope: Message, name: bytes) -> str:
    for known, value in scope.get("headers", ()):
        if known == name:
            return str(value.decode("latin-1"))
    return ""


def _same_host(origin: str, host: str) -> bool:
    """A page of the server itself, whatever it is called there. A browser sets both and a page can set neither."""
    return bool(host) and origin.lower().partition("://")[2] == host.lower()


def _readable(origin: str) -> bool:
    """Channels' check raises for what is no address; that is nobody's page."""
    try:
        urlsplit(origin).port  # noqa: B018 - raises
    except ValueError:
        return False
    return True
