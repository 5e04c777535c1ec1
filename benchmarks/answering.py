"""A process of the product's code that is asked by lines and answers with figures."""

import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from benchmarks.processes import ROOT


class Answering:
    """``python -m module arguments``, from the first to the last line of a ``with`` block."""

    def __init__(self, module: str, env: Mapping[str, str], *arguments: str, stderr: int | None = None) -> None:
        self._command, self._env, self._stderr = [sys.executable, "-m", module, *arguments], env, stderr

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            env=self._env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)

    def ask(self, line: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self.read()

    def read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()
