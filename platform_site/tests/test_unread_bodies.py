"""What nobody read of a request is read before the answer goes out, so that no line is cut under who still writes."""

import http.client
import io
import os
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.processes import Web, granian
from platform_site import unread_bodies
from platform_site.unread_bodies import MOST_BYTES, read_to_the_end
from tests.support import database_environment


@pytest.fixture(scope="module")
def web(django_db_setup: None) -> Iterator[Web]:
    """One worker over the database of all tests, in which it changes nothing."""
    with granian(database_environment(os.environ["TEST_DATABASE_NAME"]), workers=1) as web:
        yield web


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/api/v1/auth/login", 2_000_000, 413),
        ("/api/v1/users", 900_000, 401),
        ("/api/v1/no-such-path", 900_000, 404),
    ],
)
def test_the_line_stays_after_a_refusal(web: Web, path: str, size: int, status: int) -> None:
    line = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
    for _ in range(5):
        line.request("POST", path, b"x" * size, {"Content-Type": "application/json"})
        answer = line.getresponse()
        answer.read()
        assert answer.status == status
        # What cannot be used any more is closed by the client's library, and would be opened anew.
        kept = line.sock
        assert kept is not None
        line.request("GET", "/api/v1/health/live")
        assert line.getresponse().read()
        assert line.sock is kept
    line.close()


def left_of(body: io.BytesIO, **environ: str) -> int:
    """How much of a body is left when an application that looks at none has answered."""
    whole = read_to_the_end(lambda environ, start_response: [b"refused"])
    given: dict[str, Any] = {"wsgi.input": body, **environ}
    assert whole(given, lambda *_: None) == [b"refused"]
    return len(body.read())


def test_a_body_is_read_as_it_was_announced() -> None:
    assert left_of(io.BytesIO(b"x" * 200_000), CONTENT_LENGTH="200000") == 0
    assert left_of(io.BytesIO(b"x" * 200_000), HTTP_TRANSFER_ENCODING="chunked") == 0


def test_whoever_waits_for_a_word_to_go_on_is_not_waited_for() -> None:
    assert left_of(io.BytesIO(b"x"), CONTENT_LENGTH="1", HTTP_EXPECT="100-continue") == 1


def test_without_a_body_nothing_is_read() -> None:
    assert left_of(io.BytesIO(b"the next request")) == len(b"the next request")


def test_what_no_edge_lets_through_is_cut_off() -> None:
    assert left_of(io.BytesIO(b"x"), CONTENT_LENGTH=str(MOST_BYTES + 1)) == 1
    assert left_of(io.BytesIO(b"x" * (MOST_BYTES + 5)), HTTP_TRANSFER_ENCODING="chunked") == 5


def test_a_slow_sender_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread_bodies, "MOST_SECONDS", 0.0)
    assert left_of(io.BytesIO(b"x" * 200_000), CONTENT_LENGTH="200000") == 200_000
