"""What goes out to one socket: at once while the client reads, within a budget while it does not.

The fan-out offers a frame to thousands of sockets and waits for none of them. A
server's ``send`` suspends only when the client's window is full, so it is driven
by hand here: when it ends at once, which is nearly always, no task and no queue
are needed. Else a task carries on with it, and later frames wait behind it.
"""

import asyncio
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any

from platform_site.realtime.protocol import BUDGET_BYTES, BUDGET_FRAMES

Message = dict[str, Any]
Send = Callable[[Message], Coroutine[Any, Any, None]]


class Outbound:
    """Frames in the order in which they were offered.

    Until ``open`` they wait, because a client hears ``ready`` first. ``over``:
    the budget is spent, and this socket is to be closed.
    """

    __slots__ = ("_bytes", "_held", "_queue", "_send", "_task", "lost", "over")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: deque[tuple[Message, int]] = deque()
        self._bytes = 0
        self._held = True
        self._task: asyncio.Task[None] | None = None
        self.lost = False
        self.over = False

    def offer(self, message: Message, size: int, *, fleeting: bool = False) -> None:
        """Send now or queue; never waits. What is fleeting is dropped where anything waits already."""
        if self.lost or self.over:
            return
        if not self._held and self._task is None:
            self._begin(message)
            return
        if fleeting:
            return
        self._queue.append((message, size))
        self._bytes += size
        if self._bytes > BUDGET_BYTES or len(self._queue) > BUDGET_FRAMES:
            self.over = True
            self._queue.clear()

    async def put(self, message: Message) -> None:
        """Send in the caller's own time, as the client reads: for what the client itself asked for."""
        if not self.lost:
            try:
                await self._send(message)
            except (OSError, RuntimeError):
                self.lost = True

    def open(self) -> None:
        """What waited goes out, and from now on everything goes out as it comes."""
        self._held = False
        if self._queue and self._task is None:
            self._task = _spawn(self._drain())

    def drop(self) -> None:
        """The socket is gone."""
        self.lost = True
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()

    def _begin(self, message: Message) -> None:
        sending = self._send(message)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        except (OSError, RuntimeError):
            # The server says so when the client is gone; the reading side ends the socket.
            self.lost = True
            return
        self._task = _spawn(self._drain(_continued(sending, waits_for)))

    async def _drain(self, begun: Generator[Any, Any, None] | None = None) -> None:
        try:
            if begun is not None:
                await begun  # type: ignore[misc]
            while self._queue and not self.lost:
                message, size = self._queue.popleft()
                self._bytes -= size
                await self._send(message)
        except (OSError, RuntimeError):
            self.lost = True
        finally:
            self._task = None


def _spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that inherits nothing: whoever offers a frame may work for a tenant at the time."""
    return asyncio.get_running_loop().create_task(work, context=Context())


@types.coroutine
def _continued(sending: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was begun by hand and waits for ``waits_for``."""
    while True:
        try:
            value = yield waits_for
        except BaseException as error:
            step = _thrown(sending, error)
        else:
            step = _sent(sending, value)
        if step is _ENDED:
            return
        waits_for = step


_ENDED = object()


def _sent(sending: Coroutine[Any, Any, None], value: Any) -> Any:
    try:
        return sending.send(value)
    except StopIteration:
        return _ENDED


def _thrown(sending: Coroutine[Any, Any, None], error: BaseException) -> Any:
    try:
        return sending.throw(error)
    except StopIteration:
        return _ENDED
