"""Many sockets in a process of its own, which publishes messages as well and sees them arrive.

One process does both, so that it knows what is on its way: it can keep a server busy without flooding it, and the
time in a message and the time of its arrival are of one clock. It is asked by lines of JSON.
"""

import asyncio
import json
import logging
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.answering import Answering
from benchmarks.socket_publishing import MARK, NUMBER_DIGITS, TIME_DIGITS, Channel, channel

# A server may refuse more than a few that have not signed in yet.
OPENING_AT_ONCE = 10
# A delivery that takes longer than this is not waited for.
PATIENCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Delivered:
    """What arrived. ``seconds`` is from the first message to the last delivery."""

    deliveries: int
    lost: int
    repeated: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.deliveries / self.seconds


@dataclass(frozen=True, slots=True)
class Opening:
    """A socket to open: where, and what to say first. It is open when ``ready`` has come, if there is one."""

    path: str
    says: str = ""
    ready: str = ""


class SocketLoad(Answering):
    """The process, and what it can be asked for."""

    def __init__(self, env: Mapping[str, str]) -> None:
        super().__init__("benchmarks.socket_load", env)

    def open(self, port: int, sockets: Sequence[Opening]) -> None:
        self._ask("open", port=port, sockets=[asdict(socket) for socket in sockets])

    def publish_to(self, channels: Sequence[Mapping[str, Any]], members: int) -> None:
        """Where messages go from now on, in turns, and how many sockets each of them reaches."""
        self._ask("publish_to", channels=list(channels), members=members)

    def say_each_second(self, port: int, socket: Opening, text: str) -> None:
        """From now on, say this on a socket of its own once a second."""
        self._ask("say_each_second", port=port, socket=asdict(socket), text=text)

    def flood(self, *, seconds: float, on_their_way: int = 32) -> Delivered:
        """As many messages as the server delivers, with a fixed number of them on their way."""
        return Delivered(**self._ask("flood", seconds=seconds, on_their_way=on_their_way))

    def pace(self, *, per_second: float, seconds: float) -> Delivered:
        return Delivered(**self._ask("pace", per_second=per_second, seconds=seconds))

    def burst(self, count: int) -> Delivered:
        """All at once."""
        return Delivered(**self._ask("burst", count=count))

    def close_all(self) -> None:
        self._ask("close_all")

    def _ask(self, what: str, **values: Any) -> Any:
        answer = self.ask(json.dumps({"do": what, **values}))
        if not answer:
            raise RuntimeError(f"the sockets' process ended at {what!r}")
        return json.loads(answer)


