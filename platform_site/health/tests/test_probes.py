"""Probes against real servers that answer, dawdle, break and die."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.utils import timezone

from platform_site.health import monitor, probes
from platform_site.health.catalog import DATABASE, HealthCheck
from platform_site.health.monitor import Watch, downstream_checks
from platform_site.health.status import Status, overall
from platform_site.outbox.models import OutboxRow


def becomes(watch: Watch, status: Status, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if watch.report().status is status:
            return True
        time.sleep(0.02)
    return watch.report().status is status


@pytest.fixture
def watched() -> Iterator[Callable[[HealthCheck], Watch]]:
    started: list[Watch] = []

    def watch(check: HealthCheck) -> Watch:
        started.append(Watch(check))
        started[-1].start()
        return started[-1]

    yield watch
    for one in started:
        one.stop()


# The watch itself


def test_a_probe_that_hangs_is_down_until_it_answers(watched: Callable[[HealthCheck], Watch]) -> None:
    hangs, may_go = Event(), Event()

    def probe() -> Status:
        if hangs.is_set():
            may_go.wait(10)
        return Status.UP

    watch = watched(HealthCheck("x", False, probe, interval=0.05, timeout=0.3))
    assert becomes(watch, Status.UP, 1)
    hangs.set()
    assert becomes(watch, Status.DOWN, 0.6)
    assert watch.report().error == "Timeout"
    hangs.clear()
    may_go.set()
    assert becomes(watch, Status.UP, 1)


def test_a_probe_that_never_comes_back_is_left_behind(
    watched: Callable[[HealthCheck], Watch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "ABANDON_SECONDS", 0.3)
    for_ever, calls = Event(), []

    def probe() -> Status:
        calls.append(1)
        if len(calls) == 1:
            for_ever.wait(20)
        return Status.UP

    watch = watched(HealthCheck("x", False, probe, interval=0.05, timeout=0.1))
    assert becomes(watch, Status.UP, 2)
    for_ever.set()
    time.sleep(0.2)
    assert watch.report().status is Status.UP


def test_a_result_that_nobody_renews_counts_as_down(
    watched: Callable[[HealthCheck], Watch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "GRACE_SECONDS", 0.1)
    watch = watched(HealthCheck("x", False, lambda: Status.UP, interval=0.1, timeout=0.1))
    assert becomes(watch, Status.UP, 1)
    watch._stopped.set()
    assert becomes(watch, Status.DOWN, 1)
    assert watch.report().error == "Stale"


def test_an_error_is_known_by_its_class_alone(watched: Callable[[HealthCheck], Watch]) -> None:
    def probe() -> Status:
        raise LookupError("postgres://secret@db.internal")

    watch = watched(HealthCheck("x", False, probe, interval=5, timeout=1))
    watch.wait_until_known(time.monotonic() + 1)
    assert (watch.report().status, watch.report().error) == (Status.DOWN, "LookupError")


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], Status.UP),
        ([(True, Status.UP), (False, Status.UP)], Status.UP),
        ([(True, Status.UP), (False, Status.DOWN)], Status.DEGRADED),
        ([(True, Status.DEGRADED)], Status.DEGRADED),
        ([(True, Status.DOWN), (False, Status.UP)], Status.DOWN),
    ],
)
def test_the_whole_follows_from_its_parts(parts: list[tuple[bool, Status]], whole: Status) -> None:
    assert overall(parts) is whole


# PostgreSQL


def test_a_killed_database_is_noticed_within_two_seconds_and_found_again(
    own_postgres: Any, watched: Callable[[HealthCheck], Watch], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = own_postgres.url.rsplit("/", 1)[0] if "?" not in own_postgres.url else own_postgres.url
    monkeypatch.setattr(probes, "_connect", lambda: psycopg.connect(address, autocommit=True, connect_timeout=2))
    probe = probes.Database()
    check = HealthCheck("database", True, probe, interval=DATABASE.interval, timeout=DATABASE.timeout)
    watch = watched(check)
    assert becomes(watch, Status.UP, 5)
    own_postgres.kill()
    assert becomes(watch, Status.DOWN, 2)
    own_postgres.start()
    assert becomes(watch, Status.UP, 5)
    os.kill(own_postgres.pid, signal.SIGSTOP)
    backend = probe._connection.info.backend_pid  # type: ignore[union-attr]
    os.kill(backend, signal.SIGSTOP)
    try:
        assert becomes(watch, Status.DOWN, 2)
    finally:
        os.kill(own_postgres.pid, signal.SIGCONT)
        os.kill(backend, signal.SIGCONT)
    assert becomes(watch, Status.UP, 3)


# The others


@pytest.mark.commits
def test_work_that_nobody_does_degrades_the_outbox(tenant: Any) -> None:
    # Signing up the tests' own tenants left work behind.
    OutboxRow.objects.all().delete()
    assert probes.outbox_moves() is Status.UP
    row = OutboxRow.objects.create(tenant_id=tenant.id, entry_id=uuid4(), key="a.b", reaction="c.d")
    assert probes.outbox_moves() is Status.UP
    OutboxRow.objects.filter(pk=row.pk).update(available_at=timezone.now() - timedelta(minutes=5))
    assert probes.outbox_moves() is Status.DEGRADED
    OutboxRow.objects.filter(pk=row.pk).update(state=OutboxRow.State.DEAD)
    assert probes.outbox_moves() is Status.UP


def test_a_mail_server_that_is_not_there_is_down(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with pytest.raises(ConnectionRefusedError):
        probes.mail_server_greets()
    settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
    assert probes.mail_server_greets() is Status.UP


# Downstream services


class _Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/trickle":
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":
                self.wfile.write(bytes([byte]))
                time.sleep(0.5)
            return
        if self.path == "/slow":
            time.sleep(1.2)
        self.send_response({"/broken": 500, "/moved": 302}.get(self.path, 200))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/", Status.UP, ""),
        ("/moved", Status.UP, ""),
        ("/slow", Status.DEGRADED, ""),
        ("/broken", Status.DOWN, "HTTP500"),
        ("/trickle", Status.DOWN, "TimeoutError"),
    ],
)
def test_a_service_is_what_its_answer_says(
    service: str, settings: Any, watched: Callable[[HealthCheck], Watch], path: str, status: Status, error: str
) -> None:
    settings.DOWNSTREAM_SERVICES = {"crm": service + path}
    (check,) = downstream_checks()
    watch = watched(check)
    started = time.monotonic()
    watch.wait_until_known(started + 5)
    assert time.monotonic() - started < 2.6
    assert (watch.report().status, watch.report().error) == (status, error)


def test_a_service_that_is_not_there_is_down(settings: Any, watched: Callable[[HealthCheck], Watch]) -> None:
    settings.DOWNSTREAM_SERVICES = {"crm": "http://127.0.0.1:9/"}
    (check,) = downstream_checks()
    watch = watched(check)
    watch.wait_until_known(time.monotonic() + 5)
    assert (watch.report().status, watch.report().error) == (Status.DOWN, "ConnectError")
