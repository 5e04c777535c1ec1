"""How many sockets are open, in all processes: each says its own number in Valkey and keeps it fresh."""

import asyncio
import time
from typing import TYPE_CHECKING, Final, cast
from uuid import uuid4

import structlog

from platform_site import valkey
from platform_site.realtime.subscription import ValkeyAway

if TYPE_CHECKING:
    from platform_site.realtime.hub import Hub

log = structlog.get_logger(__name__)

SAY_SECONDS: Final = 10
# A process that died is not counted any more after so long.
GOOD_SECONDS: Final = 30


def census_key() -> str:
    """A hash: fields are processes, values ``<sockets>:<time until which it is good>``."""
    return valkey.key("sockets")


def sockets_open(now: float | None = None) -> int | None:
    """The sockets of all processes, at most half a minute old. None: nobody can say, because Valkey is away."""
    now = time.time() if now is None else now
    try:
        said = cast(dict[bytes, bytes], valkey.client().hgetall(census_key()))
    except valkey.ValkeyAway as error:
        log.info("realtime.census_unknown", error=type(error).__name__)
        return None
    return sum(number for number, until in map(_read, said.values()) if until > now)


def _read(value: bytes) -> tuple[int, float]:
    number, _, until = value.partition(b":")
    return int(number), float(until)


class Census:
    """The part of it that a process with sockets does."""

    def __init__(self, hub: "Hub") -> None:
        self.hub = hub
        self._process = uuid4().hex[:12]

    async def run(self) -> None:
        while True:
            await self.say()
            await asyncio.sleep(SAY_SECONDS)

    async def say(self) -> None:
        """Write our number, and take off what processes left behind that are no more."""
        now = time.time()
        try:
            pipeline = self.hub.valkey.pipeline(transaction=False)
            pipeline.hset(census_key(), self._process, f"{self.hub.metrics.sockets}:{now + GOOD_SECONDS}")
            pipeline.expire(census_key(), 2 * GOOD_SECONDS)
            pipeline.hgetall(census_key())
            *_, said = await pipeline.execute()
            gone = [process for process, value in said.items() if _read(value)[1] <= now]
            if gone:
                await self.hub.valkey.hdel(census_key(), *gone)
        except ValkeyAway as error:
            log.info("realtime.census_not_said", error=type(error).__name__)

    async def clear(self) -> None:
        """Take our number off when the process ends in order."""
        try:
            await self.hub.valkey.hdel(census_key(), self._process)
        except ValkeyAway as error:
            log.info("realtime.census_not_cleared", error=type(error).__name__)
