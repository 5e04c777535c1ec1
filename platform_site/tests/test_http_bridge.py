"""The bridge under a real uvicorn, with clients that behave badly."""

import contextlib
import contextvars
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import uvicorn
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from platform_site import http_bridge
from platform_site.http_bridge import WAITING_ROOM, Bridge

THREADS = 2
MAX_BODY = 200_000

_left_behind: contextvars.ContextVar[str] = contextvars.ContextVar("left_behind", default="nothing")
_gate = threading.Event()
_entered = threading.Semaphore(0)
_closed = threading.Event()


def echo(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            "size": len(request.body),
            "declared": request.META["CONTENT_LENGTH"],
            "method": request.method,
            "encoding": request.META.get("HTTP_TRANSFER_ENCODING"),
            "forwarded": request.META.get("HTTP_X_FORWARDED_FOR"),
            "peer": request.META["REMOTE_ADDR"],
            "thread": threading.current_thread().name,
        }
    )


def remember(request: HttpRequest) -> HttpResponse:
    before = _left_behind.get()
    _left_behind.set(request.GET["word"])
    return HttpResponse(before)


def remember_in_stream(request: HttpRequest) -> StreamingHttpResponse:
    _left_behind.set("stream")

    def chunks() -> Iterator[str]:
        yield _left_behind.get()

    return StreamingHttpResponse(chunks())


def wait(request: HttpRequest) -> HttpResponse:
    _entered.release()
    _gate.wait(20)
    return HttpResponse("waited")


