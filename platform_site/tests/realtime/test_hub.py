"""The fan-out of one process by itself: rooms that come and go, and who gets what."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from platform_site import valkey
from platform_site.binding import TenantRef
from platform_site.realtime.census import census_key, sockets_open
from platform_site.realtime.envelopes import Header, pack
from platform_site.realtime.hub import Hub
from platform_site.realtime.ports import Person
from platform_site.realtime.publishing import topic

ONE, OTHER = uuid4(), uuid4()
Story = Callable[[Hub], Awaitable[None]]


class Socket:
    """What the hub knows of a connection."""

    def __init__(self, tenant: UUID, user_id: int) -> None:
        self.room: Any = None
        self.watching: frozenset[int] = frozenset()
        self.texts: list[str] = []
        ref = TenantRef(tenant, "nowhere", "nobody", "active")
        self.person = Person(ref, uuid4(), user_id, uuid4(), until=2e9, epoch=1)

    def offer(self, message: dict[str, Any], size: int, *, fleeting: bool = False) -> None:
        self.texts.append(message["text"])

    def say(self, frame: Any) -> None:
        """Counts."""

    def tick(self, now: float, clock: float) -> None:
        """Nothing is asked of it."""


async def enter(hub: Hub, socket: Any) -> None:
    await hub.enter(socket, socket.person)


def play(story: Story) -> None:
    async def whole() -> None:
        hub = Hub()
        await hub.start()
        try:
            async with asyncio.timeout(10):
                await story(hub)
        finally:
            hub.rooms.clear()
            await hub.stop()

    asyncio.run(whole())


async def said(tenant: UUID, text: str, to: tuple[int, ...] | None = None) -> None:
    envelope = pack(Header(kind="plain", to=to), text.encode())
    await asyncio.to_thread(valkey.client().publish, topic(tenant), envelope)


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)


def test_a_room_that_is_left_and_entered_at_the_same_moment_is_not_deaf() -> None:
    async def story(hub: Hub) -> None:
        sockets = [Socket(ONE, 1) for _ in range(20)]
        await enter(hub, sockets[0])
        for before, now in itertools.pairwise(sockets):
            hub.leave(before)  # type: ignore[arg-type]
            await enter(hub, now)
            # Whatever the other had begun is done now.
            await asyncio.sleep(0.01)
            await said(ONE, "hello")
            await until(partial(bool, now.texts))

    play(story)


def test_whoever_is_in_hears_what_is_said_at_that_very_moment() -> None:
    """What comes before is read from the tables afterwards; nothing may fall in between."""

    async def story(hub: Hub) -> None:
        for tenant in [uuid4() for _ in range(20)]:
            socket = Socket(tenant, 1)
            await enter(hub, socket)
            # Without giving the event loop another turn.
            valkey.client().publish(topic(tenant), pack(Header(kind="plain", to=None), b"hello"))
            await until(partial(bool, socket.texts))

    play(story)


@pytest.mark.parametrize("pauses", [1, 2, 3])
def test_nor_is_one_that_is_entered_while_it_is_being_left(pauses: int) -> None:
    async def story(hub: Hub) -> None:
        sockets = [Socket(ONE, 1) for _ in range(10)]
        await enter(hub, sockets[0])
        for before, now in itertools.pairwise(sockets):
            hub.leave(before)  # type: ignore[arg-type]
            for _ in range(pauses):
                await asyncio.sleep(0)
            await enter(hub, now)
            await asyncio.sleep(0.01)
            await said(ONE, "hello")
            await until(partial(bool, now.texts))

    play(story)


def test_equal_numbers_of_two_tenants_are_different_people() -> None:
    async def story(hub: Hub) -> None:
        own, foreign = Socket(ONE, 7), Socket(OTHER, 7)
        await enter(hub, own)
        await enter(hub, foreign)
        await said(ONE, "for 7 of one", to=(7, 8))
        await said(ONE, "for all of one")
        await said(OTHER, "for all of the other")
        await until(lambda: own.texts == ["for 7 of one", "for all of one"])
        await until(lambda: foreign.texts == ["for all of the other"])

    play(story)


def test_what_nobody_of_ours_published_is_counted_and_hurts_nobody() -> None:
    async def story(hub: Hub) -> None:
        socket = Socket(ONE, 1)
        await enter(hub, socket)
        broken = [b"", b"\n", b"{}\n{}", b'{"k":"plain"}\n\xff', b'{"k":"what"}\n{}', b'{"k":"message"}', b"[]\n"]
        for envelope in broken:
            await asyncio.to_thread(valkey.client().publish, topic(ONE), envelope)
        await said(ONE, "hello")
        await until(lambda: "hello" in socket.texts)

    play(story)


def test_a_process_says_how_many_sockets_it_has_and_takes_it_back_at_its_end() -> None:
    async def story(hub: Hub) -> None:
        for number in (1, 2):
            await enter(hub, Socket(ONE, number))
        await hub._census.say()
        assert await asyncio.to_thread(sockets_open) == 2

    play(story)
    assert sockets_open() == 0


def test_what_a_dead_process_said_is_taken_off_by_another() -> None:
    valkey.client().hset(census_key(), "dead", f"90:{time.time() - 1}")

    async def story(hub: Hub) -> None:
        await hub._census.say()

    play(story)
    assert valkey.client().hkeys(census_key()) == []
