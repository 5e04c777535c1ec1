"""From nothing to the first answer, as a newcomer has it after the packages are installed."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.processes import ROOT, answers, free_port
from benchmarks.row import Figure, Row, at_most

LONGEST_SECONDS = 180
# Ours lead to the servers of the benchmark; `make run` is to find none and to start its own.
_OURS = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "CELERY_BROKER_URL",
    "DJANGO_SETTINGS_MODULE",
    "PLATFORM_ENV",
    "REDIS_PREFIX",
)


class StartTime(Row):
    name = "start_time"
    title = "make run, first start (packages installed)"
    bar = at_most(60, aim=30)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with tempfile.TemporaryDirectory(prefix="bench-start-") as home:
            yield Figure(self.title, _seconds_to_start(Path(home)), "s", bar=self.bar)
            yield Figure("make run, later start", _seconds_to_start(Path(home)), "s", bar=at_most(10, aim=5))


def _seconds_to_start(home: Path) -> float:
    port = free_port()
    env = {name: value for name, value in os.environ.items() if name not in _OURS}
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "platform_site.local.run"],
        env={**env, "VAR_DIR": str(home), "PORT": str(port)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not answers(port):
            if process.poll() is not None or time.monotonic() - begun > LONGEST_SECONDS:
                raise RuntimeError("make run did not come up")
            time.sleep(0.05)
        return time.monotonic() - begun
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
