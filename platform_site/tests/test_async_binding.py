"""The pool of the asynchronous binding, when the database goes away and comes back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from psycopg import sql

from platform_site import async_binding
from platform_site.async_binding import DatabaseAway, abind, close_pool
from tests.support import database_server

pytestmark = pytest.mark.commits
CONNECTIONS = 4


def shut(name: str) -> None:
    with database_server() as server:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def reopen(name: str) -> None:
    with database_server() as server:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))


async def backend(seconds: float = 0) -> int:
    """The process of the server that was asked, for so long."""
    async with abind(None) as db:
        rows = await db.fetch("SELECT pg_backend_pid() AS pid, pg_sleep(%(seconds)s)", {"seconds": seconds})
    return int(rows[0]["pid"])


async def all_connections() -> set[int]:
    """Let the pool have as many as it may."""
    return set(await asyncio.gather(*(asyncio.create_task(backend(0.3)) for _ in range(CONNECTIONS))))


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            async with asyncio.timeout(60):
                await story()
        finally:
            await close_pool()

    asyncio.run(whole())


@pytest.fixture(autouse=True)
def _few_connections(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REALTIME_DATABASE_CONNECTIONS = CONNECTIONS
    # Nothing is believed, as after a pause.
    monkeypatch.setattr(async_binding, "_BELIEVED_SECONDS", 0)


def test_a_database_that_was_restarted_is_there_at_once(committed: str) -> None:
    async def story() -> None:
        before = await all_connections()
        assert len(before) == CONNECTIONS
        await asyncio.to_thread(shut, committed)
        await asyncio.to_thread(reopen, committed)
        began = time.monotonic()
        assert await backend() not in before
        assert not await all_connections() & before
        assert time.monotonic() - began < 2

    play(story)


def test_after_an_outage_it_is_asked_again_soon(committed: str) -> None:
    async def asked() -> None:
        with pytest.raises(DatabaseAway):
            await backend()

    async def story() -> None:
        await all_connections()
        await asyncio.to_thread(shut, committed)
        asking = []
        for _ in range(12):
            asking.append(asyncio.create_task(asked()))
            await asyncio.sleep(0.3)
        await asyncio.to_thread(reopen, committed)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        began = time.monotonic()
        await backend()
        assert time.monotonic() - began < 2

    play(story)
