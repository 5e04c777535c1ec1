"""``/health``: what it says, to whom, and what it costs."""

import itertools
import os
import threading
import time
from dataclasses import replace
from typing import Any
from unittest.mock import ANY

import pytest
from django.db import connection

from platform_site import valkey
from platform_site.health import monitor as monitoring
from platform_site.health import probes
from platform_site.health.catalog import DATABASE, VALKEY, HealthCheck, health_checks
from platform_site.health.status import Status
from tests.support import Api


def run_with(monkeypatch: pytest.MonkeyPatch, **probed: Any) -> None:
    """The checks of the catalogue, some of them with another probe."""
    checks = [
        replace(check, probe=probed[check.key]) if check.key in probed else check
        for check in [*health_checks, *monitoring.downstream_checks()]
    ]
    running = monitoring.Monitor(checks)
    running.start()
    monkeypatch.setattr(monitoring, "_monitor", running)


def fails() -> Status:
    raise ConnectionError("db.internal:5432 refused")


def works() -> Status:
    return Status.UP


def test_all_is_well(visitor: Api) -> None:
    answer = visitor.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "data": {"status": "ok", "database": "up"}}


def test_head_is_enough_for_a_probe(visitor: Api) -> None:
    assert visitor.call("HEAD", "/health").status_code == 200


def test_a_dead_database_is_503_with_a_time_to_come_back(visitor: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    run_with(monkeypatch, database=fails)
    answer = visitor.get("/health")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer.json()["error"] == {
        "code": "service_unavailable",
        "message": ANY,
        "details": [],
        "context": {"status": "down", "database": "down"},
        "requestId": answer["X-Request-Id"],
    }
    assert visitor.get("/health/live").status_code == 200
    assert visitor.get("/health/ready").status_code == 503
    assert visitor.get("/health/system").json()["error"]["context"]["status"] == "down"


def test_something_less_than_critical_only_degrades(visitor: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    run_with(monkeypatch, valkey=fails, outbox=works, mail=works)
    answer = visitor.get("/health/system")
    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "status": "degraded",
        "infrastructure": {"database": "up", "valkey": "down", "outbox": "up", "mail": "up"},
        "services": {},
    }
    assert visitor.get("/health").status_code == 200


def test_strangers_learn_words_and_nothing_else(visitor: Api, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DOWNSTREAM_SERVICES = {"crm": "http://127.0.0.1:9/"}
    run_with(monkeypatch, database=fails)
    for path in ("/health", "/health/system", "/health/live", "/health/ready"):
        answer = visitor.get(path)
        text = answer.content.decode().replace(answer["X-Request-Id"], "")
        assert not any(character.isdigit() for character in text), path
        assert not any(word in text for word in ("internal", "refused", "ConnectionError")), path


def test_a_flood_costs_the_database_one_query_a_second(visitor: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    ask = probes._ask

    def counted(connection: Any, question: Any) -> Any:
        if question == "SELECT 1":
            asked.append(time.monotonic())
        return ask(connection, question)

    monkeypatch.setattr(probes, "_ask", counted)
    started = time.monotonic()
    answers = 0
    while time.monotonic() - started < 2.5:
        assert visitor.get("/health").status_code == 200
        answers += 1
    assert answers > 100
    assert 2 <= len(asked) <= 3
    assert all(later - earlier > 0.9 for earlier, later in itertools.pairwise(asked))


def test_no_request_asks_valkey(visitor: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    client, here = valkey.client, threading.get_ident()

    def elsewhere() -> Any:
        assert threading.get_ident() != here
        return client()

    monkeypatch.setattr(valkey, "client", elsewhere)
    for path in ("/health", "/health/system", "/health/live", "/health/ready"):
        assert visitor.get(path).status_code == 200


def test_a_live_process_depends_on_nothing(visitor: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "monitor", lambda: pytest.fail("asked"))
    assert visitor.get("/health/live").json()["data"] == {"status": "ok"}
    assert monitoring._monitor is None


def test_signed_in_people_see_when_and_why(alice: Api, settings: Any) -> None:
    settings.DOWNSTREAM_SERVICES = {"crm": "http://127.0.0.1:9/"}
    answer = alice.get("/health/services")
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert data["status"] == "degraded"
    assert data["infrastructure"][0] == {
        "name": "database",
        "status": "up",
        "critical": True,
        "latencyMs": ANY,
        "checkedAt": ANY,
        "lastError": None,
    }
    assert data["services"] == [
        {
            "name": "crm",
            "status": "down",
            "critical": False,
            "latencyMs": ANY,
            "checkedAt": ANY,
            "lastError": "ConnectError",
        }
    ]
    assert "127.0.0.1" not in answer.content.decode()


def test_strangers_see_no_times_and_errors(visitor: Api) -> None:
    answer = visitor.get("/health/services")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")


@pytest.mark.commits
@pytest.mark.as_owner
@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM tenancy_schematemplate",
        "DELETE FROM django_migrations WHERE app = 'staff'",
    ],
)
def test_a_schema_that_lags_behind_is_not_ready(api: Api, loss: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(loss)
    answer = api.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["error"]["context"] == {"status": "down", "checks": {"database": "up", "schema": "down"}}
    assert api.get("/health").status_code == 200


def test_a_migrated_platform_is_ready(visitor: Api) -> None:
    answer = visitor.get("/health/ready")
    assert answer.json()["data"] == {"status": "up", "checks": {"database": "up", "schema": "up"}}


def test_probes_start_with_the_first_question_and_only_once(visitor: Api) -> None:
    before = monitoring._monitor
    visitor.get("/health")
    first = monitoring._monitor
    visitor.get("/health/system")
    assert before is None
    assert first is not before
    assert monitoring._monitor is first


def test_a_forked_process_starts_probes_of_its_own(visitor: Api) -> None:
    visitor.get("/health")
    child = os.fork()
    if child == 0:
        os._exit(0 if monitoring._monitor is None and not monitoring._lock.locked() else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_the_catalogue_knows_what_is_critical() -> None:
    assert DATABASE.critical
    assert not VALKEY.critical
    assert all(isinstance(check, HealthCheck) for check in health_checks)
