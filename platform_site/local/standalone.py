"""A server held by this very process: for tests and for single commands."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from platform_site.local.problem import LocalProblem
from platform_site.local.processes import kill_group, spawn, stop_child, wait_until
from platform_site.local.server import Server


class Standalone:
    """Start, stop and kill one server at will; its data stay where they are."""

    def __init__(self, server: Server, log: Path) -> None:
        self.server = server
        self.log = log
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def pid(self) -> int | None:
        return self.child.pid if self.child else None

    def start(self, *, timeout: float = 60) -> None:
        if self.child is not None and self.child.poll() is None:
            return
        self.server.prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            beginning = log.tell()
            self.child = spawn(self.server.command(), stdout=log)
        if not self._becomes_ready(self.child, timeout):
            self.stop()
            raise LocalProblem(f"{self.server.title} did not start:\n{_tail(self.log, beginning)}")

    def _becomes_ready(self, child: subprocess.Popen[bytes], timeout: float) -> bool:
        def settled() -> bool:
            return child.poll() is not None or self.server.is_ready(child.pid)

        return wait_until(settled, timeout=timeout) and child.poll() is None

    def stop(self) -> None:
        if self.child is not None:
            stop_child(self.child, first=self.server.stop_signal, patience=20)
            self.child = None

    def kill(self) -> None:
        """What kill -9 or a power cut does."""
        if self.child is not None:
            kill_group(self.child.pid)
            self.child.wait()
            self.child = None

    def close(self) -> None:
        """Stop and give the directory back."""
        self.stop()
        self.server.release()


def _tail(log: Path, beginning: int) -> str:
    with log.open("rb") as file:
        file.seek(beginning)
        return file.read()[-4000:].decode(errors="replace").rstrip()


@contextmanager
def running(servers: Sequence[tuple[Server, Path]]) -> Iterator[list[Standalone]]:
    """All of these servers, started in order and stopped in reverse."""
    with ExitStack() as stack:
        started = []
        for server, log in servers:
            standalone = Standalone(server, log)
            stack.callback(standalone.close)
            standalone.start()
            started.append(standalone)
        yield started


def run_in_foreground(argv: Sequence[str], env: Mapping[str, str], stdin: IO[bytes] | None = None) -> int:
    """Run one command on our terminal and answer its exit code.

    Ctrl-C reaches the command by itself, since it shares our process group; what it makes of the
    interrupt decides, so we only wait.
    """
    child = subprocess.Popen(list(argv), env=dict(env), stdin=stdin)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue
