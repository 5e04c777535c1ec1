"""Homes of throw-away servers in memory, where there is room.

Tests make and drop databases of a thousand files each. ext4 gives no inode away again that was
freed a moment ago and looks further each time, so that a database takes a second there, and a
twentieth of one in memory.
"""

import contextlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Final

_PLACE: Final = Path("/dev/shm")
_NAME: Final = "platform-test-"
# What leads here, for those who sweep.
_LINK: Final = "led-to-by"
# A run takes up to half a gibibyte; the rest is for whatever else the machine does.
ROOM_BYTES: Final = 6 * 2**30


def lead_into_memory(link: Path, place: Path = _PLACE) -> None:
    """Let ``link`` lead to a directory in memory. What is there already stays; without room nothing happens.

    The directory is empty after a reboot, which costs the next run a few seconds.
    """
    if not link.is_symlink():
        if link.exists() or _room(place) < ROOM_BYTES:
            return
        _sweep(place)
        link.parent.mkdir(parents=True, exist_ok=True)
        # The link comes first, so that nobody takes the directory for litter. Another run may have been faster.
        with contextlib.suppress(FileExistsError):
            link.symlink_to(place / f"{_NAME}{secrets.token_hex(8)}")
    home = Path(os.readlink(link))
    if home.parent == place:
        # As root the server has an account of its own, which has to get through.
        home.mkdir(mode=0o711, exist_ok=True)
        home.chmod(0o711)
        home.joinpath(_LINK).write_text(str(link))


def _room(place: Path) -> int:
    """Bytes that neither the place nor the machine's memory lacks."""
    try:
        memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        return min(shutil.disk_usage(place).free, int(memory["MemAvailable"].split()[0]) * 1024)
    except OSError:
        return 0


def _sweep(place: Path) -> None:
    """Checkouts come and go; what none of them leads to is litter."""
    for home in place.glob(f"{_NAME}*"):
        # Another run may sweep at the same time, and what is somebody else's is not ours to read.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            link = Path(home.joinpath(_LINK).read_text())
            if not (link.is_symlink() and Path(os.readlink(link)) == home):
                shutil.rmtree(home)