def allow_many_files() -> None:
    """Each socket is an open file, here and in the servers that are started after this."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


# -- the process -------------------------------------------------------------------------------


class _Arrivals:
    """What all sockets together have received since the last run began."""

    def __init__(self) -> None:
        self.count = self.repeated = self.awaited = 0
        self.latencies: list[int] | None = None
        self.here = asyncio.Event()

    def begin(self, *, timed: bool) -> None:
        self.count = self.repeated = 0
        self.latencies = [] if timed else None

    async def until(self, count: int) -> bool:
        """Wait until so many are here; False when nothing came for a long time."""
        self.awaited = count
        seen = -1
        while self.count < count:
            if self.count == seen:
                return False
            seen = self.count
            self.here.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.here.wait(), PATIENCE_SECONDS)
        return True


class _Socket(WSListener):
    def __init__(self, arrivals: _Arrivals, opening: Opening) -> None:
        self._arrivals, self.opening = arrivals, opening
        self._ready_mark = opening.ready.encode()
        # A socket of these is in one channel, whose numbers begin with 1.
        self._number = 0
        self.ready = asyncio.get_running_loop().create_future()
        self.closed = ""
        if not opening.ready:
            self.ready.set_result(None)

    def on_ws_connected(self, transport: WSTransport) -> None:
        if self.opening.says:
            transport.send(WSMsgType.TEXT, self.opening.says.encode())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            if frame.msg_type is WSMsgType.CLOSE:
                self._end(f"{frame.get_close_code()} {frame.get_close_reason()}")
                transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        at = payload.find(MARK) + 1
        if at:
            self._count(payload, at)
        elif not self.ready.done() and self._ready_mark in payload:
            self.ready.set_result(None)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._end("disconnected")

    def _count(self, payload: bytes, at: int) -> None:
        arrivals = self._arrivals
        number_at = at + TIME_DIGITS + 1
        number = int(payload[number_at : number_at + NUMBER_DIGITS])
        if number <= self._number:
            arrivals.repeated += 1
            return
        self._number = number
        arrivals.count += 1
        if arrivals.count == arrivals.awaited:
            arrivals.here.set()
        if arrivals.latencies is not None:
            arrivals.latencies.append(time.time_ns() - int(payload[at : at + TIME_DIGITS]))

    def _end(self, why: str) -> None:
        self.closed = self.closed or why
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"the server closed a socket before it was ready: {why}"))


class _Load:
    def __init__(self) -> None:
        self._arrivals = _Arrivals()
        self._sockets: list[tuple[WSTransport, _Socket]] = []
        self._channels: list[Channel] = []
        self._members = 0
        self._saying: asyncio.Task[None] | None = None

    async def open(self, *, port: int, sockets: list[dict[str, str]]) -> int:
        at_once = asyncio.Semaphore(OPENING_AT_ONCE)

        async def one(opening: Opening) -> tuple[WSTransport, _Socket]:
            async with at_once:
                return await _connect(port, _Socket(self._arrivals, opening))

        self._sockets += await asyncio.gather(*(one(Opening(**socket)) for socket in sockets))
        return len(self._sockets)

    async def publish_to(self, *, channels: list[dict[str, Any]], members: int) -> None:
        self._channels, self._members = [channel(what) for what in channels], members

    async def say_each_second(self, *, port: int, socket: dict[str, str], text: str) -> None:
        transport, listener = await _connect(port, _Socket(_Arrivals(), Opening(**socket)))

        # It may be in a channel of the others, whose messages it does not count.
        async def say() -> None:
            while not listener.closed:
                transport.send(WSMsgType.TEXT, text.encode())
                await asyncio.sleep(1)

        self._saying = asyncio.create_task(say())

    async def flood(self, *, seconds: float, on_their_way: int) -> dict[str, Any]:
        self._arrivals.begin(timed=False)
        channels, members, arrivals = cycle(self._channels), self._members, self._arrivals
        begun, sent = time.monotonic(), 0
        while time.monotonic() - begun < seconds:
            if not await arrivals.until((sent - on_their_way) * members):
                break
            await next(channels).publish()
            sent += 1
            # Publishing need not give way by itself.
            await asyncio.sleep(0)
        return await self._delivered(begun, sent)

    async def pace(self, *, per_second: float, seconds: float) -> dict[str, Any]:
        self._arrivals.begin(timed=True)
        channels, count = cycle(self._channels), round(per_second * seconds)
        begun = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / per_second - time.monotonic()))
            await next(channels).publish()
        return await self._delivered(begun, count)

    async def burst(self, *, count: int) -> dict[str, Any]:
        self._arrivals.begin(timed=True)
        channels, begun = cycle(self._channels), time.monotonic()
        for _ in range(count):
            await next(channels).publish()
        return await self._delivered(begun, count)

    async def close_all(self) -> None:
        for transport, _ in self._sockets:
            transport.disconnect()
        await asyncio.gather(*(transport.wait_disconnected() for transport, _ in self._sockets))
        self._sockets.clear()

    async def _delivered(self, begun: float, sent: int) -> dict[str, Any]:
        """Wait for what is still on its way, and say what came."""
        expected, arrivals = sent * self._members, self._arrivals
        waited = 0 if await arrivals.until(expected) else PATIENCE_SECONDS
        if ended := [socket.closed for _, socket in self._sockets if socket.closed]:
            raise ConnectionError(f"{len(ended)} sockets were closed: {ended[0]}")
        times = sorted(arrivals.latencies or [0])
        return asdict(
            Delivered(
                deliveries=arrivals.count,
                lost=expected - arrivals.count,
                repeated=arrivals.repeated,
                seconds=time.monotonic() - begun - waited,
                p50_ms=times[len(times) // 2] / 1e6,
                p99_ms=times[len(times) * 99 // 100] / 1e6,
            )
        )


async def _connect(port: int, socket: _Socket) -> tuple[WSTransport, _Socket]:
    url = f"ws://127.0.0.1:{port}{socket.opening.path}"
    transport, _ = await ws_connect(lambda: socket, url, extra_headers={"Sec-WebSocket-Protocol": "core.v1"})
    await asyncio.wait_for(socket.ready, 10)
    return transport, socket


async def _serve() -> None:
    load = _Load()
    # Between two questions pings are answered.
    while line := await asyncio.to_thread(sys.stdin.readline):
        question = json.loads(line)
        answer = await getattr(load, question.pop("do"))(**question)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    import django
    import uvloop

    django.setup()
    allow_many_files()
    # It has a line to say about each socket.
    logging.getLogger("picows").setLevel(logging.WARNING)
    uvloop.run(_serve())
