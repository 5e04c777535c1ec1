"""A small process that stops the servers when the supervisor was killed without a chance to.

It sits at the far end of a pipe and notes which children live.  When the pipe ends without a
goodbye, the supervisor is gone, and the guard stops what is left in reverse order of starting.
The kernel's death signal does most of that already; the guard adds patience, force, the
grandchildren, and macOS.
"""

import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from platform_site.local.layout import REPOSITORY
from platform_site.local.processes import is_alive, kill_group, signal_process, wait_until

_GOODBYE = "goodbye"


class Guard:
    """The supervisor's end of the pipe."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, locks: Sequence[int] = ()) -> None:
        """The guard inherits the locks: nobody else starts while it still cleans up."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "platform_site.local.guard"],
            stdin=subprocess.PIPE,
            cwd=REPOSITORY,
            start_new_session=True,
            pass_fds=locks,
        )

    def watch(self, pid: int, *, first: signal.Signals, patience: float) -> None:
        self._tell(f"watch {pid} {int(first)} {patience}")

    def forget(self, pid: int) -> None:
        self._tell(f"forget {pid}")

    def dismiss(self) -> None:
        """All is stopped; the guard may go."""
        if self._process is None or self._process.stdin is None:
            return
        self._tell(_GOODBYE)
        # It may have been killed before us, and there is nothing left to guard.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process = None

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            # Somebody killed the guard.  The servers run on without it; the kernel's death signal
            # and the search for orphans at the next start remain.
            self._process.wait()
            self._process = None


def main() -> None:
    for what in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(what, signal.SIG_IGN)
    children: dict[int, tuple[signal.Signals, float]] = {}
    for line in sys.stdin:
        words = line.split()
        if words == [_GOODBYE]:
            return
        if words[0] == "watch":
            children[int(words[1])] = (signal.Signals(int(words[2])), float(words[3]))
        else:
            children.pop(int(words[1]), None)
    _stop_all(children)


def _stop_all(children: Mapping[int, tuple[signal.Signals, float]]) -> None:
    # Our own words would go to a terminal that the supervisor no longer holds.
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115  it lives as long as we do
    for pid, (first, patience) in reversed(list(children.items())):
        signal_process(pid, first)
        wait_until(functools.partial(_has_ended, pid), timeout=patience)
        kill_group(pid)


def _has_ended(pid: int) -> bool:
    return not is_alive(pid)


if __name__ == "__main__":
    main()
