"""A server of the socket and of the API that does what a test says: a truth, and how much of it is told."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Frame = dict[str, Any]


@dataclass
class Channel:
    """What the database has of one channel."""

    id: str
    messages: list[Frame] = field(default_factory=list)
    change_seq: int = 0
    # Messages up to this number are kept no longer.
    purged: int = 0

    @property
    def last_seq(self) -> int:
        return len(self.messages)

    def post(self, content: str, client_message_id: str | None = None) -> Frame:
        """A new message; gives its frame."""
        seq = len(self.messages) + 1
        message = {"id": f"{self.id}-{seq}", "channelId": self.id, "seq": seq, "changeSeq": 0, "content": content}
        self.messages.append({**message, "clientMessageId": client_message_id})
        return {"t": "message.created", "c": self.id, "seq": seq, "d": self.messages[-1]}

    def edit(self, seq: int, content: str) -> Frame:
        self.change_seq += 1
        self.messages[seq - 1] = {**self.messages[seq - 1], "content": content, "changeSeq": self.change_seq}
        return {"t": "message.updated", "c": self.id, "seq": seq, "ch": self.change_seq, "d": self.messages[seq - 1]}

    def after(self, seq: int, limit: int) -> list[Frame]:
        return [message for message in self.messages if message["seq"] > max(seq, self.purged)][:limit]

    @property
    def contents(self) -> list[tuple[int, str]]:
        return [(message["seq"], message["content"]) for message in self.messages]


class Connection:
    """One socket, after its first frame."""

    def __init__(self, socket: ServerConnection, first: Frame) -> None:
        self.socket, self.first = socket, first
        self.heard: list[Frame] = []
        self.ended = asyncio.Event()

    @property
    def since(self) -> dict[str, list[int]]:
        since: dict[str, list[int]] = self.first["since"]
        return since

    async def say(self, *frames: Frame) -> None:
        # A client that is gone hears nothing, as in life.
        with suppress(ConnectionClosed):
            for frame in frames:
                await self.socket.send(json.dumps(frame))

    async def close(self, code: int) -> None:
        await self.socket.close(code)
        await self.ended.wait()

    async def cut(self) -> None:
        """What a pulled cable does."""
        self.socket.transport.abort()
        await self.ended.wait()

    async def hears(self, kind: str) -> Frame:
        while True:
            for frame in self.heard:
                if frame["t"] == kind:
                    self.heard.remove(frame)
                    return frame
            await asyncio.sleep(0.005)


class Server:
    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.epoch = 1
        self.user = "me"
        # How many messages, and how many changes, of a channel are sent to somebody who comes back.
        self.limit = 100
        self.url = self.api_base = ""
        self.requests: list[str] = []
        # Answers that are given instead of the right ones: (status, body). None is no answer at all.
        self.failures: list[tuple[int, Any] | None] = []
        # Sockets are not even answered.
        self.deaf = False
        # Requests wait for this before they are answered, and answers before they are sent.
        self.answers = asyncio.Event()
        self.answers.set()
        self.late = asyncio.Event()
        self.late.set()
        self.read = 0
        self._connections: asyncio.Queue[Connection] = asyncio.Queue()

    def channel(self, id: str = "c1", messages: int = 0) -> Channel:
        channel = self.channels[id] = Channel(id)
        for number in range(1, messages + 1):
            channel.post(f"message {number}")
        return channel

    async def connection(self) -> Connection:
        """The next one that has signed in."""
        return await self._connections.get()

    async def welcomed(self) -> Connection:
        connection = await self.connection()
        await self.welcome(connection)
        return connection

    def ready(self, since: dict[str, list[int]] | None = None) -> Frame:
        since = since or {}
        channels = [
            [channel.id, channel.last_seq, channel.change_seq, 0]
            for channel in self.channels.values()
            if since.get(channel.id) != [channel.last_seq, channel.change_seq]
        ]
        left = [id for id in since if id not in self.channels]
        counts = {"email": 0, "tasks": 0, "chat": 0, "notifications": 0}
        user = {"id": self.user, "userId": 1}
        ready = {"t": "ready", "sid": "s", "user": user, "heartbeat": 25, "exp": 0, "epoch": self.epoch}
        return {**ready, "counts": counts, "channels": channels, "left": left, "lastNotificationId": None}

    def behind(self, since: dict[str, list[int]]) -> list[Frame]:
        """What is sent after ready, as the server of the product does it."""
        frames: list[Frame] = []
        for id, (seq, change) in since.items():
            channel = self.channels.get(id)
            if channel is None or [seq, change] == [channel.last_seq, channel.change_seq]:
                continue
            missing = channel.after(seq, channel.last_seq)
            changed = [
                message for message in channel.messages if message["seq"] <= seq and message["changeSeq"] > change
            ]
            gap: list[int] = []
            if seq > channel.last_seq or change > channel.change_seq:
                gap = [1, channel.last_seq]
                missing = changed = []
            if len(missing) > self.limit:
                gap = [seq + 1, channel.last_seq]
                missing = []
            if len(changed) > self.limit:
                gap = [1, gap[1] if gap else seq]
                changed = []
            frames += [{"t": "message.created", "c": id, "seq": one["seq"], "d": one} for one in missing]
            frames += [
                {"t": "message.updated", "c": id, "seq": one["seq"], "ch": one["changeSeq"], "d": one}
                for one in sorted(changed, key=lambda one: int(one["changeSeq"]))
            ]
            first, last = gap or [seq + 1, channel.last_seq]
            frames.append(
                {"t": "gap" if gap else "resumed", "c": id, "from": first, "to": last, "ch": channel.change_seq}
            )
        return frames

    async def welcome(self, connection: Connection) -> None:
        await connection.say(self.ready(connection.since), *self.behind(connection.since))

    async def _serve_socket(self, socket: ServerConnection) -> None:
        connection = None
        try:
            connection = Connection(socket, json.loads(await socket.recv()))
            self._connections.put_nowait(connection)
            async for text in socket:
                connection.heard.append(json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            if connection is not None:
                connection.ended.set()

    async def _serve_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target, _ = head.split(" ", 2)
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            self.requests.append(f"{method} {target}")
            await self.answers.wait()
            failure = self.failures.pop(0) if self.failures else ()
            if failure is not None:
                status, said = failure or self._answer(method, target, body)
                text = json.dumps(said).encode()
                self.read += 1
                await self.late.wait()
                writer.write(
                    f"HTTP/1.1 {status} .\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
                    "Connection: close\r\n\r\n".encode()
                    + text
                )
                await writer.drain()
        writer.close()

    def _answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        address = urlsplit(target)
        found = re.fullmatch(r"/api/v1/chat/channels/([^/]+)/messages", address.path)
        channel = self.channels.get(found[1]) if found else None
        if channel is None:
            return 404, {"success": False, "error": {"code": "not_found", "message": "There is no such thing."}}
        if method == "POST":
            sent = json.loads(body)
            known = [one for one in channel.messages if one["clientMessageId"] == sent["clientMessageId"]]
            message = known[0] if known else channel.post(sent["content"], sent["clientMessageId"])["d"]
            return (200 if known else 201), {"success": True, "data": message}
        query = {name: int(values[0]) for name, values in parse_qs(address.query).items()}
        page = channel.after(query["after"], query["limit"])
        return 200, {"success": True, "data": page, "meta": {"nextCursor": None, "lastSeq": channel.last_seq}}


@asynccontextmanager
async def served() -> AsyncIterator[Server]:
    server = Server()
    async with (
        serve(server._serve_socket, "127.0.0.1", 0, subprotocols=[Subprotocol("core.v1")], close_timeout=1) as sockets,
        await asyncio.start_server(server._serve_http, "127.0.0.1", 0) as http,
    ):
        server.url = f"ws://127.0.0.1:{next(iter(sockets.sockets)).getsockname()[1]}/ws/v1"
        server.api_base = f"http://127.0.0.1:{http.sockets[0].getsockname()[1]}/api/v1"
        yield server
