"""Serving sockets with uvicorn, as this protocol needs it: small frames, no compression, an end in order.

Compression would cost three times the memory of a socket. A client that takes
nothing and says nothing is given up by the kernel, because a server cannot close
what it cannot write to.
"""

import asyncio
import importlib
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

import uvicorn

from platform_site.long_lived import keep_what_is_loaded
from platform_site.realtime.protocol import FRAME_BYTES, HEARTBEAT_SECONDS

# How long what was sent may stay unacknowledged, in milliseconds.
UNHEARD_MS: Final = 30_000
BACKLOG: Final = 2048


class Server(uvicorn.Server):
    """Tells sockets to come back before it closes them."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._drain()
        await super().shutdown(sockets)


def serve(module: str, *, host: str, port: int, **options: Any) -> int:
    """Serve ``module.application`` until a signal ends it; gives the exit code. ``module.sockets`` is drained first."""
    loaded = importlib.import_module(module)
    keep_what_is_loaded()
    config = uvicorn.Config(
        loaded.application,
        ws="websockets-sansio",
        ws_max_size=FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=HEARTBEAT_SECONDS,
        ws_ping_timeout=10,
        loop="uvloop",
        lifespan="on",
        timeout_graceful_shutdown=5,
        # Logging is Django's, which was set up before. A request has its line already, a socket would have three.
        log_config=None,
        access_log=False,
        server_header=False,
        # Otherwise uvicorn believes an X-Forwarded-For of anybody on this machine.
        proxy_headers=False,
        **options,
    )
    server = Server(config, loaded.sockets.hub.drain)
    listener = _listener(host, port)
    # After a signal uvicorn ends in order, and then by the signal once more; that is how we were asked to end.
    try:
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(server.serve(sockets=[listener]))
    except KeyboardInterrupt:
        return 0
    finally:
        listener.close()
    return 0 if server.started else 1


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener
