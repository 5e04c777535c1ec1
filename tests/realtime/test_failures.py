"""What may break, and what clients see of it: nothing is lost, nothing is shown twice, order is kept."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Session
from platform_site import valkey
from platform_site.binding import bind
from platform_site.local.standalone import Standalone
from platform_site.realtime import publishing
from platform_site.realtime.envelopes import Header
from platform_site.realtime.publishing import publish, topic
from platform_site.realtime.sweeping import HEAL_AT_MOST
from tests.realtime.deaf import Deaf
from tests.realtime.processes import Process
from tests.realtime.readers import agree, reading, talking, until
from tests.realtime.shared import Company, Person, Shared
from tests.realtime.sockets import Bare, aside, bare, signed_in_socket
from tests.support import scaled

pytestmark = pytest.mark.timeout(scaled(300, 3600))

# A sweep comes every three seconds.
SWEPT_SECONDS = 5.0
# What comes by Valkey's word, or is fetched where a number is missing, does not wait for a sweep.
LIVE_SECONDS = 1.5
HOUR = 3600.0

DIES_BEFORE_PUBLISHING = """
import os, sys
import django
django.setup()
from uuid import UUID
from platform_site.realtime import publishing
publishing.publish = lambda *_: os._exit(9)
from accounts.access_tokens import verify_access_token
from accounts.services.session_records import identity_of
from chat.services.messages import message_send
from platform_site.binding import bind
actor = identity_of(verify_access_token(sys.argv[1]))
with bind(actor.tenant):
    message_send(actor=actor, channel_id=UUID(sys.argv[2]), content="the last words")
