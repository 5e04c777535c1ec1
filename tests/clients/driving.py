"""Both clients behind one face, so that one suite proves that they do the same."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from clients.python.core_realtime import CoreRealtime, Event, RequestFailed, Timing
from tests.clients.scripted import Server, served

LANGUAGES = ("python", "javascript")
QUICK = {
    "hole": 0.3,
    "resume": 2.0,
    "opening": 5.0,
    "silence": 5.0,
    "shortest": 0.01,
    "longest": 0.04,
    "restart": 0.05,
}
KINDS = [
    "state",
    "message",
    "change",
    "channel",
    "read",
    "typing",
    "presence",
    "notification",
    "counts",
    "refresh",
    "error",
]
NAMES = {"channelId": "channel_id", "userId": "user_id", "changeSeq": "change_seq"}


class Driven:
    """One client. ``events`` are maps with a ``type`` and the names of the client in Python."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        # What was handed on, as an application keeps it.
        self.lists: dict[str, list[tuple[int, str]]] = {}
        self.kept: Any = None

    async def make(self, server: Server, *, timing: dict[str, float] | None = None, positions: Any = None) -> None:
        raise NotImplementedError

    async def call(self, name: str, *args: Any) -> None:
        raise NotImplementedError

    async def end(self) -> None:
        raise NotImplementedError

    def note(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        if event["type"] == "message":
            message = event["message"]
            self.lists.setdefault(event["channel_id"], []).append((message["seq"], message["content"]))
        elif event["type"] == "change":
            kept = self.lists.setdefault(event["channel_id"], [])
            changed = (event["seq"], event["message"]["content"])
            self.lists[event["channel_id"]] = [changed if one[0] == event["seq"] else one for one in kept]

    def of(self, type: str, **fields: Any) -> list[dict[str, Any]]:
        return [
            event
            for event in self.events
            if event["type"] == type and all(event.get(name) == value for name, value in fields.items())
        ]

    async def until(self, true: Callable[[], Any]) -> None:
        while not true():
            await asyncio.sleep(0.005)

    async def sees(self, type: str, **fields: Any) -> dict[str, Any]:
        await self.until(lambda: self.of(type, **fields))
        return self.of(type, **fields)[-1]

    async def lists_all(self, *channels: Any) -> None:
        """Until the lists are those of the truth."""
        await self.until(lambda: all(self.lists.get(channel.id, []) == channel.contents for channel in channels))


class DrivenPython(Driven):
    client: CoreRealtime

    async def make(self, server: Server, *, timing: dict[str, float] | None = None, positions: Any = None) -> None:
        number = 1

        async def get_token(fresh: bool) -> str:
            nonlocal number
            number += fresh
            self.note({"type": "token", "fresh": fresh})
            return f"token {number}"

        self.kept = positions
        self.client = CoreRealtime(
            url=server.url,
            api_base=server.api_base,
            get_token=get_token,
            positions=self if positions else None,
            timing=Timing(**{**QUICK, **(timing or {})}),
        )
        for kind in KINDS:
            self.client.on(kind, self._heard)

    def _heard(self, event: Event) -> None:
        self.note(asdict(event))

    def load(self) -> Any:
        return self.kept

    def save(self, positions: Any) -> None:
        self.kept = positions

    async def call(self, name: str, *args: Any) -> None:
        if name == "send":
            self.sending = asyncio.create_task(self._send(*args))
        elif (waited := getattr(self.client, name)(*args)) is not None:
            await waited

    async def _send(self, channel_id: str, content: str, options: Any) -> None:
        named = {"clientMessageId": "client_message_id", "replyTo": "reply_to"}
        try:
            options = {named[name]: value for name, value in options.items()}
            self.note({"type": "sent", "message": await self.client.send(channel_id, content, **options)})
        except RequestFailed as error:
            self.note({"type": "refused", "status": error.status, "code": error.code})

    async def end(self) -> None:
        await self.client.close()


class DrivenJavaScript(Driven):
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        super().__init__()
        self.process = process
        self.called = 0
        self.reading = asyncio.create_task(self._read())

    async def make(self, server: Server, *, timing: dict[str, float] | None = None, positions: Any = None) -> None:
        self.kept = positions
        options = {"url": server.url, "apiBase": server.api_base, "positions": positions}
        await self._write("make", timing={k: v * 1000 for k, v in {**QUICK, **(timing or {})}.items()}, **options)

    async def call(self, name: str, *args: Any) -> None:
        await self._write(name, args=args)

    async def _write(self, name: str, **rest: Any) -> None:
        assert self.process.stdin is not None
        called = self.called
        self.process.stdin.write(json.dumps({"call": name, **rest}).encode() + b"\n")
        while self.called == called:
            assert not self.reading.done(), "the client in JavaScript ended"
            await asyncio.sleep(0.002)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            event = {NAMES.get(name, name): value for name, value in json.loads(line).items()}
            if event["type"] == "called":
                self.called += 1
            elif event["type"] == "positions":
                self.kept = event["now"]
            else:
                self.note(event)

    async def end(self) -> None:
        await self._write("close")
        self.events.clear()
        self.lists.clear()


@lru_cache
def node_options() -> list[str] | None:
    """How node has to be called to have sockets; None where there is no such node."""
    node = shutil.which("node")
    for option in ([], ["--experimental-websocket"]):
        asked = [node or "node", *option, "-e", "process.exit(typeof WebSocket === 'function' ? 0 : 1)"]
        if node and subprocess.run(asked, check=False, capture_output=True).returncode == 0:
            return [node, *option]
    return None


class Stage:
    """One loop, and one process of node, for all tests of a file: node takes longer to start than a test."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.javascript: DrivenJavaScript | None = None

    async def driven(self, language: str) -> Driven:
        if language == "python":
            return DrivenPython()
        if self.javascript is None:
            options = node_options()
            assert options is not None
            driver = Path(__file__).with_name("driver.mjs")
            process = await asyncio.create_subprocess_exec(
                *options, "--no-warnings", str(driver), stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**24
            )
            self.javascript = DrivenJavaScript(process)
        return self.javascript

    async def clear(self) -> None:
        if self.javascript is not None:
            assert self.javascript.process.stdin is not None
            self.javascript.process.stdin.close()
            await self.javascript.process.wait()
            await self.javascript.reading

    def close(self) -> None:
        self.runner.run(self.clear())
        self.runner.close()


Story = Callable[[Server, Driven], Awaitable[None]]


def play(stage: Stage, language: str, story: Story, *, seconds: float = 30) -> None:
    """Run a story with a server of its own and a client that is not connected yet."""
    if language == "javascript" and node_options() is None:
        # A warning is an error in this suite, so this one is said in the report instead.
        pytest.skip("THE CLIENT IN JAVASCRIPT WAS NOT TESTED: there is no node 20 or newer here")

    async def whole() -> None:
        async with asyncio.timeout(seconds), served() as server:
            client = await stage.driven(language)
            await client.make(server)
            try:
                await story(server, client)
            finally:
                async with asyncio.timeout(5):
                    await client.end()

    stage.runner.run(whole())
