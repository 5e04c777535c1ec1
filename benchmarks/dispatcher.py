"""The product's dispatcher in a process of its own, which looks for work whenever it is told to."""

import subprocess
import sys
import time
from types import TracebackType
from typing import Self

from benchmarks.database import Database
from benchmarks.processes import ROOT


class Dispatcher:
    """Nothing is due in its database, so each look finds nothing."""

    def __init__(self, database: Database) -> None:
        self._env = database.env()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.dispatcher"],
            env=self._env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)

    def look(self, times: int) -> float:
        """Milliseconds for one look, on average."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{times}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


def _serve() -> None:
    import django

    django.setup()

    from platform_site.outbox.dispatcher import run_once

    for line in sys.stdin:
        begun = time.perf_counter()
        for _ in range(int(line)):
            assert run_once() == 0, "there was something to do"
        print((time.perf_counter() - begun) * 1000 / int(line), flush=True)


if __name__ == "__main__":
    _serve()
