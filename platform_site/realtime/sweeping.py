"""What Valkey lost: numbers that did not come are got from the database, and now and then it is asked for all.

What is found comes in by the lines of the hub, so that no socket can tell the difference.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog

from platform_site.async_binding import DatabaseAway, abind
from platform_site.realtime.envelopes import Kind
from platform_site.realtime.lines import Line
from platform_site.realtime.outbound import Message
from platform_site.realtime.ports import the_store
from platform_site.realtime.rooms import Room, Waiting

if TYPE_CHECKING:
    from platform_site.realtime.hub import Hub

log = structlog.get_logger(__name__)

# How long the next number may be late before the database is asked for it.
HOLD_SECONDS: Final = 0.1
# More than this many missing at once are not pushed: clients are told to get them.
HEAL_AT_MOST: Final = 200
# A database that was away is asked again after so long.
AWAY_SECONDS: Final = 1.0
SWEEP_SECONDS: Final = 3.0


class Sweeping:
    """Part of a hub, as arrivals and counts are."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub

    def learn(self, room: Room, channel: str, seq: int, change: int) -> None:
        """Somebody was told, or the database says, that a channel has come this far."""
        kinds: tuple[tuple[Kind, int], ...] = (("message", seq), ("change", change))
        for kind, number in kinds:
            line = room.line(channel, kind)
            line.learn(number)
            if line.behind and not line.waiting:
                self.wait(room, channel, kind, line)

    def wait(self, room: Room, channel: str, kind: Kind, line: Line[Waiting]) -> None:
        line.waiting = True
        self._hub.spawn(self._heal(room, channel, kind, line))

    async def _heal(self, room: Room, channel: str, kind: Kind, line: Line[Waiting]) -> None:
        """Give the missing numbers a moment to come by themselves, then get them."""
        try:
            await asyncio.sleep(HOLD_SECONDS)
            while line.behind and self._hub.rooms.get(room.tenant.id) is room:
                after, upto = line.hole()
                if upto > after and not await self._fill(room, channel, kind, line, after, upto):
                    await asyncio.sleep(AWAY_SECONDS)
                    continue
                self._hand_on(room, line.skip(after, upto))
        finally:
            line.waiting = False

    async def _fill(self, room: Room, channel: str, kind: Kind, line: Line[Waiting], after: int, upto: int) -> bool:
        """False when the database is away. What waits behind the hole waits with it: nothing is sent meanwhile."""
        store = the_store()
        try:
            async with abind(room.tenant) as db:
                if upto - after > HEAL_AT_MOST:
                    members = await store.members(db, channel)
                    found = []
                else:
                    members = []
                    found = await store.stored(db, channel, kind, after, upto)
        except DatabaseAway as error:
            log.warning("realtime.not_healed", error=type(error).__name__)
            return False
        self._hub.metrics.healed += len(found)
        for one in found:
            message, size = prepared(one.frame)
            self._hand_on(room, line.offer(one.number, (one.to, message, size)))
        if members:
            # So many changes can be of any message. A gap of messages says nothing about changes.
            first, last = (after + 1, upto) if kind == "message" else (1, room.line(channel, "message").known or 1)
            said = {} if kind == "message" else {"ch": upto}
            self._hub.metrics.gaps += 1
            gap, size = prepared({"t": "gap", "c": channel, "from": first, "to": last, **said})
            self._hub.send(room, members, gap, size, messages=True)
        return True

    def _hand_on(self, room: Room, released: Iterable[Waiting]) -> None:
        for to, message, size in released:
            self._hub.send(room, to, message, size, messages=True)

    def every(self) -> float:
        """Three seconds, and longer when so many tenants are here that the database would notice."""
        return max(SWEEP_SECONDS, len(self._hub.rooms) / 200)

    async def sweep(self, room: Room) -> None:
        """Compare what the database has with what the sockets were told; the difference is handed on."""
        store = the_store()
        try:
            async with abind(room.tenant) as db:
                until, active = await store.active(db, room.swept_until)
                unheard = [channel for channel, seq, _ in active if seq and not room.heard_of(channel)]
                new = await store.concerned(db, unheard, room.people) if unheard else set()
        except DatabaseAway as error:
            log.warning("realtime.not_swept", error=type(error).__name__)
            return
        room.swept_until = until
        for channel, seq, change in active:
            if channel in new:
                # Somebody here is in it, and the word that it is there was lost. Its last message brings it.
                self.learn(room, channel, seq - 1, change)
            self.learn(room, channel, seq, change)


def prepared(frame: Any) -> tuple[Message, int]:
    """A frame of our own as it is sent, and its size."""
    body = orjson.dumps(frame)
    return {"type": "websocket.send", "text": body.decode()}, len(body)
