"""People who listen and people who talk: the reference client with the list it was handed, and senders on threads."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from clients.python.core_realtime import CoreRealtime, Event, RequestFailed, Timing
from tests.realtime.processes import Process
from tests.realtime.shared import Person
from tests.realtime.sockets import aside
from tests.support import threads_close_connections

# As patient as the client, with pauses that a test can wait for.
TIMING = Timing(hole=0.5, resume=5.0, shortest=0.02, longest=0.2, restart=0.3)
# At most so many from one address may be on their way at once; the client does not come back from the refusal.
AT_ONCE = 10


class _Api(httpx.AsyncBaseTransport):
    """REST is answered by the test's own process, on a thread."""

    def __init__(self) -> None:
        self.requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from django.test import Client

        self.requests += 1
        path, body = request.url.raw_path.decode(), await request.aread()
        kind = request.headers.get("Content-Type", "application/json")
        headers = {"Authorization": request.headers["Authorization"]}

        def asked() -> Any:
            return Client().generic(request.method, path, body, content_type=kind, headers=headers)

        answer = await aside(asked)
        return httpx.Response(answer.status_code, headers=dict(answer.items()), content=answer.content)


class Reader:
    """A person's client, and what it was handed: messages of each channel as an application would show them."""

    def __init__(self, person: Person, *processes: Process, timing: Timing = TIMING) -> None:
        self.person = person
        self.events: list[Event] = []
        self.rest = _Api()
        # In the order in which they were handed on, and as they are now.
        self._order: dict[str, list[int]] = {}
        self._shown: dict[str, dict[int, dict[str, Any]]] = {}
        self._reloading: set[asyncio.Task[None]] = set()
        # It comes back to the next one each time.
        self._where = itertools.cycle(processes)
        self.client = CoreRealtime(
            url=processes[0].url, api_base="http://api.test/api/v1", get_token=self._token, timing=timing
        )
        self.client._http = httpx.AsyncClient(transport=self.rest)
        for kind in ("state", "message", "change", "channel", "refresh", "counts", "error"):
            self.client.on(kind, self._heard)

    @property
    def codes(self) -> list[int]:
        """With which codes its connections ended."""
        return [event.code for event in self.events if event.type == "state" and event.state in ("waiting", "stopped")]

    def heard(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.type == kind]

    def list(self, channel: str) -> list[tuple[int, str]]:
        """(seq, content) of what it was handed of this channel."""
        shown = self._shown.get(channel, {})
        return [(seq, shown[seq]["content"]) for seq in self._order.get(channel, ())]

    def difference(self, channel: str, stored: Sequence[tuple[int, str]]) -> str:
        """Where it first differs from what is stored, for whoever reads the failure."""
        listed = self.list(channel)
        if listed == stored:
            return ""
        pairs = enumerate(itertools.zip_longest(listed, stored))
        place, (own, right) = next((place, pair) for place, pair in pairs if pair[0] != pair[1])
        state = f"{self.client.state}, at {self.client.positions['channels'].get(channel)}"
        return f"{len(listed)} of {len(stored)}, {state}: at {place} {own} instead of {right}"

    async def ready(self) -> None:
        running = self.client._running
        await until(lambda: self.client.state == "ready" or (running and running.done()))
        if running and running.done():
            # Whatever it died of.
            running.result()

    async def close(self) -> None:
        for reloading in self._reloading:
            reloading.cancel()
        await self.client.close()

    async def _token(self, fresh: bool) -> str:
        self.client._url = next(self._where).url
        return self.person.token

    def _heard(self, event: Event) -> None:
        if event.type == "message":
            self._order.setdefault(event.channel_id or "", []).append(event.seq)
        if event.type in ("message", "change"):
            self._show(event.channel_id or "", event.message)
            return
        self.events.append(event)
        if event.type == "refresh" and event.reason == "changes":
            reloading = asyncio.create_task(self._reload(event.channel_id or ""))
            self._reloading.add(reloading)
            reloading.add_done_callback(self._reloading.discard)

    def _show(self, channel: str, message: dict[str, Any]) -> None:
        shown = self._shown.setdefault(channel, {})
        known = shown.get(message["seq"])
        if known is None or known["changeSeq"] <= message["changeSeq"]:
            shown[message["seq"]] = message

    async def _reload(self, channel: str) -> None:
        """More was changed than a socket is told."""
        after = 0
        while True:
            try:
                page, _ = await self.client.request("GET", f"/chat/channels/{channel}/messages?after={after}&limit=200")
            except RequestFailed:
                await asyncio.sleep(0.1)
                continue
            for message in page:
                self._show(channel, message)
                after = message["seq"]
            if not page:
                return


@asynccontextmanager
async def reading(people: Sequence[Person], *processes: Process) -> AsyncIterator[list[Reader]]:
    """Clients of these people, connected; as many to each of the processes, as behind a balancer."""
    readers = [
        Reader(person, *processes[number % len(processes) :], *processes[: number % len(processes)])
        for number, person in enumerate(people)
    ]
    try:
        for some in (readers[place : place + AT_ONCE] for place in range(0, len(readers), AT_ONCE)):
            for reader in some:
                reader.client.connect()
            for reader in some:
                await reader.ready()
        yield readers
    finally:
        for reader in readers:
            await reader.close()


async def agree(readers: Sequence[Reader], channel: str, stored: list[tuple[int, str]], seconds: float = 30) -> None:
    """Wait until each was handed exactly what is stored, in its order; else show the first difference."""
    try:
        await until(lambda: all(reader.list(channel) == stored for reader in readers), seconds)
    except TimeoutError:
        wrong = [difference for reader in readers if (difference := reader.difference(channel, stored))]
        raise AssertionError("\n".join(wrong)) from None


async def until(true: Callable[[], Any], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


class Talk:
    """Everybody of these talks on a thread of their own, and corrects what they said, until it is over."""

    def __init__(self, people: Sequence[Person], channel: str, *, pause: float) -> None:
        # What was answered for.
        self.said: list[dict[str, Any]] = []
        self._channel, self._pause = channel, pause
        self._over = threading.Event()
        self._errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._talk, args=(person,)) for person in people]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    async def goes_on(self, more: int = 1) -> None:
        """Until so much more was said."""
        enough = len(self.said) + more
        await until(lambda: len(self.said) >= enough)

    def _talk(self, person: Person) -> None:
        with threads_close_connections():
            try:
                for number in itertools.count(1):
                    if self._over.wait(self._pause):
                        return
                    message = person.say(self._channel, f"{person.number} says {number}")
                    self.said.append(message)
                    for change in range(number % 3):
                        person.correct(message, f"{person.number} meant {number}, {change}")
            except BaseException as error:
                self._errors.append(error)


@asynccontextmanager
async def talking(people: Sequence[Person], channel: str, *, pause: float = 0.02) -> AsyncIterator[Talk]:
    """They talk while the block runs."""
    talk = Talk(people, channel, pause=pause)
    talk.start()
    try:
        yield talk
    finally:
        await asyncio.to_thread(talk.end)
