"""A bare client of the socket, for tests that say every frame themselves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

PATIENCE = 10.0
Result = TypeVar("Result")


class Bare:
    """Frames as they are. What came and was not asked for stays in ``frames``."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []

    async def say(self, frame: dict[str, Any] | str) -> None:
        await self.connection.send(frame if isinstance(frame, str) else orjson.dumps(frame).decode())

    async def hear(self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The next frame of this kind."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.next()
                if frame["t"] == kind and where(frame):
                    return frame

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            frame: dict[str, Any] = orjson.loads(await self.connection.recv())
        self.frames.append(frame)
        return frame

    async def closed(self) -> int:
        """The code with which the server ends it."""
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(ConnectionClosed) as ended:
                await self._hear_all()
        assert ended.value.rcvd is not None, "The connection broke without a word."
        return ended.value.rcvd.code

    async def _hear_all(self) -> None:
        while True:
            self.frames.append(orjson.loads(await self.connection.recv()))


async def aside(call: Callable[..., Result], *arguments: Any) -> Result:
    """Do something that waits, such as a request, in a thread that leaves no connection behind."""

    def done() -> Result:
        from django.db import connections

        try:
            return call(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(done)


@asynccontextmanager
async def bare(url: str, *subprotocols: str, **options: Any) -> AsyncIterator[Bare]:
    """A socket that has not signed in, unless a subprotocol does it."""
    offered = [Subprotocol(one) for one in ("core.v1", *subprotocols)]
    async with connect(url, subprotocols=offered, compression=None, **options) as connection:
        yield Bare(connection)


@asynccontextmanager
async def signed_in_socket(url: str, token: str, **hello: Any) -> AsyncIterator[tuple[Bare, dict[str, Any]]]:
    """A socket and the ``ready`` that it heard."""
    async with bare(url) as one:
        await one.say({"t": "auth", "token": token, **hello})
        yield one, await one.hear("ready")
