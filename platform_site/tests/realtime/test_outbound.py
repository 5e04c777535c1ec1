"""One socket's frames: at once while it takes them, in order when it stops half-way, bounded, and let go at its end."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_site.realtime.outbound import Message, Outbound
from platform_site.realtime.protocol import BUDGET_BYTES, BUDGET_FRAMES

pytestmark = pytest.mark.no_django

Story = Callable[["Window", Outbound], Awaitable[None]]


class Window:
    """A client that takes frames while it is open. ``fail`` is raised to whoever sends next or waits."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.begun = self.cancelled = 0
        self.fail: BaseException | None = None
        self._open = asyncio.Event()
        self._open.set()

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def send(self, message: Message) -> None:
        self.begun += 1
        try:
            # More than one wait, as in a server that waits for its transport and for its window.
            while not self._open.is_set():
                await self._open.wait()
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fail is not None:
            raise self.fail
        self.taken.append(message["n"])


def play(story: Story, *, opened: bool = True) -> None:
    """Run it; an exception that nobody took, in a task or a coroutine, is a failure."""
    forgotten: list[Any] = []

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: forgotten.append(context))
        window = Window()
        outbound = Outbound(window.send)
        if opened:
            outbound.open()
        async with asyncio.timeout(10):
            await story(window, outbound)
        outbound.drop()
        await settle()

    asyncio.run(whole())
    assert forgotten == []


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def offer(outbound: Outbound, *numbers: Any, size: int = 1, fleeting: bool = False) -> None:
    for number in numbers:
        outbound.offer({"n": number}, size, fleeting=fleeting)


def spent(outbound: Outbound) -> tuple[bool, int]:
    """Whether it is to be closed, and how many frames wait."""
    return outbound.over, len(outbound._queue)


def test_what_is_taken_at_once_needs_no_task() -> None:
    async def story(window: Window, outbound: Outbound) -> None:
        before = len(asyncio.all_tasks())
        offer(outbound, 1, 2, 3)
        assert window.taken == [1, 2, 3]
        assert len(asyncio.all_tasks()) == before

    play(story)


def test_order_is_kept_when_a_send_stops_half_way() -> None:
    async def story(window: Window, outbound: Outbound) -> None:
        offer(outbound, 1)
        window.close()
        offer(outbound, 2, 3)
        assert (window.taken, window.begun) == ([1], 2)
        await settle()
        # It may be taken before the task that waits for it has run at all.
        window.open()
        offer(outbound, 4)
        await settle()
        assert window.taken == [1, 2, 3, 4]
        window.close()
        offer(outbound, 5)
        window.open()
        offer(outbound, 6)
        await settle()
        offer(outbound, 7)
        assert window.taken == [1, 2, 3, 4, 5, 6, 7]

    play(story)


@given(st.lists(st.sampled_from(["offer", "close", "open", "turn"]), max_size=40))
def test_order_is_kept_whatever_the_window_does(moves: list[str]) -> None:
    async def story(window: Window, outbound: Outbound) -> None:
        offered = 0
        for move in moves:
            if move == "offer":
                offered += 1
                offer(outbound, offered)
            elif move == "turn":
                await asyncio.sleep(0)
            else:
                getattr(window, move)()
        window.open()
        await settle()
        assert window.taken == list(range(1, offered + 1))

    play(story)


def test_frames_wait_until_the_greeting_is_over() -> None:
    async def story(window: Window, outbound: Outbound) -> None:
        offer(outbound, "live 1")
        await outbound.put({"n": "ready"})
        offer(outbound, "live 2")
        await outbound.put({"n": "missed"})
        assert window.taken == ["ready", "missed"]
        outbound.open()
        offer(outbound, "live 3")
        await settle()
        assert window.taken == ["ready", "missed", "live 1", "live 2", "live 3"]

    play(story, opened=False)


@pytest.mark.parametrize(("size", "fit"), [(BUDGET_BYTES // 4, 4), (1, BUDGET_FRAMES)], ids=["bytes", "frames"])
def test_what_waits_is_bounded(size: int, fit: int) -> None:
    async def story(window: Window, outbound: Outbound) -> None:
        window.close()
        # The first one is on its way and does not wait.
        offer(outbound, 0)
        offer(outbound, *range(1, fit + 1), size=size)
        assert spent(outbound) == (False, fit)
        offer(outbound, fit + 1, size=size)
        assert spent(outbound) == (True, 0)
        offer(outbound, fit + 2)
        window.open()
        await settle()
        assert window.taken == [0]

    play(story)


def test_what_was_taken_is_counted_no_longer() -> None:
    async def story(window: Window, outbound: Outbound) -> None:
        for turn in range(5):
            window.close()
            offer(outbound, *range(4), size=BUDGET_BYTES // 4)
            assert spent(outbound) == (False, 3)
            window.open()
            await settle()
            assert window.taken == list(range(4)) * (turn + 1)

    play(story)


def test_what_is_fleeting_is_dropped_where_anything_waits() -> None:
    async def story(window: Window, outbound: Outbound) -> None:
        offer(outbound, "typing 1", fleeting=True)
        window.close()
        offer(outbound, "message")
        offer(outbound, "typing 2", fleeting=True)
        window.open()
        await settle()
        offer(outbound, "typing 3", fleeting=True)
        assert window.taken == ["typing 1", "message", "typing 3"]

    play(story)


def test_before_the_greeting_is_over_as_well() -> None:
    async def story(window: Window, outbound: Outbound) -> None:
        offer(outbound, "typing", fleeting=True)
        outbound.open()
        await settle()
        assert window.taken == []

    play(story, opened=False)


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("after sending 'websocket.close'")], ids=str)
def test_a_send_that_fails_ends_it_and_hurts_nobody(error: BaseException) -> None:
    async def at_once(window: Window, outbound: Outbound) -> None:
        window.fail = error
        offer(outbound, 1, 2)
        assert [outbound.lost, window.begun] == [True, 1]

    async def half_way(window: Window, outbound: Outbound) -> None:
        window.close()
        offer(outbound, 1, 2, 3)
        window.fail = error
        window.open()
        await settle()
        assert (outbound.lost, window.begun, window.taken) == (True, 1, [])

    async def asked_for(window: Window, outbound: Outbound) -> None:
        window.fail = error
        await outbound.put({"n": 1})
        await outbound.put({"n": 2})
        assert (outbound.lost, window.begun) == (True, 1)

    for story in (at_once, half_way, asked_for):
        play(story)
    # A task whose failure nobody took says so when it is collected, which is a failure of the test.
    gc.collect()


def test_a_socket_that_ends_lets_go_of_what_it_was_sending() -> None:
    async def story(window: Window, outbound: Outbound) -> None:
        window.close()
        offer(outbound, 1, 2)
        await settle()
        outbound.drop()
        await settle()
        assert window.cancelled == 1
        window.open()
        offer(outbound, 3)
        await settle()
        assert window.taken == []

    play(story)


def test_also_when_it_ends_before_the_task_has_run() -> None:
    async def story(window: Window, outbound: Outbound) -> None:
        window.close()
        offer(outbound, 1, 2)
        outbound.drop()
        await settle()
        window.open()
        await settle()
        assert window.taken == []

    play(story)
