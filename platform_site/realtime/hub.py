"""The fan-out of one process: one subscription per tenant, one prepared frame per message.

Valkey's word comes in here, is put in order, and is offered to the sockets of
those whom it is for. Nothing in this path waits for a socket or asks the
database. What Valkey lost is found by the sweeper (``sweeping.py``) and comes in
by the same lines, so that no socket can tell the difference.
"""

import asyncio
import time
from collections.abc import Collection, Coroutine, Sequence
from contextvars import Context
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from redis.asyncio import Redis

from platform_site.async_binding import DatabaseAway, close_pool
from platform_site.realtime.arrivals import Arrivals
from platform_site.realtime.census import Census
from platform_site.realtime.connection import Connection
from platform_site.realtime.counting import Counting
from platform_site.realtime.envelopes import Header, unpack
from platform_site.realtime.metrics import Metrics
from platform_site.realtime.outbound import Message
from platform_site.realtime.ports import Person, the_door
from platform_site.realtime.protocol import Close, Closing
from platform_site.realtime.publishing import topic
from platform_site.realtime.rooms import Room
from platform_site.realtime.subscription import Subscription
from platform_site.realtime.sweeping import Sweeping, prepared

log = structlog.get_logger(__name__)

# The reader lets others have the loop after so much work.
SLICE_SECONDS: Final = 0.002


