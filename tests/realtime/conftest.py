"""A process of sockets for each test that asks for one, against the test's own database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.realtime.processes import Process
from tests.support import database_environment


@pytest.fixture
def start(committed: str, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Start another process; all of them end with the test."""
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
