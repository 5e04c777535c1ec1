"""``/metrics`` of real processes: who gets it, and that all workers of a kind are in it."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.processes import Web, granian
from platform_site.beside import connect_beside
from platform_site.metrics import gauges, serving
from tests.realtime.processes import Process
from tests.support import database_environment

TOKEN = "a-token-of-sixteen-or-more"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}

LIVE_ROUTE = b"/api/v1/health/live"
LEFT_BEHIND = "counter_999999999.db"
LIVE = 'core_http_requests_total{method="GET",route="/api/v1/health/live",status="200"}'


def environment(committed: str, directory: Path, **more: str) -> dict[str, str]:
    return {
        **database_environment(committed),
        "METRICS_TOKEN": TOKEN,
        "PROMETHEUS_MULTIPROC_DIR": str(directory),
        **more,
    }


def value(text: str, series: str) -> float:
    """The number of this series; 0 where it is missing."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the two workers count, and what an earlier run has left there."""
    directory = tmp_path_factory.mktemp("counts")
    (directory / LEFT_BEHIND).write_bytes(b"what is no file of the library")
    return directory


@pytest.fixture(scope="module")
def web(django_db_setup: None, counts: Path) -> Iterator[Web]:
    """Two workers over the database of all tests, in which they change nothing."""
    with granian(environment(os.environ["TEST_DATABASE_NAME"], counts), workers=2) as web:
        yield web


def get(port: int, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=60)


def scrape(web: Web) -> str:
    # A connection of its own each time: any of the workers may answer.
    answer = get(web.port, "/metrics", WITH_TOKEN)
    assert answer.status_code == 200
    return answer.text