class Hub:
    """Everything of this process that sockets share. It begins with the event loop and ends with it."""

    def __init__(self) -> None:
        self.rooms: dict[UUID, Room] = {}
        self.metrics = Metrics()
        self.clock = time.monotonic()
        self._topics: dict[bytes, Room] = {}
        self._subscription = Subscription(self._hear, self._heard_again)
        self._arrivals = Arrivals(self)
        self._counting = Counting(self)
        self._census = Census(self)
        self.sweeping = Sweeping(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        if not self._running:
            self._running = [
                self.spawn(self._subscription.run()),
                self.spawn(self._tick()),
                self.spawn(self._arrivals.run()),
                self.spawn(self._counting.run()),
                self.spawn(self._census.run()),
            ]

    async def stop(self) -> None:
        """Tell everybody to come back, and let go of what is ours."""
        await self.drain()
        for task in [*self._running, *self._tasks]:
            task.cancel()
        await asyncio.gather(*self._running, *self._tasks, return_exceptions=True)
        self._running = []
        await self._arrivals.clear()
        await self._census.clear()
        await self._subscription.close()
        await close_pool()

    async def drain(self) -> None:
        """Close every socket with the word that another process takes over."""
        leaving = [connection for room in self.rooms.values() for connection in room.connections]
        for connection in leaving:
            connection.close(Close.SHUTDOWN, "the server stops")
        give_up = time.monotonic() + 3
        while self.rooms and time.monotonic() < give_up:
            await asyncio.sleep(0.05)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that inherits no tenant, and whose failure is said."""
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.metrics.errors += 1
            log.error("realtime.task_failed", exc_info=error)

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)

    # -- coming and going ----------------------------------------------------------------------

    async def enter(self, connection: Connection, person: Person) -> Room:
        """From when this returns, nothing that is published passes the socket by."""
        room = self.rooms.get(person.tenant.id)
        if room is None:
            room = self.rooms[person.tenant.id] = Room(person.tenant)
            self._topics[topic(person.tenant.id).encode()] = room
        own = room.people.setdefault(person.user_id, [])
        own.append(connection)
        # Noted at once, so that whoever fails from here on is taken off again.
        connection.room = room
        self.metrics.sockets += 1
        connection.screened = bool(person.impersonator)
        # Support that is signed in as somebody does not make them be there.
        if not connection.screened and room.arrive(person.user_id):
            self._arrivals.came(room, person.user_id)
        await self._subscription.add(topic(person.tenant.id))
        return room

    def leave(self, connection: Connection) -> None:
        room, person = connection.room, connection.person
        if room is None or person is None:
            return
        connection.room = None
        self.metrics.sockets -= 1
        self._unwatch(room, connection)
        own = room.people[person.user_id]
        own.remove(connection)
        if not own:
            del room.people[person.user_id]
        if not connection.screened and room.depart(person.user_id):
            self._arrivals.went(room, person.user_id)
        if not room.people and self.rooms.get(room.tenant.id) is room:
            del self.rooms[room.tenant.id]
            name = topic(room.tenant.id)
            del self._topics[name.encode()]
            self.spawn(self._unsubscribe(name))

    async def _unsubscribe(self, name: str) -> None:
        # Somebody may have come back before this has begun.
        if name.encode() not in self._topics:
            await self._subscription.remove(name)

    async def watch(self, connection: Connection, wanted: frozenset[int]) -> set[int]:
        """Let this socket hear of these people's coming and going; gives those who are there."""
        room = self.room_of(connection)
        self._unwatch(room, connection)
        connection.watching = wanted
        for user_id in wanted:
            room.watchers.setdefault(user_id, set()).add(connection)
        return await self._arrivals.online(room, wanted)

    def _unwatch(self, room: Room, connection: Connection) -> None:
        for user_id in connection.watching:
            watchers = room.watchers.get(user_id)
            if watchers is not None:
                watchers.discard(connection)
                if not watchers:
                    del room.watchers[user_id]
        connection.watching = frozenset()

    @staticmethod
    def room_of(connection: Connection) -> Room:
        if connection.room is None:
            raise Closing(Close.STATE_LOST)
        return connection.room

    @property
    def valkey(self) -> Redis:
        return self._subscription.client()

    async def publish(self, tenant_id: UUID, envelope: bytes) -> None:
        """To the sockets of all processes. For what is fleeting: nobody hears whether it arrived."""
        await self._subscription.publish(topic(tenant_id), envelope)

    # -- what Valkey says ----------------------------------------------------------------------

    async def _hear(self, name: bytes, envelope: bytes) -> None:
        room = self._topics.get(name)
        if room is None:
            return
        self.metrics.envelopes += 1
        try:
            header, frame = unpack(envelope)
            text = frame.decode()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.metrics.errors += 1
            log.error("realtime.unreadable_envelope", error=type(error).__name__)
            return
        self.metrics.lag(time.time() - header.at)
        self._place(room, header, {"type": "websocket.send", "text": text}, len(frame))
        if time.monotonic() - self.clock > SLICE_SECONDS:
            # Sockets that come, and those that answer, have a turn as well.
            await asyncio.sleep(0)
            self.clock = time.monotonic()

    def _place(self, room: Room, header: Header, message: Message, size: int) -> None:
        kind, channel = header.kind, header.channel
        if kind == "message" or kind == "change":
            line = room.line(channel or "", kind)
            for to, each, length in line.offer(header.number, (header.to, message, size)):
                self.send(room, to, each, length, messages=True)
            if line.held and not line.waiting:
                self.sweeping.wait(room, channel or "", kind, line)
        elif kind == "look":
            self.spawn(self._look(room, {UUID(one) for one in header.sessions}))
        elif kind == "count":
            room.dirty.update(room.people if header.to is None else header.to)
        elif kind == "presence":
            for watcher in room.watchers.get(header.to[0] if header.to else 0, ()):
                watcher.offer(message, size, fleeting=True)
        else:
            if channel is not None:
                room.forget_members(channel)
                if header.number or header.change:
                    self.sweeping.learn(room, channel, header.number, header.change)
            # What is about a channel shows what was said last in it.
            self.send(room, header.to, message, size, fleeting=kind == "fleeting", messages=channel is not None)

    def send(
        self,
        room: Room,
        to: Sequence[int] | None,
        message: Message,
        size: int,
        *,
        messages: bool,
        fleeting: bool = False,
    ) -> None:
        """To the sockets of these people, or of all. ``messages``: it shows what people write to each other."""
        people = room.people
        deliveries = 0
        for user_id in people if to is None else to:
            own = people.get(user_id)
            if own is not None:
                for connection in own:
                    if messages and connection.screened and not connection.somebody.hears_messages:
                        continue
                    connection.offer(message, size, fleeting=fleeting)
                deliveries += len(own)
        self.metrics.deliveries += deliveries
        if not fleeting and deliveries:
            room.dirty.update(people if to is None else to)

    # -- what is looked at by the clock --------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.clock = now = time.monotonic()
            clock = time.time()
            for room in list(self.rooms.values()):
                for connection in list(room.connections):
                    connection.tick(now, clock)
                if now - room.swept >= self.sweeping.every():
                    room.swept = now
                    self.spawn(self.sweeping.sweep(room))
                if now - room.looked >= settings.REALTIME_LOOK_SECONDS:
                    room.looked = now
                    self.spawn(self._look(room, set()))

    async def _heard_again(self) -> None:
        """Valkey is back after it was away: whatever was published meanwhile has to be found, and now."""
        log.info("realtime.valkey_back", rooms=len(self.rooms))
        refresh, size = prepared({"t": "refresh"})
        for room in list(self.rooms.values()):
            room.swept = time.monotonic()
            self.spawn(self.sweeping.sweep(room))
            self.spawn(self._look(room, set()))
            self.send(room, None, refresh, size, messages=False)

    async def _look(self, room: Room, sessions: Collection[UUID]) -> None:
        """Do these sessions still live? All of the room when none is named."""
        concerned = [
            one
            for one in room.connections
            if one.person is not None and (not sessions or one.person.session_id in sessions)
        ]
        asked = {one.person.session_id for one in concerned if one.person is not None}
        if not asked:
            return
        try:
            alive = await the_door().alive(room.tenant, asked)
        except Closing as closing:
            for one in concerned:
                one.close(closing.code, closing.reason)
            return
        except DatabaseAway as error:
            log.warning("realtime.not_looked", error=type(error).__name__)
            return
        for one in concerned:
            if one.person is not None and one.person.session_id not in alive:
                self.metrics.kicked += 1
                one.close(Close.REVOKED, "signed out")
            elif sessions and one.screened:
                # What support may see may be what changed: it comes back and is looked at anew.
                one.close(Close.STATE_LOST, "what support may see has changed")
