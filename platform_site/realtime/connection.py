"""One socket, from its handshake to its end: who it is, what it may send, when it has to go."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import orjson
import structlog

from platform_site.async_binding import Bound, DatabaseAway, abind
from platform_site.errors import NOT_WHILE_IMPERSONATING
from platform_site.moments import wire_time
from platform_site.realtime.counting import unread_counts
from platform_site.realtime.outbound import Message, Outbound, Send
from platform_site.realtime.ports import Person, client_frames, sources, the_door
from platform_site.realtime.protocol import (
    EXPIRING_SECONDS,
    FRAME_BYTES,
    FRAMES_PER_SECOND,
    GRACE_SECONDS,
    HEARTBEAT_SECONDS,
    SIGN_IN_BYTES,
    SIGN_IN_SECONDS,
    SOCKETS_PER_PERSON,
    STRANGERS_PER_ADDRESS,
    SUBPROTOCOL,
    WATCHED_PEOPLE,
    WRONG_FRAMES,
    Close,
    Closing,
    Refused,
    SignIn,
    away,
    named,
    read_frame,
    read_sign_in,
)

if TYPE_CHECKING:
    from platform_site.realtime.hub import Hub
    from platform_site.realtime.rooms import Room

log = structlog.get_logger(__name__)

Receive = Callable[[], Awaitable[Message]]
Result = TypeVar("Result")

# How many sockets of each address have not said yet who they are.
strangers: dict[str, int] = defaultdict(int)


class Gone(Exception):
    """The client is no longer there."""


class Connection:
    """A socket in this process. ``person`` is None until it signed in."""

    __slots__ = (
        "__weakref__",
        "_allowance",
        "_allowance_at",
        "_closing",
        "_receive",
        "_task",
        "_warned",
        "_wrong",
        "address",
        "hub",
        "id",
        "out",
        "person",
        "room",
        "screened",
        "sent",
        "watching",
    )

    def __init__(self, hub: "Hub", receive: Receive, send: Send, address: str) -> None:
        self.hub = hub
        self.id = uuid4().hex
        self.address = address
        self.person: Person | None = None
        self.room: Room | None = None
        # Whether this is support that is signed in as the person; the hub says so when it comes in.
        self.screened = False
        self.watching: frozenset[int] = frozenset()
        self.out = Outbound(send)
        self.sent = time.monotonic()
        self._receive = receive
        self._task: asyncio.Task[None] | None = None
        self._closing: Closing | None = None
        self._warned = False
        self._wrong = 0
        self._allowance = float(FRAMES_PER_SECOND)
        self._allowance_at = time.monotonic()

    # -- its life ------------------------------------------------------------------------------

    async def serve(self, offered: list[str]) -> None:
        """From the handshake to the end. Never raises for anything that a client does."""
        self._task = asyncio.current_task()
        await self._receive()
        await self.out.put({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if SUBPROTOCOL in offered else None})
        try:
            await self._sign_in(offered)
            await self._listen()
        except Gone:
            return
        except asyncio.CancelledError:
            # By ``_end``, for a client that takes not even the word that it is too slow. Else the server stops.
            if self._closing is None:
                raise
        except Closing as closing:
            await self._end(closing)
        except DatabaseAway as error:
            log.warning("realtime.database_away", error=type(error).__name__)
            await self._end(Closing(Close.STATE_LOST, "the database is away"))
        finally:
            self.out.drop()
            self.hub.leave(self)

    async def _sign_in(self, offered: list[str]) -> None:
        strangers[self.address] += 1
        try:
            if strangers[self.address] > STRANGERS_PER_ADDRESS:
                raise Closing(Close.TOO_MANY_SOCKETS, "too many sockets of this address wait for a sign-in")
            try:
                async with asyncio.timeout(SIGN_IN_SECONDS):
                    frame = _offered_credential(offered) or read_sign_in(await self._read(SIGN_IN_BYTES))
            except TimeoutError:
                raise Closing(Close.NO_SIGN_IN, "no sign-in within five seconds") from None
        finally:
            strangers[self.address] -= 1
            if not strangers[self.address]:
                del strangers[self.address]
        # From here on it is the server that takes its time, and nobody is told off for that.
        await self._welcome(await _person(frame), frame)

    async def _welcome(self, person: Person, frame: SignIn) -> None:
        """First hear what happens from now on, then say how things are: the other way round something is missed."""
        self.person = person
        self.room = await self.hub.enter(self, person)
        if len(self.room.people[person.user_id]) > SOCKETS_PER_PERSON:
            raise Closing(Close.TOO_MANY_SOCKETS, "too many sockets of this person")
        ready: dict[str, Any] = {
            "t": "ready",
            "sid": self.id,
            "user": {"id": str(person.user_uuid), "userId": person.user_id},
            "serverTime": wire_time(self.hub.now()),
            "heartbeat": HEARTBEAT_SECONDS,
            "exp": int(person.until),
            "epoch": person.epoch,
        }
        frames: list[Mapping[str, Any]] = []
        async with abind(person.tenant) as db:
            for source in sources:
                greeting = await source.greet(db, person, frame)
                ready.update(greeting.ready)
                frames.extend(greeting.frames)
                for channel, (seq, change) in greeting.positions.items():
                    self.hub.sweeping.learn(self.room, channel, seq, change)
            ready["counts"] = (await unread_counts(db, [person.user_id]))[person.user_id]
        await self.out.put(_text(ready))
        for each in frames:
            await self.out.put(_text(each))
        self.sent = time.monotonic()
        self.out.open()

    async def _listen(self) -> None:
        while True:
            text = await self._read(FRAME_BYTES)
            self._spend()
            try:
                kind, frame = read_frame(text)
                await self._handle(kind, frame)
            except Refused as refused:
                self._wrong += not refused.ours
                if self._wrong >= WRONG_FRAMES:
                    raise Closing(Close.BAD_FRAMES, "too many wrong frames") from None
                self.say(_refusal(refused, text))

    async def _handle(self, kind: str, frame: dict[str, Any]) -> None:
        if kind == "ping":
            self.say({"t": "pong", **named(frame)})
        elif kind == "auth":
            await _answered(self._renew(frame))
            self.say({"t": "ok", **named(frame), "d": {"exp": int(self.somebody.until)}})
        elif kind == "presence":
            self.say({"t": "ok", **named(frame), "d": {"online": sorted(await self._watch(frame))}})
        elif kind in client_frames and self.screened:
            # They say something in the person's name. A client that sends them by itself makes no mistake.
            raise Refused(NOT_WHILE_IMPERSONATING.key, NOT_WHILE_IMPERSONATING.message, ours=True)
        elif kind in client_frames:
            done = await _answered(client_frames.get(kind).handle(self, frame))
            if done is not None:
                self.say({"t": "ok", **named(frame), "d": done})
        else:
            raise Refused("unknown_frame", f"There is no frame {kind[:40]!r}.")

    async def _renew(self, frame: dict[str, Any]) -> None:
        """A new token before the old one ends; it has to be the same person's."""
        known = self.somebody
        fresh = await _person(read_sign_in(orjson.dumps(frame).decode()))
        same = (fresh.tenant.id, fresh.user_uuid) == (known.tenant.id, known.user_uuid)
        if not same or fresh.impersonator != known.impersonator:
            raise Closing(Close.SOMEBODY_ELSE, "the new token is somebody else's")
        self.person, self._warned = fresh, False

    async def _watch(self, frame: dict[str, Any]) -> set[int]:
        wanted = frame.get("userIds")
        if not isinstance(wanted, list) or len(wanted) > WATCHED_PEOPLE or not all(type(one) is int for one in wanted):
            raise Refused("validation_failed", f"userIds has to be a list of at most {WATCHED_PEOPLE} numbers.")
        return await self.hub.watch(self, frozenset(wanted))

    # -- what others call ----------------------------------------------------------------------

    @property
    def somebody(self) -> Person:
        """Who it is, once signed in."""
        if self.person is None:
            raise LookupError("Nobody has signed in on this socket.")
        return self.person

    def bound(self) -> AbstractAsyncContextManager[Bound]:
        """The database inside this person's tenant, for handlers of frames."""
        return abind(self.somebody.tenant)

    def say(self, frame: Mapping[str, Any]) -> None:
        """Something for this client alone."""
        body = orjson.dumps(frame)
        self.offer({"type": "websocket.send", "text": body.decode()}, len(body))

    def offer(self, message: Message, size: int, *, fleeting: bool = False) -> None:
        """Hand on a frame that is ready to be sent; never waits."""
        self.sent = self.hub.clock
        self.out.offer(message, size, fleeting=fleeting)
        if self.out.over and self._closing is None:
            self.hub.metrics.slow += 1
            self.close(Close.SLOW, "too slow")

    def close(self, code: int, reason: str = "") -> None:
        """End it soon; the reading side does the rest. The first reason counts."""
        if self._closing is None:
            self._closing = Closing(code, reason)
            self.hub.spawn(self._end(self._closing))

    def tick(self, now: float, clock: float) -> None:
        """Once a second: heartbeat, and the end of the token. ``now`` is monotonic, ``clock`` is the time of day."""
        if self.person is None or self._closing is not None:
            return
        left = self.person.until - clock
        # Support gets no new token for which it would be waited.
        if left < (0 if self.screened else -GRACE_SECONDS):
            self.close(Close.TOKEN_ENDED, "the token ended")
        elif left <= EXPIRING_SECONDS and not self._warned:
            self._warned = True
            self.say({"t": "auth.expiring", "in": max(0, int(left))})
        elif now - self.sent >= HEARTBEAT_SECONDS:
            self.sent = now
            self.say({"t": "ping"})

    # -- reading -------------------------------------------------------------------------------

    async def _read(self, limit: int) -> str:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Gone
        text = message.get("text")
        if not isinstance(text, str):
            raise Closing(Close.BAD_FRAMES, "frames are text")
        if len(text) > limit:
            raise Closing(Close.BAD_FRAMES, "the frame is too long")
        return text

    def _spend(self) -> None:
        now = time.monotonic()
        refill = (now - self._allowance_at) * FRAMES_PER_SECOND
        self._allowance = min(float(FRAMES_PER_SECOND), self._allowance + refill) - 1
        self._allowance_at = now
        if self._allowance < 0:
            raise Closing(Close.TOO_MANY_FRAMES, "too many frames")

    async def _end(self, closing: Closing) -> None:
        """Say why, and see to it that the reading side wakes up. A client that reads nothing does not hear it."""
        self._closing = closing
        self.out.drop()
        self.out.lost = False
        try:
            async with asyncio.timeout(1):
                await self.out.put({"type": "websocket.close", "code": closing.code, "reason": closing.reason})
        except TimeoutError:
            if self._task is not None and self._task is not asyncio.current_task():
                self._task.cancel()


async def _person(frame: SignIn) -> Person:
    door = the_door()
    if frame.ticket:
        return await door.by_ticket(frame.ticket)
    return await door.by_token(frame.token)


def _offered_credential(offered: list[str]) -> SignIn | None:
    """A credential among the subprotocols. A client with positions sends them in a first frame of its own."""
    for one in offered:
        word, _, secret = one.partition(".")
        if word == "bearer" and secret:
            return SignIn(t="auth", token=secret)
        if word == "ticket" and secret:
            return SignIn(t="auth", ticket=secret)
    return None


async def _answered(work: Awaitable[Result]) -> Result:
    """The socket stays while the database is away."""
    try:
        return await work
    except DatabaseAway:
        raise away() from None


def _refusal(refused: Refused, text: str) -> dict[str, Any]:
    frame: dict[str, Any] = {"t": "error", "code": refused.code, "message": refused.message}
    with suppress(Refused):
        frame |= named(read_frame(text)[1])
    return frame


def _text(frame: Mapping[str, Any]) -> Message:
    return {"type": "websocket.send", "text": orjson.dumps(frame).decode()}