def ticks(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        for number in range(5):
            yield b"%d" % number
            time.sleep(0.2)

    return StreamingHttpResponse(chunks())


def endless(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                time.sleep(0.01)
        finally:
            _closed.set()

    return StreamingHttpResponse(chunks())


def flood(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            _closed.set()

    return StreamingHttpResponse(chunks())


def lies(request: HttpRequest) -> HttpResponse:
    return HttpResponse("much longer than it says", headers={"Content-Length": "4"})


def lies_in_stream(request: HttpRequest) -> StreamingHttpResponse:
    chunks = (b"x" * 100_000 for _ in range(100))
    return StreamingHttpResponse(chunks, headers={"Content-Length": str(5 * 1024 * 1024)})


def breaks(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        yield b"a beginning"
        raise ValueError("and no end")

    return StreamingHttpResponse(chunks())


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def cookie(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("eaten")
    response.set_cookie("crumb", "1")
    response.set_cookie("other", "2")
    return response


def large_file(request: HttpRequest) -> StreamingHttpResponse:
    chunks = (b"x" * 50_000 for _ in range(60))
    return StreamingHttpResponse(chunks, headers={"Content-Length": str(3_000_000)})


urlpatterns = [
    path(name, csrf_exempt(view))
    for name, view in {
        "api/echo": echo,
        "remember": remember,
        "remember-in-stream": remember_in_stream,
        "wait": wait,
        "ticks": ticks,
        "endless": endless,
        "flood": flood,
        "lies": lies,
        "lies-in-stream": lies_in_stream,
        "breaks": breaks,
        "empty": empty,
        "large-file": large_file,
        "cookie": cookie,
    }.items()
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A uvicorn as `make run` starts it, with a small bridge and a short patience."""
    middleware = ["platform_site.api.middleware.RequestContextMiddleware"]
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=middleware, CORS_ALLOWED_ORIGINS=["https://app.test"]):
        bridge = Bridge(get_wsgi_application(), threads=THREADS, max_body=MAX_BODY, body_seconds=1.5)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(
                uvicorn.Config(
                    bridge,
                    http="h11",
                    lifespan="on",
                    proxy_headers=False,
                    server_header=False,
                    timeout_keep_alive=30,
                    timeout_graceful_shutdown=5,
                    log_config=None,
                )
            )
            runner = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            runner.start()
            yield listener.getsockname()[1]
            server.should_exit = True
            runner.join(10)
            assert not runner.is_alive()


@pytest.fixture(autouse=True)
def fresh_gates() -> Iterator[None]:
    _gate.clear()
    _closed.clear()
    yield
    _gate.set()


@pytest.fixture
def client(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:
        yield client


@contextlib.contextmanager
def raw(port: int, data: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.sendall(data)
        yield sock


def read_to_end(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(65536), b""))


def holds_within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def error_of(response: httpx.Response) -> dict[str, Any]:
    body = response.json()
    assert body["success"] is False
    error: dict[str, Any] = body["error"]
    return error


# Bodies


def test_a_body_arrives_whole_with_its_length(client: httpx.Client) -> None:
    answer = client.post("/api/echo", content=b"x" * 150_000).json()
    assert answer["size"] == 150_000
    assert answer["declared"] == "150000"


def test_a_chunked_body_gets_a_counted_length(client: httpx.Client) -> None:
    answer = client.post("/api/echo", content=iter([b"abc", b"", b"defg"])).json()
    assert (answer["size"], answer["declared"], answer["encoding"]) == (7, "7", None)


def test_the_few_larger_bodies_are_known_by_path_and_type(client: httpx.Client, settings: Any) -> None:
    settings.LARGER_BODIES = {("/api/echo", "multipart/form-data"): 300_000}
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/api/echo", content=b"x" * 300_000, headers=form).json()["size"] == 300_000
    too_large = client.post("/api/echo", content=iter([b"x" * 300_001]), headers=form)
    assert (too_large.status_code, error_of(too_large)["context"]) == (413, {"maxBytes": 300_000})
    assert client.post("/api/echo", content=b"x" * 300_000).status_code == 413
    assert client.post("/api/echo/", content=b"x" * 200_001).status_code == 413


def test_a_get_has_no_body(client: httpx.Client) -> None:
    assert client.get("/api/echo").json()["size"] == 0


def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(port: int) -> None:
    head = b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 200001\r\nExpect: 100-continue\r\n\r\n"
    with raw(port, head) as sock:
        started = time.monotonic()
        answer = read_to_end(sock)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - started < 1


def test_a_refused_sender_can_read_why(client: httpx.Client) -> None:
    response = client.post(
        "/api/echo",
        content=b"x" * 5_000_000,
        headers={"X-Request-Id": "chosen-by-client", "Origin": "https://app.test"},
    )
    assert response.status_code == 413
    error = error_of(response)
    assert (error["code"], error["context"]) == ("payload_too_large", {"maxBytes": MAX_BODY})
    assert error["requestId"] == response.headers["X-Request-Id"] == "chosen-by-client"
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.test"


def test_a_chunked_body_is_counted_and_refused(client: httpx.Client) -> None:
    response = client.post("/api/echo", content=(b"x" * 50_000 for _ in range(40)))
    assert response.status_code == 413
    assert error_of(response)["code"] == "payload_too_large"


def test_a_refusal_is_problem_json_for_whoever_asks_for_it(client: httpx.Client) -> None:
    response = client.post("/api/echo", content=b"x" * 300_000, headers={"Accept": "application/problem+json"})
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "payload_too_large"


def test_a_body_that_does_not_come_is_given_up(port: int) -> None:
    with raw(port, b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf") as sock:
        started = time.monotonic()
        answer = read_to_end(sock)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request_timeout"' in answer
    assert 1 < time.monotonic() - started < 4


def test_stalled_uploads_hold_no_thread(port: int, client: httpx.Client) -> None:
    half = b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"
    with contextlib.ExitStack() as stack:
        for _ in range(THREADS * 5):
            stack.enter_context(raw(port, half))
        started = time.monotonic()
        assert client.get("/api/echo").status_code == 200
        assert time.monotonic() - started < 0.5


def test_half_a_body_is_never_handed_over(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with raw(port, b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 5000):
        time.sleep(0.1)
    assert not _entered.acquire(timeout=0.5)


# Threads


def test_requests_beyond_threads_and_waiting_room_are_sent_away_at_once(client: httpx.Client, port: int) -> None:
    request = b"GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(raw(port, request)) for _ in range(THREADS + WAITING_ROOM)]
        for _ in range(THREADS):
            assert _entered.acquire(timeout=5)
        assert holds_within(2, lambda: client.get("/wait").status_code == 503)
        response = client.get("/wait")
        assert error_of(response)["code"] == "service_unavailable"
        assert response.headers["Retry-After"] == "1"
        _gate.set()
        assert all(read_to_end(sock).startswith(b"HTTP/1.1 200 ") for sock in waiting)
    assert client.get("/api/echo").status_code == 200
    while _entered.acquire(blocking=False):
        continue


def test_no_more_threads_than_allowed_ever_work(client: httpx.Client) -> None:
    with ThreadPoolExecutor(20) as pool:
        names = set(pool.map(lambda _: client.get("/api/echo").json()["thread"], range(200)))
    assert len(names) <= THREADS


def test_what_a_request_leaves_in_its_context_never_reaches_another(client: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda n: client.get("/remember", params={"word": str(n)}).text, range(200)))
    assert answers == {"nothing"}


def test_a_stream_keeps_the_context_of_its_request(client: httpx.Client) -> None:
    assert client.get("/remember-in-stream").text == "stream"
    assert client.get("/remember", params={"word": "x"}).text == "nothing"


# Answers


def test_chunks_of_a_stream_arrive_when_they_are_made(client: httpx.Client) -> None:
    with client.stream("GET", "/ticks") as response:
        arrivals = [(chunk, time.monotonic()) for chunk in response.iter_raw()]
    assert b"".join(chunk for chunk, _ in arrivals) == b"01234"
    assert arrivals[-1][1] - arrivals[0][1] > 0.6


def test_a_stream_ends_when_its_client_leaves(client: httpx.Client) -> None:
    with client.stream("GET", "/endless") as response:
        next(response.iter_raw())
    assert _closed.wait(1)


def test_slow_readers_of_short_files_hold_no_thread(port: int, client: httpx.Client) -> None:
    request = b"GET /large-file HTTP/1.1\r\nHost: x\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(THREADS * 3):
            stack.enter_context(raw(port, request))
        time.sleep(0.2)
        started = time.monotonic()
        assert client.get("/api/echo").status_code == 200
        assert time.monotonic() - started < 1


def test_a_client_that_reads_nothing_loses_its_stream(
    port: int, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_bridge, "STALL_SECONDS", 1.0)
    with raw(port, b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n"):
        assert _closed.wait(5)
        assert client.get("/api/echo").status_code == 200


@pytest.mark.parametrize("where", ["/lies", "/lies-in-stream", "/breaks"])
def test_a_broken_answer_costs_its_connection_and_no_thread(client: httpx.Client, where: str) -> None:
    for _ in range(THREADS * 2):
        with contextlib.suppress(httpx.RemoteProtocolError):
            client.get(where)
    assert client.get("/api/echo").status_code == 200


def test_an_answer_carries_its_length(client: httpx.Client) -> None:
    response = client.get("/remember", params={"word": "x"})
    assert response.headers["Content-Length"] == "7"
    assert "Transfer-Encoding" not in response.headers
    assert client.head("/api/echo").headers["Content-Length"] != "0"
    assert "Content-Length" not in client.get("/empty").headers


def test_cookies_arrive(client: httpx.Client) -> None:
    assert set(client.get("/cookie").cookies.items()) == {("crumb", "1"), ("other", "2")}


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    first = b"GET /remember?word=a HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with raw(port, first + last) as sock:
        answer = read_to_end(sock)
    assert answer.index(b"HTTP/1.1 200") < answer.index(b"HTTP/1.1 204")


# Headers


def test_nobody_speaks_for_a_proxy_in_underscores(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/api/echo", headers={"X_Forwarded_For": "6.6.6.6", "X-Forwarded-For": "1.2.3.4"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert (answer["forwarded"], answer["peer"]) == ("1.2.3.4", "127.0.0.1")


def test_bytes_outside_ascii_in_the_path_are_the_clients_fault(port: int) -> None:
    with raw(port, b"GET /api/echo?\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as sock:
        assert read_to_end(sock).startswith(b"HTTP/1.1 400 ")


def test_a_header_of_a_megabyte_is_refused(port: int) -> None:
    head = b"GET /api/echo HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * 1_000_000
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(head)
        with contextlib.suppress(ConnectionError):
            assert b" 200 " not in sock.recv(4096)
