"""The one connection of a process on which Valkey tells what was published, and the one on which it answers.

redis-py's subscriber mends a broken connection by itself and says nothing, so
that what was published meanwhile is lost in silence. Here a broken connection is
an event: everything is subscribed anew, and the hub is told to look for what it
missed.
"""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import redis.asyncio
import structlog
from django.conf import settings
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

_ANSWER_SECONDS: Final = 1.0
# A connection that is silent and does not answer for so long is dead, whatever the kernel thinks.
_PING_SECONDS: Final = 10.0
# All that these say is: not now.
ValkeyAway = (RedisError, OSError, TimeoutError)


class Subscription:
    """``hear`` gets each envelope with the name under which it was published; ``heard_again`` is told after a break."""

    def __init__(
        self, hear: Callable[[bytes, bytes], Awaitable[None]], heard_again: Callable[[], Awaitable[None]]
    ) -> None:
        self._hear = hear
        self._heard_again = heard_again
        self._client: redis.asyncio.Redis | None = None
        self._pubsub: PubSub | None = None
        self._names: dict[str, asyncio.Event] = {}
        self._alive = asyncio.Event()
        self._away = False

    async def run(self) -> None:
        """Until it is cancelled."""
        before = False
        pause = 0.05
        while True:
            try:
                pubsub = self.client().pubsub()
                names = set(self._names)
                async with asyncio.timeout(_ANSWER_SECONDS):
                    # At least one name, so that there is a connection to speak of.
                    await pubsub.subscribe(settings.REDIS_PREFIX + ":rt", *names)
                self._pubsub, self._away, pause = pubsub, False, 0.05
                for name in self._names.keys() - names:
                    await pubsub.subscribe(name)
                if before:
                    await self._heard_again()
                before = True
                await self._read(pubsub)
            except ValkeyAway as error:
                self._away = True
                log.warning("realtime.valkey_away", error=type(error).__name__)
            finally:
                self._pubsub = None
                for event in self._names.values():
                    event.clear()
            await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads processes, protects nothing
            pause = min(2 * pause, 1.0)

    async def _read(self, pubsub: PubSub) -> None:
        watch = asyncio.get_running_loop().create_task(self._watch(pubsub))
        # The connection itself is read: its owner would mend it in silence, and wait for that as long as it takes.
        connection: Any = pubsub.connection
        try:
            while True:
                # The raw answer: (kind, name, body). What redis-py makes of it would cost as much as reading it.
                answer: Any = await connection.read_response(
                    timeout=math.inf, disconnect_on_error=False, push_request=True
                )
                # A ping is answered by a word of its own in RESP3.
                kind = answer[0] if isinstance(answer, list) else answer
                if kind == b"message":
                    await self._hear(answer[1], answer[2])
                elif kind == b"subscribe":
                    event = self._names.get(answer[1].decode())
                    if event is not None:
                        event.set()
                elif kind in (b"pong", b"PONG"):
                    self._alive.set()
        finally:
            watch.cancel()

    async def _watch(self, pubsub: PubSub) -> None:
        while True:
            await asyncio.sleep(_PING_SECONDS)
            self._alive.clear()
            try:
                async with asyncio.timeout(_PING_SECONDS):
                    await pubsub.ping()
                    await self._alive.wait()
            except ValkeyAway:
                # The reader wakes up with an error, and begins anew.
                connection: Any = pubsub.connection
                if connection is not None:
                    await connection.disconnect(nowait=True)
                return

    async def add(self, name: str) -> None:
        """Subscribe, and wait until Valkey says that it is so; a Valkey that is away is not waited for."""
        event = self._names.get(name)
        if event is None:
            event = self._names[name] = asyncio.Event()
            pubsub = self._pubsub
            if pubsub is not None:
                try:
                    await pubsub.subscribe(name)
                except ValkeyAway as error:
                    log.info("realtime.not_subscribed", error=type(error).__name__)
                    return
        if self._away:
            return
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await event.wait()
        except TimeoutError:
            log.info("realtime.not_subscribed", error="TimeoutError")

    async def remove(self, name: str) -> None:
        if self._names.pop(name, None) is not None and self._pubsub is not None:
            try:
                await self._pubsub.unsubscribe(name)
            except ValkeyAway as error:
                log.info("realtime.not_unsubscribed", error=type(error).__name__)

    async def publish(self, name: str, envelope: bytes) -> None:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self.client().publish(name, envelope)
        except ValkeyAway as error:
            log.info("realtime.not_published", envelopes=1, error=type(error).__name__)

    def client(self) -> redis.asyncio.Redis:
        """For short questions. redis-py 8 gives idle connections a read timeout, and a subscriber is idle by nature."""
        if self._client is None:
            self._client = redis.asyncio.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=None,
                socket_connect_timeout=0.5,
                max_connections=16,
                retry=Retry(NoBackoff(), 0),
            )
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None
