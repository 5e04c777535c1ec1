"""A client of the socket, for asyncio: one module on ``websockets`` and ``httpx``.

It keeps a position for each channel, (seq, changeSeq), and hands messages on once
and in their order, whatever arrives twice, late, or not at all. What the protocol
says: ``docs/realtime.md``. How to use this: ``clients/README.md``. It does the
same as the client in JavaScript, and one suite of tests drives both.
"""

import asyncio
import json
import logging
import random
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

log = logging.getLogger(__name__)

PAGE = 200
# The first frame may have 8 KiB. Channels that do not fit are compared here with what ready says of them.
FIRST_FRAME = 8_000
# Notifications that were told of are known again by their ids.
REMEMBERED = 500
RESTARTING, TOO_FAST = 4000, 4013

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A test may want less patience."""

    hole: float = 0.5  # a message that is missing in between is waited for so long, then fetched
    resume: float = 10.0  # likewise while the server is still sending what was missed
    opening: float = 15.0  # from the handshake to ready
    silence: float = 40.0  # after it the connection is dead, whatever TCP thinks
    shortest: float = 1.0  # pauses before coming back
    longest: float = 30.0
    restart: float = 10.0  # a server that stops asks for coming back within this
    steady: float = 10.0  # a connection that lasted so long makes the next pause short again
    typing: float = 3.0  # the server drops what comes more often


@dataclass(frozen=True, slots=True)
class Event:
    """What happened. ``type`` is what was listened to; the fields that it has not are empty.

    state: state reason code delay data (the ready frame).  message: channel_id seq message.
    change: channel_id seq change_seq message.  channel: kind (added updated removed) channel_id data.
    read: channel_id user_id seq data.  typing: channel_id user_id.  presence: user_id online.
    notification: kind (created read readAll dismissed) data.  counts: data.
    refresh: reason (server epoch changes) channel_id.  error: reason data.
    """

    type: str
    kind: str = ""
    channel_id: str | None = None
    user_id: int | None = None
    seq: int = 0
    change_seq: int = 0
    message: Message = field(default_factory=dict)
    online: bool = False
    state: str = ""
    reason: str = ""
    code: int = 0
    delay: float = 0.0
    data: Any = None


class RequestFailed(Exception):
    """What the API refused. ``status`` 0: nobody answered."""

    def __init__(self, status: int, error: Mapping[str, Any] | None = None, retry_after: float = 0.0) -> None:
        error = error or {}
        super().__init__(error.get("message") or f"The API did not answer as it should ({status}).")
        self.status, self.code, self.retry_after = status, str(error.get("code", "unreachable")), retry_after
        self.details: Sequence[Mapping[str, Any]] = error.get("details") or ()

    @property
    def passing(self) -> bool:
        """Whether the same request may do better later."""
        return self.status == 0 or self.status >= 500 or self.status in (408, 425, 429)


class Positions(Protocol):
    """Where positions are kept over a restart, by those who keep messages over it as well."""

    def load(self) -> Mapping[str, Any] | None: ...

    def save(self, positions: Mapping[str, Any]) -> None: ...


class _Channel:
    """What is known of one channel. ``seq`` is None until it is known where to begin."""

    def __init__(self, seq: int | None, change_seq: int = 0) -> None:
        self.seq, self.change_seq = seq, change_seq
        self.last = seq or 0  # the highest message that is known to exist
        self.held: dict[int, Message] = {}  # messages ahead of the position, by seq
        self.ahead: set[int] = set()  # numbers of changes ahead of the position
        self.changed: dict[int, int] = {}  # the change that each message was handed on with, by seq
        self.resuming = False  # the server is sending what was missed
        self.round = 0  # how often the server has said where this client stands
        self.timer: asyncio.TimerHandle | None = None

    @property
    def whole(self) -> bool:
        return self.seq is not None and self.seq >= self.last

    def hold(self, message: Message) -> None:
        """Of two states of one message the later."""
        before = self.held.get(message["seq"])
        if before is None or before["changeSeq"] < message["changeSeq"]:
            self.held[message["seq"]] = message
        self.last = max(self.last, message["seq"])

    def begin(self, seq: int) -> None:
        """Where to begin, and no later than with what is held already."""
        if self.seq is None:
            self.seq = min([seq, *(held - 1 for held in self.held)])
        self.last = max(self.last, seq)

    def move_changes(self, up_to: int) -> None:
        """It moves without a hole. A number that never comes was followed by another of the same message."""
        self.change_seq = max(self.change_seq, up_to)
        self.ahead = {number for number in self.ahead if number > self.change_seq}
        while self.change_seq + 1 in self.ahead:
            self.change_seq += 1
            self.ahead.discard(self.change_seq)

    def stop_waiting(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer, self.resuming = None, False


class _Ended(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class CoreRealtime:
    """One person's socket. ``get_token(fresh)`` gives an access token, or None when there is nobody signed in any more;
    ``fresh`` asks for another one than the last."""

    def __init__(
        self,
        *,
        url: str,
        api_base: str,
        get_token: Callable[[bool], Awaitable[str | None]],
        positions: Positions | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.state = "stopped"
        self._url, self._api_base, self._get_token = url, api_base.rstrip("/"), get_token
        self._storage, self._timing = positions, timing or Timing()
        self._http = httpx.AsyncClient(timeout=30)
        self._listeners: dict[str, list[Callable[[Event], None]]] = defaultdict(list)
        self._socket: ClientConnection | None = None
        self._running: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._now = asyncio.Event()
        self._attempts = 0
        self._stale = False  # the server did not like the token
        self._renewed = False  # and got another one already
        self._named: dict[str, tuple[int, int]] = {}  # the positions that this connection began with
        self._opening = False  # they were named, and the server's answer to them is on its way
        self._holes: dict[str, None] = {}  # channels that are to be filled by REST, in their order
        self._filling = False
        self._notified: OrderedDict[str, None] = OrderedDict()
        self._sending: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._back = asyncio.Event()
        self._reads: dict[str, int] = {}  # read marks that nobody has confirmed
        self._typed: dict[str, float] = {}
        self._watched: list[int] | None = None
        kept = (positions.load() if positions else None) or {}
        self._user: str | None = kept.get("userId")
        self._epoch: int | None = kept.get("epoch")
        self._last_notification_id: str | None = kept.get("lastNotificationId")
        self._channels = {channel: _Channel(*position) for channel, position in kept.get("channels", {}).items()}

    @property
    def positions(self) -> dict[str, Any]:
        channels = {
            id: [channel.seq, channel.change_seq] for id, channel in self._channels.items() if channel.seq is not None
        }
        known = {"userId": self._user, "epoch": self._epoch, "lastNotificationId": self._last_notification_id}
        return {**known, "channels": channels}

    def on(self, type: str, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Gives what takes the listener off again."""
        self._listeners[type].append(listener)
        return lambda: self._listeners[type].remove(listener)

    def connect(self) -> None:
        """Also the way to come back at once while it waits, and after it stopped."""
        self._now.set()
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        tasks = [task for task in (self._running, *self._tasks) if task is not None and not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._set("stopped", reason="closed")
        await self._http.aclose()

    async def drop(self) -> None:
        """Cut the connection as a network does, without a word to the other side."""
        socket = self._socket
        if socket is not None:
            socket.transport.abort()
            while self._socket is socket:
                await asyncio.sleep(0.001)

    async def send(
        self, channel_id: str, content: str, *, client_message_id: str | None = None, reply_to: str | None = None
    ) -> Message:
        """The stored message. Sent until it is answered; the id makes sure that it is there once.

        What is sent to one channel goes one after the other, so that it stands there in the order in which it was
        written.
        """
        body = {"content": content, "clientMessageId": client_message_id or uuid4().hex}
        if reply_to is not None:
            body["replyTo"] = reply_to
        async with self._sending[channel_id]:
            return await self._post(channel_id, body)

    async def _post(self, channel_id: str, body: Mapping[str, Any]) -> Message:
        attempts = 0
        while True:
            try:
                channel = self._channels.get(channel_id)
                before = channel.round if channel is not None else 0
                message, _ = await self.request("POST", f"/chat/channels/{channel_id}/messages", body)
                # The answer is as good as the frame, and may be here before it.
                same = channel is self._channels.get(channel_id)
                if same and channel is not None and channel.seq is not None and self._believes(channel, before):
                    self._offer(channel_id, channel, message)
                self._save()
                return dict(message)
            except RequestFailed as error:
                if not error.passing:
                    raise
                await self._pause(attempts, error)
                attempts += 1

    def _believes(self, channel: _Channel, before: int) -> bool:
        """Whether an answer of REST, asked for in round ``before``, may be taken now.

        It may be older than changes of which the server has said meanwhile that they are known here. And what the
        server sends first follows from the positions that were named, so until then none of them may move.
        """
        return channel.round == before and not self._opening

    async def _pause(self, attempts: int, error: RequestFailed) -> None:
        """Until it is time to try again; the server's own word counts more, and that it is back counts less."""
        pause = self._pause_of(attempts)
        if error.retry_after:
            await asyncio.sleep(max(pause, error.retry_after))
            return
        self._back.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._back.wait(), pause)

    def read(self, channel_id: str, seq: int) -> None:
        """Everything up to ``seq`` was seen. Said again after a reconnect when nobody confirmed it."""
        if self._reads.get(channel_id, 0) < seq:
            self._reads[channel_id] = seq
            self._say_read(channel_id, seq)

    def typing(self, channel_id: str) -> None:
        if self.state == "ready" and monotonic() - self._typed.get(channel_id, float("-inf")) >= self._timing.typing:
            self._typed[channel_id] = monotonic()
            self._say({"t": "typing", "channelId": channel_id})

    def presence(self, user_ids: Sequence[int]) -> None:
        """Whose coming and going is told, at most 200 people; replaces those before."""
        self._watched = list(user_ids)
        self._say({"t": "presence", "id": "presence", "userIds": self._watched})

    async def request(self, method: str, path: str, body: Any = None) -> tuple[Any, dict[str, Any]]:
        """One request to the API as this person: data and meta, or ``RequestFailed``."""
        failed = RequestFailed(401)
        for fresh in (False, True):
            try:
                token = await self._get_token(fresh)
            except Exception as error:
                raise RequestFailed(0) from error
            if not token:
                raise RequestFailed(401, {"code": "unauthorized", "message": "Nobody is signed in."})
            try:
                answer = await self._http.request(
                    method, self._api_base + path, json=body, headers={"Authorization": f"Bearer {token}"}
                )
            except httpx.HTTPError as error:
                raise RequestFailed(0) from error
            said: Any = None
            with suppress(ValueError):
                said = answer.json()
            if isinstance(said, dict) and said.get("success"):
                return said["data"], said.get("meta") or {}
            after = answer.headers.get("Retry-After", "")
            error_said = said.get("error") if isinstance(said, dict) else None
            failed = RequestFailed(answer.status_code, error_said, float(after) if after.isdigit() else 0.0)
            if answer.status_code != 401:
                raise failed
        raise failed

    # -- the connection ------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            self._now.clear()
            self._set("connecting")
            try:
                await self._connection()
            except _Ended as ended:
                code, reason = ended.code, ended.reason
            finally:
                self._leave()
            if reason == "signed_out" or 4500 <= code < 4600:
                self._set("stopped", code=code, reason=reason)
                return
            renew = 4400 <= code < 4500
            # A token that ended is no reason to wait; one after the other that is refused is.
            delay = 0.0 if renew and not self._renewed else self._pause_after(code)
            self._renewed = self._stale = renew
            self._set("waiting", code=code, reason=reason, delay=delay)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._now.wait(), delay)

    async def _connection(self) -> None:
        """One connection from its handshake to its end. Raises ``_Ended``."""
        try:
            async with asyncio.timeout(self._timing.opening):
                self._socket = socket = await self._open()
                text = await socket.recv()
            while True:
                self._receive(text)
                async with asyncio.timeout(self._timing.silence):
                    text = await socket.recv()
        except ConnectionClosed as closed:
            code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
            raise _Ended(code, reason or self._lost()) from None
        except TimeoutError:
            # A connection through a dead router says nothing of it.
            raise _Ended(0, "silent" if self.state == "ready" else "unreachable") from None
        except (OSError, WebSocketException):
            raise _Ended(0, self._lost()) from None

    async def _open(self) -> ClientConnection:
        try:
            token = await self._get_token(self._stale)
        except Exception as error:
            log.warning("There is no access token for the socket: %r", error)
            raise _Ended(0, "unreachable") from error
        if not token:
            raise _Ended(0, "signed_out")
        self._stale = False
        # Both sides compress nothing and have heartbeats of their own.
        options: dict[str, Any] = {"compression": None, "ping_interval": None, "open_timeout": None, "proxy": None}
        socket = await connect(
            self._url, subprotocols=[Subprotocol("core.v1")], max_size=None, close_timeout=1, **options
        )
        await socket.send(json.dumps(self._first_frame(token)))
        return socket

    def _first_frame(self, token: str) -> dict[str, Any]:
        frame: dict[str, Any] = {"t": "auth", "token": token, "since": {}}
        if self._last_notification_id:
            frame["lastNotificationId"] = self._last_notification_id
        left = FIRST_FRAME - len(json.dumps(frame))
        self._named, self._opening = {}, True
        for id, channel in self._channels.items():
            if channel.seq is None:
                continue
            left -= len(json.dumps({id: [channel.seq, channel.change_seq]}))
            if left < 0:
                break
            self._named[id] = frame["since"][id] = (channel.seq, channel.change_seq)
        return frame

    def _leave(self) -> None:
        """Nothing of the connection that was is waited for any more."""
        self._opening = False
        for channel in self._channels.values():
            channel.stop_waiting()
        if self._socket is not None:
            self._socket.transport.abort()
        self._socket = None

    def _lost(self) -> str:
        return "closed" if self.state == "ready" else "unreachable"

    def _pause_after(self, code: int) -> float:
        # Everybody comes back from one restart, so each at another moment of it.
        if code == RESTARTING:
            return random.uniform(0, self._timing.restart)  # noqa: S311 - no secret
        pause = self._pause_of(self._attempts)
        self._attempts += 1
        longest = self._timing.longest
        return max(pause, random.uniform(longest / 2, longest)) if code == TOO_FAST else pause  # noqa: S311

    def _pause_of(self, attempts: int) -> float:
        """Between the shortest pause and one that doubles each time, by chance."""
        most = min(self._timing.longest, self._timing.shortest * 2 ** (min(attempts, 20) + 1))
        return random.uniform(self._timing.shortest, most)  # noqa: S311 - no secret

    def _set(self, state: str, *, code: int = 0, reason: str = "", delay: float = 0.0, data: Any = None) -> None:
        self.state = state
        self._emit(Event("state", state=state, code=code, reason=reason, delay=delay, data=data))

    def _say(self, frame: Mapping[str, Any]) -> None:
        if self.state == "ready" and self._socket is not None:
            self._spawn(_sent(self._socket, json.dumps(frame)))

    def _say_read(self, channel_id: str, seq: int) -> None:
        self._say({"t": "read", "id": f"read {channel_id} {seq}", "channelId": channel_id, "seq": seq})

    async def _renew(self) -> None:
        socket = self._socket
        while self._socket is socket:
            try:
                token = await self._get_token(True)
            except Exception as error:
                log.warning("There is no new access token for the socket: %r", error)
                await asyncio.sleep(self._timing.shortest * 5)
                continue
            if token and self._socket is socket:
                self._say({"t": "auth", "token": token})
            return

    async def _grow_steady(self) -> None:
        socket = self._socket
        await asyncio.sleep(self._timing.steady)
        if self._socket is socket:
            self._attempts = 0

    # -- frames --------------------------------------------------------------------------------

    def _receive(self, text: str | bytes) -> None:
        frame = json.loads(text)
        # Kinds that this client does not know are for a newer one.
        handle = _KINDS.get(frame.get("t"))
        if handle is not None:
            handle(self, frame)
            self._save()

    def _ready(self, frame: Mapping[str, Any]) -> None:
        self._opening = False
        begins = self._epoch is None
        another = not begins and (frame["epoch"], frame["user"]["id"]) != (self._epoch, self._user)
        if another:
            # Numbers of another history, or of somebody else.
            self._reset()
        self._epoch, self._user, self._renewed = frame["epoch"], frame["user"]["id"], False
        self._last_notification_id = self._last_notification_id or frame.get("lastNotificationId")
        self._spawn(self._grow_steady())
        self._set("ready", data=frame)
        self._back.set()
        for channel_id, seq in self._reads.items():
            self._say_read(channel_id, seq)
        if self._watched is not None:
            self.presence(self._watched)
        for id in frame.get("left") or ():
            self._forget(id)
        for id, last, change_seq, *_ in frame["channels"]:
            self._compare(id, last, change_seq, begins or another)
        # What was missing when the last connection ended is missing still.
        for id, channel in self._channels.items():
            if not channel.resuming:
                self._look(id, channel)
        self._emit(Event("counts", data=frame["counts"]))
        if another:
            self._emit(Event("refresh", reason="epoch"))

    def _compare(self, id: str, last: int, change_seq: int, begins: bool) -> None:
        """One channel of ready against what is known of it."""
        channel = self._channels.get(id)
        if channel is None:
            self._channels[id] = _Channel(last, change_seq)
            if not begins:
                self._emit(Event("channel", kind="added", channel_id=id))
            return
        channel.begin(last)
        # What waited, or was asked for before, may be older than what the server takes for known here. It comes again.
        channel.held.clear()
        channel.round += 1
        if id in self._named:
            channel.resuming = True
            self._look(id, channel)
        elif change_seq > channel.change_seq:
            # It did not fit into the first frame: nobody will send these changes.
            channel.move_changes(change_seq)
            self._emit(Event("refresh", reason="changes", channel_id=id))

    def _caught_up(self, frame: Mapping[str, Any]) -> None:
        """Everything up to ``to`` was sent, so what is missing now does not come any more."""
        channel = self._channels.get(frame["c"])
        if channel is None:
            return
        channel.last = max(channel.last, frame["to"])
        channel.round += 1
        channel.move_changes(frame["ch"])
        channel.stop_waiting()
        if not channel.whole:
            self._to_fill(frame["c"])

    def _gap(self, frame: Mapping[str, Any]) -> None:
        id, first, to = frame["c"], frame["from"], frame["to"]
        channel = self._channels.get(id)
        if channel is None:
            return
        seq, change_seq = self._named.get(id, (0, 0))
        # One that comes in the middle may be about messages alone.
        change_to, handed_on = frame.get("ch", channel.change_seq), channel.seq or 0
        channel.stop_waiting()
        if seq > to or change_seq > change_to:
            # The server knows less than this client: its numbers went back.
            self._channels[id] = _Channel(to, change_to)
            self._emit(Event("refresh", reason="epoch", channel_id=id))
            return
        channel.begin(first - 1)
        channel.last = max(channel.last, to)
        channel.round += 1
        channel.move_changes(change_to)
        if not channel.whole:
            self._to_fill(id)
        if first <= handed_on:
            # It begins among messages that were handed on: more of them were changed than the server sends.
            self._emit(Event("refresh", reason="changes", channel_id=id))

    def _added(self, frame: Mapping[str, Any]) -> None:
        channel = self._channel(frame["c"])
        if channel.seq is None:
            channel.move_changes(frame["ch"])
        # Of one that is known more may have been heard already.
        channel.begin(frame["seq"])
        self._emit(Event("channel", kind="added", channel_id=frame["c"], data=frame["d"]))
        self._advance(frame["c"], channel)

    def _forget(self, id: str) -> None:
        channel = self._channels.pop(id, None)
        if channel is not None:
            channel.stop_waiting()
            self._reads.pop(id, None)
            self._emit(Event("channel", kind="removed", channel_id=id))

    def _notification(self, frame: Mapping[str, Any]) -> None:
        data = frame["d"]
        if data["id"] in self._notified:
            return
        self._notified[data["id"]] = None
        if len(self._notified) > REMEMBERED:
            self._notified.popitem(last=False)
        self._last_notification_id = max(data["id"], self._last_notification_id or "")
        self._emit(Event("notification", kind="created", data=data))

    def _ok(self, frame: Mapping[str, Any]) -> None:
        self._confirm(frame)
        if frame.get("id") == "presence":
            for user_id in self._watched or ():
                self._emit(Event("presence", user_id=user_id, online=user_id in frame["d"]["online"]))

    def _refused(self, frame: Mapping[str, Any]) -> None:
        self._confirm(frame)
        self._emit(Event("error", reason=frame["code"], data=frame.get("message")))

    def _confirm(self, frame: Mapping[str, Any]) -> None:
        kind, _, rest = str(frame.get("id")).partition(" ")
        channel_id, _, seq = rest.partition(" ")
        if kind == "read" and str(self._reads.get(channel_id)) == seq:
            del self._reads[channel_id]

    # -- order ---------------------------------------------------------------------------------

    def _channel(self, id: str) -> _Channel:
        """Of a channel that nobody spoke of yet it is not known where to begin; the word of it may be on its way."""
        return self._channels.setdefault(id, _Channel(None))

    def _created(self, frame: Mapping[str, Any]) -> None:
        self._offer(frame["c"], self._channel(frame["c"]), frame["d"])

    def _offer(self, id: str, channel: _Channel, message: Message) -> None:
        if channel.seq is None or message["seq"] > channel.seq:
            channel.hold(message)
            self._advance(id, channel)
        else:
            self._revise(id, channel, message)

    def _revise(self, id: str, channel: _Channel, message: Message) -> None:
        """One that was handed on already, if this is a later state of it: what was held may have been old when it was
        its turn."""
        seq, number = message["seq"], message["changeSeq"]
        if number > channel.changed.get(seq, 0):
            channel.changed[seq] = number
            self._emit(Event("change", channel_id=id, seq=seq, change_seq=number, message=message))

    def _change(self, frame: Mapping[str, Any]) -> None:
        """A message that was not handed on yet is handed on as it is now."""
        channel = self._channel(frame["c"])
        channel.ahead.add(frame["ch"])
        channel.move_changes(channel.change_seq)
        self._offer(frame["c"], channel, frame["d"])

    def _advance(self, id: str, channel: _Channel, up_to: int = 0) -> None:
        """Hand on what is next. ``up_to``: what is missing before it does not exist, for this person at least."""
        while channel.seq is not None:
            message = channel.held.pop(channel.seq + 1, None)
            if message is not None:
                channel.seq += 1
                if message["changeSeq"]:
                    channel.changed[channel.seq] = message["changeSeq"]
                self._emit(Event("message", channel_id=id, seq=channel.seq, message=message))
            elif channel.seq < up_to:
                channel.seq = min([up_to, *(held - 1 for held in channel.held)])
            else:
                break
        self._look(id, channel)

    def _look(self, id: str, channel: _Channel) -> None:
        """A hole is given a moment to close by itself: two messages may have overtaken one another."""
        if channel.whole or self.state != "ready":
            if channel.timer is not None:
                channel.timer.cancel()
            channel.timer = None
        elif channel.timer is None:
            patience = self._timing.resume if channel.resuming else self._timing.hole
            channel.timer = asyncio.get_running_loop().call_later(patience, self._waited, id, channel)

    def _waited(self, id: str, channel: _Channel) -> None:
        channel.stop_waiting()
        if channel.seq is not None:
            self._to_fill(id)
        elif channel.held and self._channels.get(id) is channel:
            # The word of a new channel was lost: it begins with the first message that was heard of it.
            channel.begin(channel.last)
            self._emit(Event("channel", kind="added", channel_id=id))
            self._advance(id, channel)
            self._save()

    def _to_fill(self, id: str) -> None:
        self._holes[id] = None
        if not self._filling:
            self._filling = True
            self._spawn(self._fill())

    async def _fill(self) -> None:
        """One page after the other, and one channel after the other: many gaps are no reason to ask all at once."""
        failures = 0
        try:
            while self._holes and self.state == "ready":
                id = next(iter(self._holes))
                del self._holes[id]
                try:
                    await self._fill_one_page(id)
                    failures = 0
                except RequestFailed as error:
                    if error.status == 404:
                        self._forget(id)
                        continue
                    log.warning("What is missing in a channel could not be read: %s", error)
                    self._holes[id] = None
                    await self._pause(failures, error)
                    failures += 1
        finally:
            self._filling = False

    async def _fill_one_page(self, id: str) -> None:
        channel = self._channels.get(id)
        if channel is None or channel.seq is None or channel.whole:
            return
        # All of these were committed before they were heard of. What the answer lacks of them, nobody has.
        end, before = channel.last, channel.round
        page, _ = await self.request("GET", f"/chat/channels/{id}/messages?after={channel.seq}&limit={PAGE}")
        if self._channels.get(id) is not channel:
            return
        if not self._believes(channel, before):
            self._holes[id] = None
            return
        for message in page:
            if message["seq"] > channel.seq:
                channel.hold(message)
            else:
                self._revise(id, channel, message)
        if page:
            end = max(message["seq"] for message in page)
        if channel.last > end:
            self._holes[id] = None
        self._advance(id, channel, end)
        self._save()

    # -- the rest ------------------------------------------------------------------------------

    def _emit(self, event: Event) -> None:
        for listener in list(self._listeners[event.type]):
            try:
                listener(event)
            except Exception:
                # One listener's mistake must not take a message from the others.
                log.exception("A listener of %s failed.", event.type)

    def _save(self) -> None:
        if self._storage is not None:
            self._storage.save(self.positions)

    def _reset(self) -> None:
        for channel in self._channels.values():
            channel.stop_waiting()
        for kept in (self._channels, self._named, self._holes, self._reads):
            kept.clear()
        self._last_notification_id = None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _sent(socket: ClientConnection, text: str) -> None:
    with suppress(ConnectionClosed):
        await socket.send(text)


