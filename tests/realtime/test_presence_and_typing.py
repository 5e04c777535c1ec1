"""Who is there, and who is just typing: seen by those who asked, in all processes, and by nobody else."""

import asyncio
import time
from typing import Any

import orjson
import pytest

from chat.realtime import TYPING_GROUP, TYPING_SECONDS
from platform_site.realtime.arrivals import AWAY_SECONDS, GOOD_SECONDS, RENEW_SECONDS
from platform_site.realtime.presence import online
from tests.realtime.processes import Process
from tests.realtime.shared import Company, Person, Shared
from tests.realtime.sockets import Bare, aside, signed_in_socket

pytestmark = pytest.mark.timeout(180)


async def watch(socket: Bare, *people: Person) -> list[int]:
    await socket.say({"t": "presence", "id": "w", "userIds": [person.number for person in people]})
    found: list[int] = (await socket.hear("ok", lambda frame: frame.get("id") == "w"))["d"]["online"]
    return found


async def nothing_more(socket: Bare, kind: str, count: int) -> None:
    """So many frames of this kind were heard in all, also after everything that is on its way."""
    await socket.say({"t": "ping", "id": "fence"})
    await socket.hear("pong", lambda frame: frame.get("id") == "fence")
    assert [frame["t"] for frame in socket.frames].count(kind) == count


def test_coming_and_going_is_seen_in_both_processes(first: Process, second: Process, shared: Shared) -> None:
    company, other = Company(3), Company(2)
    alice, bob, carol = company.people

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, alice.token) as (here, _),
            signed_in_socket(second.url, alice.token) as (there, _),
            signed_in_socket(second.url, carol.token) as (indifferent, _),
            signed_in_socket(first.url, other.people[0].token) as (stranger, _),
        ):
            assert await watch(here, bob, carol) == [carol.number]
            assert await watch(there, bob) == []
            assert await watch(stranger, other.people[1]) == []
            async with signed_in_socket(first.url, bob.token):
                for socket in (here, there):
                    assert await socket.hear("presence") == {"t": "presence", "userId": bob.number, "online": True}
                assert await watch(there, bob) == [bob.number]
                assert await aside(online, company.tenant.id, [alice.number, bob.number, 99]) == {1, 2}
                # A further device is no news, and neither is its end.
                async with signed_in_socket(second.url, bob.token):
                    pass
                await asyncio.sleep(AWAY_SECONDS + 0.5)
            # A reload: gone from one process, and there again in the other before anybody was told.
            await asyncio.sleep(AWAY_SECONDS / 4)
            async with signed_in_socket(second.url, bob.token):
                await asyncio.sleep(AWAY_SECONDS + 0.5)
                for socket in (here, there):
                    await nothing_more(socket, "presence", 1)
            left = time.monotonic()
            for socket in (here, there):
                assert await socket.hear("presence") == {"t": "presence", "userId": bob.number, "online": False}
            assert time.monotonic() - left > AWAY_SECONDS - 0.5
            assert await watch(here, bob) == []
            assert await aside(online, company.tenant.id, [bob.number]) == set()
            for socket in (indifferent, stranger):
                await nothing_more(socket, "presence", 0)

    asyncio.run(listen())


def test_typing_reaches_the_others_now_and_then(first: Process, second: Process, shared: Shared) -> None:
    company = Company(3)
    alice, bob, carol = company.people
    channel, apart = company.group(), company.group([2, 3])

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, bob.token) as (types, _),
            signed_in_socket(second.url, bob.token) as (own, _),
            signed_in_socket(first.url, alice.token) as (here, _),
            signed_in_socket(second.url, carol.token) as (there, _),
        ):
            began = time.monotonic()
            frame = {"t": "typing", "channelId": channel}
            await types.say(frame)
            for socket in (here, there):
                assert await socket.hear("typing") == {"t": "typing", "c": channel, "userId": bob.number}
            for _ in range(3):
                await types.say(frame)
            # Each channel by itself.
            await types.say({**frame, "channelId": apart})
            assert (await there.hear("typing"))["c"] == apart
            await nothing_more(here, "typing", 1)
            await asyncio.sleep(max(0, began + TYPING_SECONDS + 0.2 - time.monotonic()))
            await types.say(frame)
            for socket in (here, there):
                await socket.hear("typing")
            await nothing_more(here, "typing", 2)
            await nothing_more(there, "typing", 3)
            for socket in (types, own):
                await nothing_more(socket, "typing", 0)

    asyncio.run(listen())


def test_nobody_sees_typing_in_a_large_group(first: Process, shared: Shared) -> None:
    company = Company(2, others=TYPING_GROUP - 1)
    alice, bob = company.people
    large, largest_shown = (company.group(range(1, size + 1)) for size in (TYPING_GROUP + 1, TYPING_GROUP))

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, alice.token) as (types, _),
            signed_in_socket(first.url, bob.token) as (sees, _),
        ):
            for channel in (large, largest_shown):
                await types.say({"t": "typing", "channelId": channel})
            assert (await sees.hear("typing"))["c"] == largest_shown
            await nothing_more(sees, "typing", 1)

    asyncio.run(listen())


@pytest.mark.soak
def test_who_was_on_a_process_that_died_is_gone_within_a_minute(
    first: Process, second: Process, shared: Shared
) -> None:
    company = Company(2)
    alice, bob = company.people

    async def listen() -> None:
        async with signed_in_socket(first.url, alice.token) as (here, _):
            await watch(here, bob)
            async with signed_in_socket(second.url, bob.token):
                await here.hear("presence")
                await asyncio.sleep(RENEW_SECONDS + 1)
                second.kill()
            async with asyncio.timeout(GOOD_SECONDS + 2 * RENEW_SECONDS):
                assert await hear_at_last(here) == {"t": "presence", "userId": bob.number, "online": False}

    asyncio.run(listen())


async def hear_at_last(socket: Bare) -> dict[str, Any]:
    """The next word of somebody's presence, however long it takes."""
    while True:
        frame: dict[str, Any] = orjson.loads(await socket.connection.recv())
        if frame["t"] == "presence":
            return frame
