"""Child processes that cannot outlive us, and a look at those of others.

Every child gets a session of its own, so that Ctrl-C in the terminal reaches only the parent and
the order of stopping stays ours.
"""

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from platform_site.local.server_account import Account

_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1
_POLL = 0.02


@dataclass(frozen=True, kw_only=True)
class Command:
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    account: Account | None = None
    # What the kernel sends when we die without a word.  PostgreSQL wants SIGINT here.
    death_signal: signal.Signals = signal.SIGTERM


def spawn(
    command: Command,
    *,
    stdout: int | IO[bytes],
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a lasting child.  To be called from the main thread only.

    The kernel's death signal is tied to the thread that started the child, not to its process.
    """
    account = command.account
    return subprocess.Popen(
        list(command.argv),
        env=dict(command.env),
        cwd=command.cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=pass_fds,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=_tie_to_parent(command.death_signal),
    )


def _tie_to_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does right before exec, which is after the change of user.

    The kernel forgets the wish at setuid, hence the place.  When the parent died between fork and
    this call nobody would send the signal any more, hence the second look.
    """
    if sys.platform != "linux":
        return None
    return functools.partial(_die_with_parent, _libc(), os.getpid(), int(death_signal))


def _die_with_parent(libc: ctypes.CDLL, parent: int, death_signal: int) -> None:
    libc.prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        os._exit(1)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def signal_process(pid: int, what: signal.Signals) -> None:
    # A process that has ended by itself needs no signal.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, what)


def kill_group(leader: int) -> None:
    """End whatever is left of a child's session.  It may well be nothing.

    macOS answers EPERM for a group of which only a zombie is left.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def stop_child(child: subprocess.Popen[bytes], *, first: signal.Signals, patience: float) -> int:
    """Ask gently, wait, then kill; what the child itself started goes with it."""
    if child.poll() is None:
        signal_process(child.pid, first)
        if not wait_until(lambda: child.poll() is not None, timeout=patience):
            kill_group(child.pid)
    kill_group(child.pid)
    return child.wait()


def wait_until(condition: Callable[[], bool], *, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL)
    return True


def is_alive(pid: int) -> bool:
    """Whether the process runs.  A zombie answers `kill(0)` as well, but runs no more."""
    if _PROC.joinpath("self").exists():
        return _state(pid) not in {None, "Z", "X"}
    answer = subprocess.run(["/bin/ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(answer.stdout.strip()) and not answer.stdout.strip().startswith("Z")


def _state(pid: int) -> str | None:
    try:
        text = _PROC.joinpath(str(pid), "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name of the program stands in brackets and may itself hold spaces and brackets.
    return text.rpartition(")")[2].split()[0]


def processes_in(directory: Path, program: str) -> list[int]:
    """Living processes of this program which have this directory as working directory."""
    found = _from_proc(program) if _PROC.joinpath("self").exists() else _from_lsof(program)
    wanted = os.path.realpath(directory)
    return [pid for pid, cwd in found if cwd == wanted and is_alive(pid)]


def _from_proc(program: str) -> Iterator[tuple[int, str]]:
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        # Processes come and go while we look, and those of other people are closed to us.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if entry.joinpath("comm").read_text().strip() == program:
                yield int(entry.name), os.readlink(entry / "cwd")


def _from_lsof(program: str) -> Iterator[tuple[int, str]]:
    """macOS has no /proc; the system's own `lsof` prints `p<pid>` and `n<directory>` lines."""
    answer = subprocess.run(
        ["/usr/sbin/lsof", "-a", "-d", "cwd", "-c", program, "-Fpn"],
        capture_output=True,
        text=True,
        check=False,
    )
    pid = 0
    for line in answer.stdout.splitlines():
        if line.startswith("p"):
            pid = int(line[1:])
        elif line.startswith("n"):
            yield pid, line[1:]


def end_orphans(directory: Path, program: str, *, first: Sequence[signal.Signals]) -> int:
    """Stop servers that a killed supervisor left behind.  The caller holds the owner's lock.

    Without that lock a living server could be somebody's; with it, it can be nobody's.
    """
    count = len(processes_in(directory, program))
    for what in (*first, signal.SIGKILL):
        pids = processes_in(directory, program)
        for pid in pids:
            signal_process(pid, what)
        if wait_until(lambda: not processes_in(directory, program), timeout=4):
            break
    return count
