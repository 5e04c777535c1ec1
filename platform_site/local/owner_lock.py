"""One owner per directory, by a lock that the kernel frees even after kill -9."""

import contextlib
import fcntl
import os
from pathlib import Path

from platform_site.local.problem import LocalProblem
from platform_site.local.processes import is_alive, wait_until


class InUse(LocalProblem):
    """A living process owns the directory."""


class OwnerLock:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def acquire(self, *, patience: float = 15.0) -> None:
        """Take the lock, or say who has it.

        The owner's guard inherits the lock, so after a kill -9 it stays taken for the moment in
        which the guard still stops servers.  Only then is waiting of use.
        """
        if self.held:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not self._take(descriptor, patience):
            owner = self.owner()
            os.close(descriptor)
            raise InUse(f"{self.path.parent} is in use by another run (process {owner}).")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def _take(self, descriptor: int, patience: float) -> bool:
        wait_until(lambda: self._owner_is_alive() or _lock(descriptor), timeout=patience)
        # Taking it twice does no harm, and a living pid may be a stranger's by now.
        return _lock(descriptor)

    def owner(self) -> int | None:
        try:
            return int(self.path.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _owner_is_alive(self) -> bool:
        owner = self.owner()
        return owner is not None and is_alive(owner)

    def is_taken(self) -> bool:
        """Whether somebody else holds it right now."""
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            try:
                return not _lock(descriptor)
            finally:
                os.close(descriptor)
        return False

    def fileno(self) -> int:
        if self._descriptor is None:
            raise ValueError(f"{self.path} is not held")
        return self._descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
