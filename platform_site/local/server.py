"""What every embedded server has in common, and the two ways in which it may be careful."""

import contextlib
import enum
import os
import signal
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from platform_site.local.layout import Layout
from platform_site.local.problem import LocalProblem
from platform_site.local.processes import Command


class Profile(enum.StrEnum):
    DEVELOPMENT = "development"  # what was committed survives a restart
    TEST = "test"  # fast, and nobody minds the loss


class Server(Protocol):
    """A server that a supervisor, a test or a single command can run."""

    @property
    def title(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def stop_signal(self) -> signal.Signals: ...

    def prepare(self) -> list[str]:
        """Take ownership and settle the directories; answer what is worth telling."""

    def command(self) -> Command: ...

    def is_ready(self, pid: int) -> bool: ...

    def release(self) -> None: ...


def clean_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without what libpq and the servers would silently obey (PGPORT and so on)."""
    source = os.environ if environ is None else environ
    return {key: value for key, value in source.items() if not key.startswith("PG")}


def server_environment() -> dict[str, str]:
    """Servers need a path and a plain locale, and none of our secrets."""
    kept = {key: os.environ[key] for key in ("PATH", "TMPDIR") if key in os.environ}
    return {**kept, "LC_ALL": "C", "HOME": "/"}


def settle_socket_dir(layout: Layout) -> Path:
    """The directory of the sockets, ours alone.

    It lies in a place where everybody may write, so somebody else may have made it before us.
    Others may pass (the account of a server needs to) but not list.
    """
    directory = layout.socket_dir
    directory.mkdir(mode=0o711, exist_ok=True)
    status = directory.lstat()
    owners = {os.geteuid(), layout.var_dir.stat().st_uid}
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in owners:
        raise LocalProblem(
            f"{directory} belongs to another account (uid {status.st_uid}). Remove it, or start as "
            "that account, or choose another VAR_DIR."
        )
    if status.st_uid == os.geteuid():
        directory.chmod(0o711)
    return directory


def tidy_socket_dir(layout: Layout, sockets: Iterable[Path]) -> None:
    """Leave nothing in the common place, unless another server of this home still needs it."""
    for path in sockets:
        path.unlink(missing_ok=True)
    for directory in (layout.postgres_socket_dir, layout.socket_dir):
        # It is gone already, or not empty, and either is fine.
        with contextlib.suppress(OSError):
            directory.rmdir()