def _told(type: str, kind: str = "") -> Callable[[CoreRealtime, Mapping[str, Any]], None]:
    """A frame that is handed on as it is."""

    def handle(client: CoreRealtime, frame: Mapping[str, Any]) -> None:
        client._emit(
            Event(
                type,
                kind=kind,
                channel_id=frame.get("c"),
                user_id=frame.get("userId"),
                seq=frame.get("seq", 0),
                online=frame.get("online", False),
                reason="server" if type == "refresh" else "",
                data=frame.get("d"),
            )
        )

    return handle


_KINDS: dict[str, Callable[[CoreRealtime, Mapping[str, Any]], None]] = {
    "ready": CoreRealtime._ready,
    "message.created": CoreRealtime._created,
    "message.updated": CoreRealtime._change,
    "resumed": CoreRealtime._caught_up,
    "gap": CoreRealtime._gap,
    "channel.added": CoreRealtime._added,
    "channel.updated": _told("channel", "updated"),
    "channel.removed": lambda client, frame: client._forget(frame["c"]),
    "channel.read": _told("read"),
    "typing": _told("typing"),
    "presence": _told("presence"),
    "notification.created": CoreRealtime._notification,
    "notification.read": _told("notification", "read"),
    "notification.readAll": _told("notification", "readAll"),
    "notification.dismissed": _told("notification", "dismissed"),
    "counts": _told("counts"),
    "refresh": _told("refresh"),
    "auth.expiring": lambda client, frame: client._spawn(client._renew()),
    "ok": CoreRealtime._ok,
    "error": CoreRealtime._refused,
}
