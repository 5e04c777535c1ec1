"""Signs of life of worker and scheduler."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_site import pulse, valkey
from platform_site.local.server import Profile
from platform_site.outbox.tasks import sweep
from platform_site.pulse import Part
from tests.servers import private_valkey
from tests.support import database_environment


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    pulse._left_at.clear()


def becomes(part: Part, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        age = pulse.age(part)
        if age is not None and age < 5:
            return True
        time.sleep(0.1)
    return False


def test_a_sign_grows_old_and_a_new_one_is_young() -> None:
    assert pulse.age(Part.WORKER) is None
    pulse.leave(Part.WORKER)
    age = pulse.age(Part.WORKER)
    assert age is not None
    assert 0 <= age < 5
    valkey.client().pexpire(valkey.key("pulse", Part.WORKER), (pulse.KEEP_SECONDS - 60) * 1000)
    age = pulse.age(Part.WORKER)
    assert age is not None
    assert 60 <= age < 65
    assert pulse.age(Part.SCHEDULER) is None


def test_much_work_leaves_one_sign_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    pulse.leave(Part.WORKER)
    valkey.client().delete(valkey.key("pulse", Part.WORKER))
    pulse.leave(Part.WORKER)
    assert pulse.age(Part.WORKER) is None


@pytest.mark.django_db
def test_a_task_that_no_worker_runs_leaves_none() -> None:
    sweep()
    assert pulse.age(Part.WORKER) is None


def test_work_goes_on_without_valkey(tmp_path: Path, settings: Any) -> None:
    with private_valkey(tmp_path, Profile.TEST) as own:
        settings.REDIS_URL = own.url
        valkey.close()
        pulse.leave(Part.WORKER)
        own.stop()
        pulse._left_at.clear()
        pulse.leave(Part.WORKER)
        with pytest.raises(valkey.ValkeyAway):
            pulse.age(Part.WORKER)


@pytest.fixture
def celery(committed: str) -> Iterator[Callable[..., None]]:
    """Starts a part of Celery as in production; all end with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> None:
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "platform_site", *arguments],
                env=database_environment(committed),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(30)


@pytest.mark.commits
@pytest.mark.timeout(180)
def test_scheduler_and_worker_leave_each_their_own(celery: Callable[..., None], tmp_path: Path) -> None:
    celery("beat", "--schedule", str(tmp_path / "schedule"), "--pidfile=")
    assert becomes(Part.SCHEDULER, 60)
    # Nobody runs what it sends.
    assert pulse.age(Part.WORKER) is None
    celery("worker", "--pool", "threads", "--concurrency", "1", "--without-gossip", "--without-mingle")
    assert becomes(Part.WORKER, 60)
