"""The one connection on which Valkey speaks: quiet is no reason to break it, and a dead one is noticed."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from platform_site import valkey
from platform_site.realtime import subscription
from platform_site.realtime.subscription import Subscription
from tests.servers import private_valkey

Story = Callable[[Subscription, "Heard"], Awaitable[None]]


class Heard:
    def __init__(self) -> None:
        self.envelopes: list[tuple[bytes, bytes]] = []
        self.breaks = 0

    async def hear(self, name: bytes, envelope: bytes) -> None:
        self.envelopes.append((name, envelope))

    async def again(self) -> None:
        self.breaks += 1


def play(story: Story) -> None:
    async def whole() -> None:
        heard = Heard()
        subscribed = Subscription(heard.hear, heard.again)
        running = asyncio.create_task(subscribed.run())
        try:
            async with asyncio.timeout(20):
                await story(subscribed, heard)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await subscribed.close()

    asyncio.run(whole())


async def until(true: Callable[[], Any]) -> None:
    while not true():
        await asyncio.sleep(0.01)


def test_a_quiet_connection_is_asked_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "_PING_SECONDS", 0.1)

    async def story(subscribed: Subscription, heard: Heard) -> None:
        await subscribed.add("a")
        # Many pings, each of which would have ended it.
        await asyncio.sleep(1)
        await asyncio.to_thread(valkey.client().publish, "a", b"word")
        await until(lambda: heard.envelopes)
        assert heard.envelopes == [(b"a", b"word")]
        assert heard.breaks == 0

    play(story)


def test_a_connection_that_does_not_answer_is_given_up(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "_PING_SECONDS", 0.2)
    with private_valkey(tmp_path) as own:
        settings.REDIS_URL = own.url
        valkey.close()

        async def story(subscribed: Subscription, heard: Heard) -> None:
            await subscribed.add("a")
            assert own.pid is not None
            # It neither answers nor closes anything.
            os.kill(own.pid, signal.SIGSTOP)
            try:
                await until(lambda: subscribed._pubsub is None)
            finally:
                os.kill(own.pid, signal.SIGCONT)
            await until(lambda: heard.breaks)
            await asyncio.to_thread(valkey.client().publish, "a", b"word")
            await until(lambda: heard.envelopes)

        play(story)


def test_what_is_added_while_valkey_is_away_is_heard_afterwards(tmp_path: Path, settings: Any) -> None:
    with private_valkey(tmp_path) as own:
        settings.REDIS_URL = own.url
        valkey.close()

        async def story(subscribed: Subscription, heard: Heard) -> None:
            await subscribed.add("a")
            own.kill()
            await until(lambda: subscribed._pubsub is None)
            await subscribed.add("b")
            await subscribed.remove("a")
            await asyncio.to_thread(own.start)
            await until(lambda: heard.breaks)
            for name in "ab":
                await asyncio.to_thread(valkey.client().publish, name, b"word")
            await until(lambda: heard.envelopes)
            assert heard.envelopes == [(b"b", b"word")]

        play(story)
