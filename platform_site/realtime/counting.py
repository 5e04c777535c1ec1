"""``counts`` frames: absolute numbers for whoever's counts may have changed, some times a second at most.

One statement for all of a tenant's people who are concerned, over the catalogue
of unread counters. A busy group of hundreds therefore costs one query each time,
and not one for each message and person.
"""

import asyncio
from typing import TYPE_CHECKING, Final

import psycopg
import structlog

from platform_site.async_binding import Bound, DatabaseAway, abind
from platform_site.unread import ALWAYS_SHOWN, joint_statement, unread_sources

if TYPE_CHECKING:
    from platform_site.realtime.hub import Hub
    from platform_site.realtime.rooms import Room

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 0.25
# A statement over many people may take its time; it then comes at a tenth of the time at most.
SHARE: Final = 10


class Counting:
    def __init__(self, hub: "Hub") -> None:
        self.hub = hub

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            for room in list(self.hub.rooms.values()):
                if room.dirty and not room.counting:
                    room.counting = True
                    self.hub.spawn(self._tell(room))

    async def _tell(self, room: "Room") -> None:
        try:
            concerned = [user_id for user_id in room.dirty if user_id in room.people]
            room.dirty.clear()
            began = asyncio.get_running_loop().time()
            async with abind(room.tenant) as db:
                counts = await unread_counts(db, concerned)
            for user_id in concerned:
                for connection in room.people.get(user_id, ()):
                    connection.say({"t": "counts", "d": counts[user_id]})
            await asyncio.sleep(SHARE * (asyncio.get_running_loop().time() - began))
        except DatabaseAway as error:
            log.warning("realtime.not_counted", error=type(error).__name__)
        finally:
            room.counting = False


async def unread_counts(db: Bound, user_ids: list[int]) -> dict[int, dict[str, int]]:
    """What each of these people has not read, by counter. One that cannot be counted is 0, as in REST."""
    keys = dict.fromkeys([*ALWAYS_SHOWN, *(source.key for source in unread_sources)], 0)
    counts = {user_id: dict(keys) for user_id in user_ids}
    statement = joint_statement()
    if not statement or not user_ids:
        return counts
    try:
        rows = await db.fetch(f"SELECT * FROM ({statement}) AS joint (key, user_id, count)", {"users": user_ids})  # noqa: S608 - constants of apps
    except psycopg.errors.QueryCanceled as error:
        log.warning("realtime.not_counted", error=type(error).__name__)
        return counts
    for row in rows:
        counts[row["user_id"]][row["key"]] = row["count"]
    return counts
