"""What a socket hears by the clock: heartbeats, and the end of its token."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import orjson
import pytest

from platform_site.binding import TenantRef
from platform_site.realtime.connection import Connection
from platform_site.realtime.ports import Person
from platform_site.realtime.protocol import EXPIRING_SECONDS, GRACE_SECONDS, HEARTBEAT_SECONDS

pytestmark = pytest.mark.no_django

ENDS = 1_900_000_000.0
Story = Callable[[Connection, list[dict[str, Any]]], Any]


def person(until: float) -> Person:
    return Person(TenantRef(uuid4(), "nowhere", "nobody", "active"), uuid4(), 1, uuid4(), until=until, epoch=1)


def tick(connection: Connection, now: float, clock: float) -> None:
    """As the hub does it, whose own clock goes by these ticks."""
    connection.hub.clock = now
    connection.tick(now, clock)


def play(story: Story) -> None:
    """With a socket of somebody whose token ends at ENDS, and what it was sent."""

    async def whole() -> None:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(orjson.loads(message["text"]) if "text" in message else message)

        hub: Any = SimpleNamespace(clock=0.0, spawn=asyncio.get_running_loop().create_task, metrics=SimpleNamespace())
        connection = Connection(hub, lambda: asyncio.sleep(60, {}), send, "10.0.0.1")
        connection.person = person(ENDS)
        connection.sent = 0.0
        connection.out.open()
        story(connection, sent)
        await asyncio.sleep(0.01)
        closed = [message for message in sent if message.get("type") == "websocket.close"]
        assert [message["code"] for message in closed] == ([4401] if connection._closing else [])

    asyncio.run(whole())


def test_the_end_of_a_token_is_said_once_and_then_it_is_over() -> None:
    def story(connection: Connection, sent: list[dict[str, Any]]) -> None:
        tick(connection, 1, ENDS - EXPIRING_SECONDS - 1)
        assert sent == []
        for left in (EXPIRING_SECONDS - 0.5, EXPIRING_SECONDS - 1.5, 0, -GRACE_SECONDS + 0.5):
            tick(connection, 2, ENDS - left)
        assert sent == [{"t": "auth.expiring", "in": EXPIRING_SECONDS - 1}]
        assert connection._closing is None
        tick(connection, 3, ENDS + GRACE_SECONDS + 0.5)
        tick(connection, 4, ENDS + GRACE_SECONDS + 1.5)
        assert connection._closing is not None

    play(story)


def test_support_that_is_signed_in_as_somebody_is_not_waited_for() -> None:
    def story(connection: Connection, sent: list[dict[str, Any]]) -> None:
        connection.screened = True
        tick(connection, 1, ENDS - 0.5)
        assert connection._closing is None
        tick(connection, 2, ENDS + 0.5)
        assert connection._closing is not None

    play(story)


def test_a_new_token_has_an_end_of_its_own() -> None:
    def story(connection: Connection, sent: list[dict[str, Any]]) -> None:
        tick(connection, 1, ENDS - 10)
        connection.person, connection._warned = person(ENDS + 600), False
        tick(connection, 2, ENDS + GRACE_SECONDS + 1)
        assert sent == [{"t": "auth.expiring", "in": 10}]
        assert connection._closing is None
        tick(connection, 3, ENDS + 600 - 5)
        assert sent[1:] == [{"t": "auth.expiring", "in": 5}]

    play(story)


def test_who_hears_nothing_else_hears_a_ping() -> None:
    def story(connection: Connection, sent: list[dict[str, Any]]) -> None:
        tick(connection, HEARTBEAT_SECONDS - 1, ENDS - 500)
        assert sent == []
        tick(connection, HEARTBEAT_SECONDS, ENDS - 500)
        tick(connection, HEARTBEAT_SECONDS + 1, ENDS - 500)
        assert sent == [{"t": "ping"}]
        # Anything that is said is as good as a ping.
        connection.hub.clock = 2.0 * HEARTBEAT_SECONDS
        connection.say({"t": "pong"})
        tick(connection, 3 * HEARTBEAT_SECONDS - 1, ENDS - 500)
        assert sent == [{"t": "ping"}, {"t": "pong"}]
        tick(connection, 3 * HEARTBEAT_SECONDS, ENDS - 500)
        assert sent == [{"t": "ping"}, {"t": "pong"}, {"t": "ping"}]

    play(story)


def test_nobody_is_asked_before_they_said_who_they_are() -> None:
    def story(connection: Connection, sent: list[dict[str, Any]]) -> None:
        connection.person = None
        tick(connection, 1000, ENDS + 1000)
        assert sent == []

    play(story)
