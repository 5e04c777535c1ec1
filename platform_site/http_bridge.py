"""HTTP from the event loop to Django's WSGI handler on a small fixed pool of threads.

The event loop does all the waiting for clients: it reads a body to its end
before a thread hears of the request, and it writes answers while the thread
already serves the next one. A thread therefore works or streams, and never
waits for a slow or stalled sender. The number of threads is also the number of
database connections that requests of this process can hold.
"""

import asyncio
import contextvars
import io
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import IO, Any, NoReturn, Protocol

import structlog
from a2wsgi.wsgi import build_environ
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from platform_site.api.body_limits import body_limit
from platform_site.api.exceptions import http_error
from platform_site.api.middleware import RequestContextMiddleware
from platform_site.errors import PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT, SERVICE_UNAVAILABLE, PlatformError
from platform_site.settings import env

log = structlog.get_logger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
StartResponse = Callable[..., Callable[[bytes], object]]
WsgiHandler = Callable[[dict[str, Any], StartResponse], HttpResponseBase]

# How many requests may wait for a thread before the next one is told to come back.
WAITING_ROOM = 64
# Bodies above this many bytes wait on disk instead of in memory.
SPOOL_BYTES = 1024 * 1024
# Streams of known length up to this many bytes (scripts, styles, small exports) are
# read at once, so that a client that takes them slowly costs no thread.
WHOLE_BYTES = 4 * 1024 * 1024
# Chunks of a longer stream that wait for a slow client before its thread waits as well.
STREAM_CHUNKS = 10
# A client that takes nothing of a stream for this long has left, whatever its socket says.
STALL_SECONDS = 60.0
# How long a refused sender may go on sending, so that it reads the refusal
# instead of having its connection reset.
LINGER_SECONDS = 5.0
# Most answers have two messages; from this one on it is a stream worth watching.
WATCH_FROM = 4


