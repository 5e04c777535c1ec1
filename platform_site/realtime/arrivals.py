"""Who of this process's sockets is there, kept in Valkey for everybody to see; and the word of coming and going.

An entry is good for 45 seconds and renewed every 20, so that whoever was on a
process that died is gone after less than a minute. Somebody who comes back
within two seconds, as after a reload, was never away.
"""

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import structlog

from platform_site.realtime.envelopes import Header, pack
from platform_site.realtime.presence import presence_key
from platform_site.realtime.subscription import ValkeyAway

if TYPE_CHECKING:
    from platform_site.realtime.hub import Hub
    from platform_site.realtime.rooms import Room

log = structlog.get_logger(__name__)

GOOD_SECONDS: Final = 45
RENEW_SECONDS: Final = 20
AWAY_SECONDS: Final = 2.0


class Arrivals:
    def __init__(self, hub: "Hub") -> None:
        self.hub = hub
        self._process = uuid4().hex[:12]
        # Whom others were told of, by tenant.
        self._told: dict[UUID, set[int]] = {}
        # Who of those that somebody here watches was there at the last look, by tenant.
        self._seen: dict[UUID, set[int]] = {}

    def came(self, room: "Room", user_id: int) -> None:
        self.hub.spawn(self._came(room, user_id))

    def went(self, room: "Room", user_id: int) -> None:
        self.hub.spawn(self._went(room, user_id))

    async def online(self, room: "Room", user_ids: frozenset[int]) -> set[int]:
        """Those of these people who have a socket in any process."""
        here = {user_id for user_id in user_ids if user_id in room.present}
        try:
            return here | (user_ids & await self._everywhere(room.tenant.id))
        except ValkeyAway as error:
            log.info("realtime.presence_unknown", error=type(error).__name__)
            return here

    async def run(self) -> None:
        """Keep the entries good, and see whose entries of other processes are not any more."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            self._seen = {tenant_id: seen for tenant_id, seen in self._seen.items() if tenant_id in self.hub.rooms}
            for room in list(self.hub.rooms.values()):
                try:
                    await self._renew(room.tenant.id, list(room.present))
                    await self._miss(room)
                except ValkeyAway as error:
                    log.info("realtime.presence_not_renewed", error=type(error).__name__)
                    break

    async def clear(self) -> None:
        """Take our entries off when the process ends in order."""
        try:
            for tenant_id, told in self._told.items():
                if told:
                    await self.hub.valkey.zrem(presence_key(tenant_id), *map(self._entry, told))
        except ValkeyAway as error:
            log.info("realtime.presence_not_cleared", error=type(error).__name__)

    async def _came(self, room: "Room", user_id: int) -> None:
        told = self._told.setdefault(room.tenant.id, set())
        if user_id in told:
            return
        told.add(user_id)
        try:
            was_there = user_id in await self._everywhere(room.tenant.id)
            await self._renew(room.tenant.id, [user_id])
        except ValkeyAway as error:
            log.info("realtime.presence_not_renewed", error=type(error).__name__)
            return
        if not was_there:
            await self._tell(room, user_id, online=True)

    async def _went(self, room: "Room", user_id: int) -> None:
        await asyncio.sleep(AWAY_SECONDS)
        present = self.hub.rooms.get(room.tenant.id)
        told = self._told.get(room.tenant.id, set())
        if user_id not in told or (present is not None and user_id in present.present):
            return
        told.discard(user_id)
        if not told:
            self._told.pop(room.tenant.id, None)
        try:
            await self.hub.valkey.zrem(presence_key(room.tenant.id), self._entry(user_id))
            if user_id in await self._everywhere(room.tenant.id):
                return
        except ValkeyAway as error:
            log.info("realtime.presence_not_renewed", error=type(error).__name__)
            return
        await self._tell(room, user_id, online=False)

    async def _miss(self, room: "Room") -> None:
        """Tell who watches of people whose process died: nobody else is left to say that they went."""
        before = self._seen.pop(room.tenant.id, set())
        if not room.watchers:
            return
        there = room.watchers.keys() & (await self._everywhere(room.tenant.id) | room.present.keys())
        self._seen[room.tenant.id] = there
        for user_id in before - there:
            for watcher in room.watchers.get(user_id, ()):
                watcher.say(_word(user_id, online=False))

    async def _tell(self, room: "Room", user_id: int, *, online: bool) -> None:
        header = Header(kind="presence", to=(user_id,), at=time.time())
        await self.hub.publish(room.tenant.id, pack(header, _word(user_id, online=online)))

    async def _renew(self, tenant_id: UUID, user_ids: list[int]) -> None:
        if not user_ids:
            return
        key, now = presence_key(tenant_id), time.time()
        pipeline = self.hub.valkey.pipeline(transaction=False)
        pipeline.zadd(key, {self._entry(user_id): now + GOOD_SECONDS for user_id in user_ids})
        pipeline.zremrangebyscore(key, 0, now)
        pipeline.expire(key, 2 * GOOD_SECONDS)
        await pipeline.execute()

    async def _everywhere(self, tenant_id: UUID) -> set[int]:
        good: Any = await self.hub.valkey.zrangebyscore(presence_key(tenant_id), time.time(), "+inf")
        return {int(entry.partition(b":")[0]) for entry in good}

    def _entry(self, user_id: int) -> str:
        return f"{user_id}:{self._process}"


def _word(user_id: int, *, online: bool) -> dict[str, Any]:
    return {"t": "presence", "userId": user_id, "online": online}