def test_whichever_worker_is_asked_answers_for_both(web: Web, counts: Path) -> None:
    before = value(scrape(web), LIVE)

    def ask(times: int) -> None:
        for _ in range(times):
            get(web.port, "/api/v1/health/live").raise_for_status()

    threads = [threading.Thread(target=ask, args=[25]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [value(scrape(web), LIVE) for _ in range(10)] == [before + 100] * 10
    writers = [path for path in counts.glob("counter_*.db") if LIVE_ROUTE in path.read_bytes()]
    assert len(writers) == 2, "only one of the workers answered anything, so this proves nothing"


@pytest.mark.commits
def test_what_a_worker_counted_is_there_after_it_died(committed: str, tmp_path: Path) -> None:
    again = {"GRANIAN_RESPAWN_FAILED_WORKERS": "1", "GRANIAN_RESPAWN_INTERVAL": "0.1"}
    with granian(environment(committed, tmp_path, **again), workers=2) as web:
        _dies_and_counts_on(web, tmp_path)


def _dies_and_counts_on(web: Web, counts: Path) -> None:
    for _ in range(20):
        get(web.port, "/api/v1/health/live").raise_for_status()
    before = value(scrape(web), LIVE)
    assert before >= 20
    dies = worker_pids(web)[0]
    os.kill(dies, 9)
    until = time.monotonic() + 30
    while dies in (there := worker_pids(web)) or len(there) < 2 or not all_count(there, counts):
        assert time.monotonic() < until, "no worker came in its place"
        time.sleep(0.1)
    for _ in range(5):
        assert value(scrape_patiently(web), LIVE) == before


def all_count(pids: list[int], counts: Path) -> bool:
    return all((counts / f"started_{pid}").exists() for pid in pids)


def worker_pids(web: Web) -> list[int]:
    """Those that serve; the helper of Python's multiprocessing is no worker."""
    return [pid for pid in web.workers() if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()]


def scrape_patiently(web: Web) -> str:
    for _ in range(100):
        try:
            return scrape(web)
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("nobody answers any more")


def test_a_restart_begins_anew(web: Web, counts: Path) -> None:
    assert "core_build_info" in scrape(web)
    assert not (counts / LEFT_BEHIND).exists()


def test_how_things_stand_comes_from_the_database(web: Web) -> None:
    text = scrape(web)
    assert value(text, "core_database_up") == 1
    assert value(text, 'core_tenants{status="active"}') == 2
    assert value(text, "core_tenants_behind") == 0
    assert 'core_outbox_rows{queue="0",state="dead"} 0.0' in text
    assert 'core_outbox_oldest_seconds{queue="1"}' in text
    assert re.search(r'core_build_info\{python="3\.\d+\.\d+",release=".+"\} 1', text)


def test_without_the_token_there_is_no_such_page(web: Web) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
        answer = get(web.port, "/metrics", headers)
        assert answer.status_code == 404
        assert "core_" not in answer.text


@pytest.mark.commits
def test_while_it_is_off_there_is_no_such_page_either(committed: str, tmp_path: Path) -> None:
    with granian(environment(committed, tmp_path, METRICS_TOKEN=""), workers=1) as web:
        answer = get(web.port, "/metrics", {"Authorization": "Bearer"})
        assert answer.status_code == 404
        assert "core_" not in answer.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.commits
def test_a_process_of_sockets_answers_whoever_has_the_token(committed: str, tmp_path: Path) -> None:
    process = Process(environment(committed, tmp_path / "counts"), tmp_path / "log")
    process.start()
    try:
        address = f"http://127.0.0.1:{process.port}/metrics"
        assert httpx.get(address, timeout=60).status_code == 404
        text = httpx.get(address, headers=WITH_TOKEN, timeout=60).text
        assert value(text, "core_realtime_sockets") == 0
        assert "core_realtime_gaps_total 0" in text
        assert "core_build_info" in text
    finally:
        process.stop()


@pytest.mark.commits
def test_without_a_token_a_process_of_sockets_answers_its_own_machine_alone(committed: str, tmp_path: Path) -> None:
    process = Process(environment(committed, tmp_path / "counts", METRICS_TOKEN=""), tmp_path / "log")
    process.start()
    try:
        address = f"http://127.0.0.1:{process.port}/metrics"
        assert "core_realtime_sockets 0" in httpx.get(address, timeout=60).text
        assert httpx.get(address, headers={"X-Forwarded-For": "203.0.113.9"}, timeout=60).status_code == 404
    finally:
        process.stop()


@pytest.mark.commits
def test_a_worker_answers_for_the_processes_that_it_forks(committed: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    env = environment(committed, tmp_path / "counts", METRICS_PORT=str(port))
    command = [sys.executable, "-m", "celery", "-A", "platform_site", "worker", "--concurrency", "2", "-l", "ERROR"]
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}/metrics"
        series = 'core_tasks_total{state="SUCCESS",task="platform_site.outbox.sweep"}'
        send = "from platform_site.outbox.tasks import sweep; [sweep.apply_async() for _ in range(6)]"
        subprocess.run(
            [sys.executable, "-c", f"import django; django.setup(); {send}"], env=env, check=True, timeout=60
        )
        text = ""
        for _ in range(300):
            try:
                text = httpx.get(address, headers=WITH_TOKEN, timeout=60).text
            except httpx.TransportError:
                text = ""
            if value(text, series) == 6:
                break
            time.sleep(0.1)
        assert value(text, series) == 6, (tmp_path / "log").read_text()[-3000:]
        assert value(text, 'core_task_seconds_count{task="platform_site.outbox.sweep"}') == 6
        assert httpx.get(address, timeout=60).status_code == 404
    finally:
        worker.terminate()
        worker.wait(30)


def test_a_database_that_is_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    def away(**_: Any) -> Any:
        raise psycopg.OperationalError

    monkeypatch.setattr(gauges, "connect_beside", away)
    gauges.look.forget()
    families = {family.name: family for family in serving._State().collect()}
    gauges.look.forget()
    assert list(families) == ["core_database_up"]
    assert families["core_database_up"].samples[0].value == 0


@pytest.mark.django_db
def test_two_scrapes_cost_the_database_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    connect = connect_beside

    def count(**options: Any) -> Any:
        looked.append(1)
        return connect(**options)

    monkeypatch.setattr(gauges, "connect_beside", count)
    gauges.look.forget()
    for _ in range(3):
        assert len(list(serving._State().collect())) > 3
    gauges.look.forget()
    assert len(looked) == 1