"""


def die_before_publishing(shared: Shared, person: Person, channel: str) -> None:
    """A process commits a message and is gone before anybody hears of it."""
    ended = subprocess.run(
        [sys.executable, "-c", DIES_BEFORE_PUBLISHING, person.token, channel],
        env={**shared.environment, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 9, ended.stderr


@contextmanager
def withheld() -> Iterator[list[tuple[str, list[Any]]]]:
    """What is committed meanwhile is not published. Gives what would have been: arguments of ``publish``."""
    kept: list[tuple[str, list[Any]]] = []
    with patch.object(publishing, "publish", lambda where, batch: kept.append((where, batch))):
        yield kept


async def numbers(socket: Bare, count: int) -> list[int]:
    """The numbers of the next messages, in the order in which they come."""
    return [(await socket.hear("message.created"))["seq"] for _ in range(count)]


async def said_in_time(socket: Bare, person: Person, channel: str) -> None:
    """Something is said now, and is there before anybody sweeps."""
    began = time.monotonic()
    message = await aside(person.say, channel, "Is anybody there?")
    await socket.hear("message.created", lambda frame: frame["seq"] == message["seq"])
    assert time.monotonic() - began < LIVE_SECONDS


def test_what_was_committed_and_not_published_is_found(shared: Shared, first: Process, company: Company) -> None:
    channel = company.group()

    async def listen() -> None:
        async with reading(company.people, first) as readers:
            await aside(company.people[0].say, channel, "hello")
            await agree(readers, channel, [(1, "hello")])
            await aside(die_before_publishing, shared, company.people[0], channel)
            stored = await aside(company.stored, channel)
            assert stored == [(1, "hello"), (2, "the last words")]
            await agree(readers, channel, stored, SWEPT_SECONDS)
            assert [reader.codes for reader in readers] == [[], []]

    asyncio.run(listen())


def test_valkey_dies_in_mid_traffic(own_valkey: Standalone, apart: Process, shared: Shared) -> None:
    company = Company(scaled(4, 20))
    channel = company.group()

    async def listen() -> None:
        async with reading(company.people, apart) as readers:
            for _ in range(scaled(1, 10)):
                async with talking(company.people[:3], channel) as talk:
                    await talk.goes_on(20)
                    own_valkey.kill()
                    await talk.goes_on(20)
                    await asyncio.to_thread(own_valkey.start)
                    await talk.goes_on(40)
                await agree(readers, channel, await aside(company.stored, channel))
            # Nobody had to come back for it, and everybody was told that something may be missing.
            assert {(*reader.codes, len(reader.heard("refresh")) > 0) for reader in readers} == {(True,)}

    asyncio.run(listen())


def test_valkey_is_away_for_long(own_valkey: Standalone, apart: Process, company: Company) -> None:
    alice, bob = company.people
    channel = company.group()

    async def listen() -> None:
        async with signed_in_socket(apart.url, bob.token) as (socket, _), reading([bob], apart) as readers:
            own_valkey.kill()
            for number in range(1, 4):
                answer = await aside(alice.api.post, f"/chat/channels/{channel}/messages", {"content": f"m{number}"})
                assert answer.status_code == 201, answer.content
                assert await numbers(socket, 1) == [number]
            # Whoever comes meanwhile is let in, and hears as well.
            async with reading([alice], apart) as others:
                await aside(alice.say, channel, "m4")
                await agree(others, channel, [(4, "m4")])
            await asyncio.to_thread(own_valkey.start)
            await socket.hear("refresh")
            before = apart.metrics()["healed_total"]
            await said_in_time(socket, alice, channel)
            assert apart.metrics()["healed_total"] == before
            await agree(readers, channel, await aside(company.stored, channel))

    asyncio.run(listen())


def test_two_workers_publish_in_the_wrong_order(first: Process, company: Company) -> None:
    alice, bob = company.people
    channel = company.group()

    async def listen() -> None:
        async with signed_in_socket(first.url, bob.token) as (socket, _):
            for number in range(1, 40, 4):
                with withheld() as kept:
                    for content in "abcd":
                        await aside(alice.say, channel, content)
                await aside(publish, kept[0][0], [kept[place][1][0] for place in (2, 0, 3, 2, 1)])
                assert await numbers(socket, 4) == list(range(number, number + 4))

    asyncio.run(listen())


def test_what_does_not_come_is_fetched_after_a_moment(first: Process, company: Company) -> None:
    alice, bob = company.people
    channel = company.group()

    async def listen() -> None:
        async with signed_in_socket(first.url, bob.token) as (socket, _):
            # So often that no sweep can have come in time each time.
            for number in range(1, 17, 4):
                with withheld() as kept:
                    for content in "abcd":
                        await aside(alice.say, channel, content)
                began = time.monotonic()
                await aside(publish, *kept[3])
                assert await numbers(socket, 4) == list(range(number, number + 4))
                assert time.monotonic() - began < LIVE_SECONDS

    asyncio.run(listen())


def test_changes_whose_words_were_lost_are_found(first: Process, company: Company) -> None:
    alice, bob = company.people
    channel = company.group()

    async def listen() -> None:
        async with signed_in_socket(first.url, bob.token) as (socket, _):
            messages = [await aside(alice.say, channel, content) for content in "ab"]
            assert await numbers(socket, 2) == [1, 2]
            with withheld() as kept:
                # Each message stands there as it was left; the numbers between have no row any more.
                for content in "cde":
                    for message in messages:
                        await aside(alice.correct, message, content)
            for number in (5, 6):
                frame = await socket.hear("message.updated")
                assert (frame["ch"], frame["d"]["content"]) == (number, "e")
            # What comes late after all is older than what was told.
            for where, batch in kept:
                await aside(publish, where, batch)
            await aside(alice.correct, messages[0], "f")
            assert (await socket.hear("message.updated"))["ch"] == 7
            assert [frame["t"] for frame in socket.frames].count("message.updated") == 3

    asyncio.run(listen())


def test_more_than_is_pushed_is_announced_and_read(first: Process, company: Company) -> None:
    """So much was lost at once that clients are told to get it themselves: of messages, and of changes."""
    alice, bob = company.people
    channel = company.group()

    def together(work: Callable[[], None]) -> None:
        # No sweep comes in the middle of it.
        with withheld(), bind(company.tenant.ref), transaction.atomic():
            work()

    def say_many() -> None:
        for number in range(HEAL_AT_MOST + 1):
            said.append(alice.say(channel, f"m{number}"))

    def correct_many() -> None:
        for number, message in enumerate(said):
            alice.correct(message, f"corrected {number}")

    said: list[dict[str, Any]] = []

    async def listen() -> None:
        async with reading([bob], first) as readers:
            for work in (say_many, correct_many):
                await aside(together, work)
                await agree(readers, channel, await aside(company.stored, channel))
            assert readers[0].codes == []
            assert first.metrics()["gaps_total"] == gaps + 2
            await aside(alice.correct, said[0], "and live again")
            await agree(readers, channel, await aside(company.stored, channel), LIVE_SECONDS)

    gaps = first.metrics()["gaps_total"]
    asyncio.run(listen())


def test_a_new_channel_of_which_no_word_came_is_found(first: Process, company: Company) -> None:
    alice, bob = company.people

    async def listen() -> None:
        async with signed_in_socket(first.url, bob.token) as (socket, _), reading([bob], first) as readers:
            with withheld():
                channel = await aside(company.group)
                await aside(alice.say, channel, "Welcome!")
            frame = await socket.hear("message.created")
            assert (frame["c"], frame["d"]["content"]) == (channel, "Welcome!")
            await agree(readers, channel, [(1, "Welcome!")])
            await said_in_time(socket, alice, channel)

    asyncio.run(listen())


def test_a_client_that_does_not_read_is_let_go(first: Process, company: Company) -> None:
    alice, bob = company.people
    channel, where = company.group(), topic(company.tenant.id)
    # Each message has 40 kB, and beside them comes what is for bob alone: more than kernel and budget take.
    content, noise = "😀" * 10_000, {"t": "noise", "d": "x" * 100_000}
    count = 60

    async def listen() -> None:
        async with signed_in_socket(first.url, alice.token) as (socket, _):
            before, sockets = first.memory(), first.metrics()["sockets"]
            deaf = await asyncio.to_thread(Deaf, first, bob.token)
            for number in range(1, count + 1):
                await aside(publish, where, [(Header(kind="plain", to=(bob.number,)), noise)] * scaled(5, 50))
                began = time.monotonic()
                await aside(alice.say, channel, content)
                assert await numbers(socket, 1) == [number]
                assert time.monotonic() - began < LIVE_SECONDS
            await until(lambda: first.metrics()["sockets"] == sockets)
            assert first.memory() - before < 12 * 2**20
            assert await asyncio.to_thread(deaf.end) in (4008, None)
        async with signed_in_socket(first.url, bob.token, since={channel: [0, 0]}) as (socket, _):
            assert await numbers(socket, count) == list(range(1, count + 1))
            assert await socket.hear("resumed") == {"t": "resumed", "c": channel, "from": 1, "to": count, "ch": 0}

    asyncio.run(listen())
    assert first.metrics()["slow_total"] >= 1


def test_a_burst_loses_nothing(first: Process, shared: Shared) -> None:
    company = Company(scaled(50, 200))
    channel, count = company.group(), 300

    async def listen() -> None:
        async with AsyncExitStack() as stack:
            sockets = [
                (await stack.enter_async_context(signed_in_socket(first.url, person.token)))[0]
                for person in company.people
            ]
            hearing = asyncio.gather(*(numbers(socket, count) for socket in sockets))
            await aside(all_at_once)
            assert await hearing == [list(range(1, count + 1))] * len(sockets)

    def all_at_once() -> None:
        # What is committed together is published together.
        for _ in range(count // 75):
            with bind(company.tenant.ref), transaction.atomic():
                for number in range(75):
                    company.people[0].say(channel, f"m{number}")

    asyncio.run(listen())


def test_nothing_that_a_socket_needs_is_kept_in_valkey(
    own_valkey: Standalone, apart: Process, company: Company
) -> None:
    alice, bob = company.people
    channel = company.group()

    async def listen() -> None:
        async with signed_in_socket(apart.url, bob.token) as (socket, _):
            await said_in_time(socket, alice, channel)
            before = apart.metrics()["healed_total"]
            assert await aside(valkey.client().flushall)
            await said_in_time(socket, alice, channel)
            await socket.say({"t": "read", "id": 1, "channelId": channel, "seq": 2})
            assert (await socket.hear("ok"))["d"]["lastReadSeq"] == 2
            assert apart.metrics()["healed_total"] == before

    asyncio.run(listen())


def test_a_deployment(second: Process, shared: Shared) -> None:
    company = Company(scaled(6, 18))
    channel = company.group()

    async def listen() -> None:
        async with reading(company.people, second) as readers:
            for _ in range(scaled(1, 5)):
                async with talking(company.people[:2], channel) as talk:
                    await talk.goes_on(10)
                    assert await asyncio.to_thread(second.stop) in (0, -signal.SIGTERM)
                    assert {reader.codes[0] for reader in readers} == {4000}
                    await talk.goes_on(20)
                    await asyncio.to_thread(second.start)
                    for reader in readers:
                        await reader.ready()
                    await talk.goes_on(20)
                await agree(readers, channel, await aside(company.stored, channel))
                for reader in readers:
                    reader.events.clear()

    asyncio.run(listen())


def test_the_database_is_away(shared: Shared, first: Process, company: Company) -> None:
    alice, bob = company.people
    channel = company.group()

    async def listen() -> None:
        async with signed_in_socket(first.url, bob.token) as (socket, _), reading([alice], first) as readers:
            await said_in_time(socket, alice, channel)
            with withheld():
                await aside(alice.say, channel, "nobody heard this")
            await aside(shared.lock_out)
            try:
                began = time.monotonic()
                # Whoever comes now is asked to come back: neither told off nor kept waiting.
                async with bare(first.url) as stranger:
                    await stranger.say({"t": "auth", "token": bob.token})
                    assert await stranger.closed() == 4010
                await socket.say({"t": "read", "id": 1, "channelId": channel, "seq": 1})
                assert (await socket.hear("error"))["code"] == "service_unavailable"
                await socket.say({"t": "auth", "id": 2, "token": bob.token})
                assert (await socket.hear("error"))["code"] == "service_unavailable"
                # Long enough for several sweeps to find nobody.
                await asyncio.sleep(max(0, 7 - (time.monotonic() - began)))
                await socket.say({"t": "ping", "id": 3})
                assert (await socket.hear("pong"))["id"] == 3
            finally:
                await aside(shared.let_in)
            back = time.monotonic()
            assert await numbers(socket, 1) == [2]
            assert time.monotonic() - back < SWEPT_SECONDS
            await said_in_time(socket, alice, channel)
            await agree(readers, channel, await aside(company.stored, channel))
            assert readers[0].codes == []

    asyncio.run(listen())


def test_clocks_that_lie(first: Process, company: Company) -> None:
    alice, bob = company.people
    channel = company.group()

    async def listen() -> None:
        async with signed_in_socket(first.url, bob.token) as (socket, _):
            # Workers whose clocks are ahead, behind, and right.
            for number, wrong in enumerate((9 * HOUR, -9 * HOUR, 0, -HOUR, HOUR, 0), start=1):
                with patch.object(publishing, "time", SimpleNamespace(time=lambda by=wrong: time.time() + by)):
                    await said_in_time(socket, alice, channel)
                assert socket.frames[-1]["seq"] == number
                # Times are the database's.
                made = [frame["d"]["createdAt"] for frame in socket.frames if frame["t"] == "message.created"]
                assert made == sorted(made)

    asyncio.run(listen())


def test_one_of_two_processes_dies_in_mid_traffic(first: Process, second: Process, shared: Shared) -> None:
    company = Company(6)
    channel = company.group()

    async def listen() -> None:
        async with reading(company.people, first, second) as readers:
            for _ in range(scaled(1, 10)):
                before = second.metrics()["sockets"], first.metrics()["sockets"]
                assert min(before) > 0, "Nobody was on one of the processes."
                async with talking(company.people[:2], channel) as talk:
                    await talk.goes_on(10)
                    second.kill()
                    await until(lambda: first.metrics()["sockets"] == len(readers))
                    await talk.goes_on(20)
                await agree(readers, channel, await aside(company.stored, channel))
                await asyncio.to_thread(second.start)
                for reader in readers[::2]:
                    await reader.client.drop()
                    await reader.ready()

    asyncio.run(listen())


def test_a_session_whose_end_nobody_heard_of_is_noticed(apart: Process, company: Company) -> None:
    alice, bob = company.people
    other = Company(1)

    def end_the_session_of(person: Person) -> None:
        with bind(person.tenant.ref):
            assert Session.objects.filter(id=person.identity.session_id).update(revoked_at=timezone.now()) == 1

    def suspend() -> None:
        type(other.tenant).objects.filter(id=other.tenant.id).update(status="suspended")

    async def listen() -> None:
        async with (
            signed_in_socket(apart.url, alice.token) as (stays, _),
            signed_in_socket(apart.url, bob.token) as (goes, _),
            signed_in_socket(apart.url, other.people[0].token) as (suspended, _),
        ):
            await aside(end_the_session_of, bob)
            await aside(suspend)
            # It looks each second.
            async with asyncio.timeout(4):
                assert await goes.closed() == 4503
                assert await suspended.closed() == 4507
            await stays.say({"t": "ping"})
            await stays.hear("pong")

    asyncio.run(listen())
