"""pg_dump and pg_restore: where they are, and how they learn which database is meant."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from platform_site.binding import connection
from platform_site.local.postgres_binaries import find_binaries
from platform_site.local.problem import LocalProblem
from tenancy.archives.container import ArchiveRefused

# libpq's words for what a connection's options may name beside host and port.
_LIBPQ: Final = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "channel_binding": "PGCHANNELBINDING",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Program:
    path: str
    version: str

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])


def find_program(name: str, *, at_least: int) -> Program:
    """The first ``pg_dump`` or ``pg_restore`` whose major version is no older than ``at_least``.

    Raises ``ArchiveRefused`` that names those which are too old.
    """
    found = programs_called(name)
    for program in found:
        if program.major >= at_least:
            return program
    older = ", ".join(f"{program.path} ({program.version})" for program in found) or "none"
    raise ArchiveRefused(
        f"{name} {at_least} or newer is needed here; found: {older}. Install it, or name its folder by PG_BIN_DIR."
    )


def programs_called(name: str) -> list[Program]:
    """All that there are of them, in the order in which they are tried."""
    return [program for folder in _folders(name) if (program := _program(folder / name))]


def server_version() -> int:
    """The server's version as PostgreSQL numbers it: 180006."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        return int(cursor.fetchone()[0])


def database_environment() -> dict[str, str]:
    """An environment in which libpq finds this connection's database; the password is nowhere else."""
    database = connection.settings_dict
    named = {
        "PGHOST": database["HOST"],
        "PGPORT": str(database["PORT"]),
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGDATABASE": database["NAME"],
        "PGCONNECT_TIMEOUT": "10",
    }
    named |= {_LIBPQ[name]: str(value) for name, value in database["OPTIONS"].items() if name in _LIBPQ}
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {name: value for name, value in named.items() if value}


def _folders(name: str) -> Iterator[Path]:
    if settings.PG_BIN_DIR:
        # Whoever names a folder means it.
        yield Path(settings.PG_BIN_DIR)
        return
    if settings.EMBEDDED_DATABASE:
        yield from _of_the_embedded_server()
    if found := shutil.which(name):
        yield Path(found).parent
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0), reverse=True)
    yield from _of_the_embedded_server()


def _of_the_embedded_server() -> Iterator[Path]:
    try:
        yield find_binaries().directory
    except LocalProblem:
        return


def _program(path: Path) -> Program | None:
    try:
        said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", said)
    return Program(str(path), match.group(1)) if match else None
