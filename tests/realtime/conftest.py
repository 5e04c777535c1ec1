"""Processes of sockets: one for each test that asks for one, or those that all tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_site import valkey
from platform_site.local.standalone import Standalone
from tests.realtime.processes import Process
from tests.realtime.shared import Company, Shared
from tests.servers import private_valkey
from tests.support import database_environment


@pytest.fixture
def start(committed: str, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Start another process against the test's own database; all of them end with the test."""
    processes: list[Process] = []

    def start_another() -> Process:
        process = Process(database_environment(committed), tmp_path / f"realtime-{len(processes)}.log")
        processes.append(process)
        process.start()
        return process

    yield start_another
    for process in processes:
        process.kill()


@pytest.fixture
def realtime(start: Callable[[], Process]) -> Process:
    return start()


@pytest.fixture(scope="session")
def _shared(
    django_db_setup: None, template_database: str, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shared]:
    shared = Shared(tmp_path_factory.mktemp("sockets"))
    with django_db_blocker.unblock(), shared.made(template_database):
        yield shared


@pytest.fixture
def shared(_shared: Shared, settings: Any, django_db_blocker: Any) -> Iterator[Shared]:
    """The database and processes that tests share. A process that met something unexpected fails the test."""
    settings.REDIS_PREFIX = _shared.prefix
    # What is limited is somebody's haste; here it is on purpose.
    settings.RATE_LIMITS_ENABLED = False
    with django_db_blocker.unblock(), _shared.used():
        yield _shared
    assert _shared.failures() == ""


@pytest.fixture
def first(shared: Shared) -> Process:
    return shared.process("first")


@pytest.fixture
def second(shared: Shared) -> Process:
    """Another process beside the first, which a test may kill."""
    return shared.process("second")


@pytest.fixture
def company(shared: Shared) -> Company:
    return Company(2)


@pytest.fixture(scope="session")
def _own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with private_valkey(tmp_path_factory.mktemp("valkey")) as own:
        yield own


@pytest.fixture
def own_valkey(shared: Shared, _own_valkey: Standalone, settings: Any) -> Iterator[Standalone]:
    """A Valkey that tests may kill. It forgets everything when it starts again."""
    _own_valkey.start()
    settings.REDIS_URL = _own_valkey.url
    valkey.close()
    yield _own_valkey
    _own_valkey.start()


@pytest.fixture
def apart(shared: Shared, own_valkey: Standalone) -> Process:
    """A process that hears from that Valkey, and looks each second whether sessions still live."""
    return shared.process("apart", {"REDIS_URL": own_valkey.url, "REALTIME_LOOK_SECONDS": "1"})