class Beside(Protocol):
    """What begins and ends with the server, and is not HTTP."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class ClientGone(Exception):
    """Nobody is there any more to take the answer."""


class Bridge:
    """The ASGI application for "http" and "lifespan", made of Django's WSGI handler."""

    def __init__(
        self,
        app: WsgiHandler,
        *,
        threads: int | None = None,
        max_body: int | None = None,
        body_seconds: float = 60.0,
        beside: Beside | None = None,
    ) -> None:
        self.app = app
        self._beside = beside
        self.threads = threads or env.integer("HTTP_THREADS", 8, minimum=1)
        self.max_body = settings.MAX_BODY_BYTES if max_body is None else max_body
        self.body_seconds = body_seconds
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="http")
        # Running and waiting together. Only the event loop touches it.
        self._active = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        try:
            await self._serve(scope, receive, send)
        except ClientGone:
            return
        except PlatformError as error:
            await self._refuse(error, scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        with ExitStack() as undo:
            body = undo.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES))
            size = await self._read_body(scope, receive, body)
            if self._active >= self.threads + WAITING_ROOM:
                raise PlatformError(SERVICE_UNAVAILABLE, retry_after=1)
            # From here on the body belongs to the thread.
            undo.pop_all()
        exchange = Exchange(self.app, _environ(scope, body, size), receive, send)
        self._active += 1
        try:
            await exchange.run_in(self._pool)
        finally:
            self._active -= 1
        await exchange.finish()

    async def _read_body(self, scope: Message, receive: Receive, body: IO[bytes]) -> int:
        """Fill ``body`` and give its length. Raises ``ClientGone`` when the client leaves before the end."""
        declared = _header(scope, b"content-length")
        content_type = _header(scope, b"content-type").decode("latin-1")
        limit = body_limit(scope["path"], content_type, usual=self.max_body)
        if declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        try:
            async with asyncio.timeout(self.body_seconds):
                return await self._fill(body, receive, limit)
        except TimeoutError:
            raise PlatformError(REQUEST_TIMEOUT) from None

    async def _fill(self, body: IO[bytes], receive: Receive, limit: int) -> int:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk, more = message.get("body", b""), message.get("more_body", False)
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            body.write(chunk)
        body.seek(0)
        return size

    async def _refuse(self, error: PlatformError, scope: Message, receive: Receive, send: Send) -> None:
        """Answer without a thread, in the same words, headers and access line as Django would."""

        def answer(request: HttpRequest) -> HttpResponse:
            return http_error(error, request)

        request = WSGIRequest(_environ(scope, io.BytesIO(), 0))
        response = RequestContextMiddleware(CorsMiddleware(answer))(request)  # type: ignore[arg-type]
        headers = [
            *_encoded(response.items()),
            (b"content-length", str(len(response.content)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": response.content, "more_body": True})
        if error.code is PAYLOAD_TOO_LARGE and not _header(scope, b"expect"):
            await _let_run_out(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        if self._beside is not None:
            await self._beside.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._beside is not None:
            await self._beside.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})


class Exchange:
    """One request in a thread, and its answer on the way back to the event loop."""

    def __init__(self, app: WsgiHandler, environ: dict[str, Any], receive: Receive, send: Send) -> None:
        self.app = app
        self.environ = environ
        self.receive = receive
        self.send = send
        self.gone = False
        self.loop = asyncio.get_running_loop()
        self._start: Message = {}
        self._whole: bytes | None = None
        self._chunks: asyncio.Queue[Message | None] = asyncio.Queue(STREAM_CHUNKS)
        self._sender: Future[None] | None = None

    # In the event loop.

    async def run_in(self, pool: ThreadPoolExecutor) -> None:
        """Let a thread handle the request, in a copy of this task's context that nobody else sees."""
        work = contextvars.copy_context().run
        finished = False
        try:
            await self.loop.run_in_executor(pool, work, self._handle)
            finished = True
        finally:
            if not finished:
                self.gone = True
                if self._sender is not None:
                    self._sender.cancel()

    async def finish(self) -> None:
        """Send what the thread left: the whole answer, or the rest of a stream."""
        if self._sender is not None:
            await self._chunks.put(None)
            await asyncio.wrap_future(self._sender)
            return
        await self.send(self._start)
        await self.send({"type": "http.response.body", "body": self._whole or b"", "more_body": False})

    async def _send_stream(self) -> None:
        watcher, sent = None, 0
        try:
            while (message := await self._chunks.get()) is not None:
                sent += 1
                if sent == WATCH_FROM:
                    watcher = asyncio.ensure_future(self._watch())
                if not self.gone:
                    await self._try_to_send(message)
        finally:
            self.gone = True
            if watcher is not None:
                watcher.cancel()

    async def _try_to_send(self, message: Message) -> None:
        """A failed send ends the stream; the queue is emptied all the same, because the thread waits for it."""
        try:
            await self.send(message)
        except Exception as error:
            self.gone = True
            log.warning("bridge.stream_cut", error=type(error).__name__)

    async def _watch(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            continue
        self.gone = True

    # In the thread.

    def _handle(self) -> None:
        body = self.environ["wsgi.input"]
        try:
            response = self.app(self.environ, self._start_response)
            try:
                if response.streaming and not self._is_short():
                    self._stream(response)
                else:
                    self._whole = b"".join(response)
                    self._name_length(response)
            finally:
                response.close()
        finally:
            body.close()

    def _start_response(self, status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], NoReturn]:
        self._start = {
            "type": "http.response.start",
            "status": int(status[:3]),
            "headers": _encoded(headers),
        }
        return _no_write

    def _is_short(self) -> bool:
        length = _header(self._start, b"content-length")
        return length.isdigit() and int(length) <= WHOLE_BYTES

    def _name_length(self, response: HttpResponseBase) -> None:
        """Without a length the server would have to send a whole answer in chunks."""
        bodiless = response.status_code < 200 or response.status_code in (204, 304)
        if not bodiless and not _header(self._start, b"content-length"):
            self._start["headers"].append((b"content-length", str(len(self._whole or b"")).encode()))

    def _stream(self, response: HttpResponseBase) -> None:
        self._sender = asyncio.run_coroutine_threadsafe(self._send_stream(), self.loop)
        self._push(self._start)
        for chunk in response:
            self._push({"type": "http.response.body", "body": chunk, "more_body": True})
        self._push({"type": "http.response.body", "body": b"", "more_body": False})

    def _push(self, message: Message) -> None:
        """Wait until the loop has room for ``message``; raises ``ClientGone`` when that makes no sense any more."""
        if self.gone:
            raise ClientGone
        placed = asyncio.run_coroutine_threadsafe(self._chunks.put(message), self.loop)
        give_up = time.monotonic() + STALL_SECONDS
        while not self._settled(placed):
            if self._left() or time.monotonic() > give_up:
                self.gone = True
                placed.cancel()
                raise ClientGone

    def _settled(self, placed: "Future[None]") -> bool:
        try:
            placed.result(timeout=0.5)
        except CancelledError:
            raise ClientGone from None
        except TimeoutError:
            return False
        return True

    def _left(self) -> bool:
        """``gone``, which the event loop may set at any moment."""
        return self.gone


def _environ(scope: Message, body: IO[bytes], size: int) -> dict[str, Any]:
    """The WSGI environ with the counted length of a body that has arrived.

    A name with an underscore would become the same variable as its twin with a
    hyphen, and could so add to a header that our own edge has set.
    """
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name not in (b"content-length", b"transfer-encoding") and b"_" not in name
    ]
    headers.append((b"content-length", str(size).encode()))
    environ: dict[str, Any] = build_environ({**scope, "headers": headers}, body)  # type: ignore[arg-type, assignment, typeddict-item]
    return environ


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Django writes cookies with a space in front, which h11 refuses."""
    return [(name.lower().encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers]


def _too_large(limit: int) -> PlatformError:
    return PlatformError(PAYLOAD_TOO_LARGE, context={"maxBytes": limit})


def _header(message: Message, wanted: bytes) -> bytes:
    for name, value in message["headers"]:
        if name == wanted:
            found: bytes = value
            return found
    return b""


async def _let_run_out(receive: Receive) -> None:
    """Take and forget the rest of a refused body, for a while."""
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                continue
    except TimeoutError:
        return


def _no_write(data: bytes) -> NoReturn:
    raise NotImplementedError("Django answers with an iterable and never calls write().")
