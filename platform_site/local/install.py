"""Install what a make target needs into `.venv`, when it is not there yet.

    python3 -I platform_site/local/install.py requirements-dev.txt

Runs on the machine's own Python with nothing but the standard library, and starts with syntax
that an old Python still reads, so that it can say that it is too old.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  this is the one file that an older Python may read
    sys.exit(
        f"The platform needs Python 3.11 or newer, and this is {sys.version.split()[0]}. Install one and run\n"
        "    make PYTHON=python3.11 ..."
    )

import fcntl
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = "constraints.txt"
# Each file includes those after it, so whoever has the first has them all.
FROM_LARGEST = ("requirements-dev.txt", "requirements-local.txt", "requirements.txt")


class InstallFailed(Exception):
    """The message says what to do."""


class Environment:
    """One `.venv` and its memory of what was installed into it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / ".venv"
        self.python = self.directory / "bin" / "python"
        self._memory = self.directory / "installed.json"

    def has(self, wanted: str) -> bool:
        """Whether this set, or a larger one that includes it, is in as it stands today."""
        remembered = self._remembered()
        larger = FROM_LARGEST[: FROM_LARGEST.index(wanted) + 1]
        return self._works() and any(remembered.get(name) == fingerprint(self.root, name) for name in larger)

    def install(self, wanted: str) -> None:
        if not self._works():
            self._create()
        say(f"Installing {wanted} (a minute the first time) ...")
        self._install_packages(wanted)
        self._remember(wanted)
        say("Installed.")

    # -- memory --------------------------------------------------------------------------------

    def _remembered(self) -> dict[str, str]:
        try:
            content = json.loads(self._memory.read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _remember(self, wanted: str) -> None:
        """Only after success, and only what is still true."""
        current = {
            name: known
            for name, known in self._remembered().items()
            if name in FROM_LARGEST and known == fingerprint(self.root, name)
        }
        current[wanted] = fingerprint(self.root, wanted)
        unfinished = self._memory.with_suffix(".new")
        unfinished.write_text(json.dumps(current, indent=2))
        unfinished.replace(self._memory)

    # -- the virtual environment ---------------------------------------------------------------

    def _works(self) -> bool:
        """A killed creation, or a Python that was uninstalled since, leaves a useless folder."""
        check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        try:
            return subprocess.run([self.python, "-c", check], capture_output=True).returncode == 0
        except OSError:
            return False

    def _create(self) -> None:
        say(f"Making .venv with Python {sys.version.split()[0]} ...")
        command = [sys.executable, "-m", "venv", "--clear", str(self.directory)]
        if not succeeds(command):
            raise InstallFailed(
                "python -m venv failed. On Debian and Ubuntu it is a package of its own:\n    apt install python3-venv"
            )

    def _install_packages(self, wanted: str) -> None:
        arguments = ["-r", str(self.root / wanted), "-c", str(self.root / CONSTRAINTS)]
        if self._have_uv() and self._by_uv(arguments):
            return
        say("Installing by pip instead of uv ...")
        if not succeeds([self.python, "-m", "pip", "install", *arguments]):
            raise InstallFailed(
                f"Installing {wanted} failed; the reason is above. Repeat the command when the network is back."
            )

    def _have_uv(self) -> bool:
        """uv is a wheel too, and installs the whole in seconds."""
        uv = self.directory / "bin" / "uv"
        return uv.exists() or succeeds([self.python, "-m", "pip", "install", "--quiet", "uv"])

    def _by_uv(self, arguments: Sequence[str]) -> bool:
        uv = self.directory / "bin" / "uv"
        sources = self._sources_of_pip()
        # pip takes the best version of all its sources, whereas uv stops at the first that knows
        # the name.  The versions are pinned, so the order matters to neither.
        equal = ("--index-strategy", "unsafe-best-match")
        command: list[str | Path] = [
            uv,
            "pip",
            "install",
            "--python",
            self.python,
            # Some machines forbid Python to write bytecode, and every process would compile all packages anew.
            "--compile-bytecode",
            *equal,
            *sources,
            *arguments,
        ]
        return succeeds(command)

    def _sources_of_pip(self) -> list[str]:
        """uv does not read pip's configuration, where a company names its mirror."""
        answer = subprocess.run([self.python, "-m", "pip", "config", "list"], capture_output=True, text=True)
        return uv_options(answer.stdout)


def uv_options(pip_configuration: str) -> list[str]:
    """`global.index-url='https://…'` lines as options of uv."""
    options: dict[str, str] = {}
    for line in pip_configuration.splitlines():
        name, _, quoted = line.partition("=")
        key = name.rpartition(".")[2]
        if key in {"index-url", "extra-index-url", "find-links"}:
            for value in quoted.strip("'\"").replace("\\n", " ").split():
                options[value] = f"--{key}"
    return [word for value, option in options.items() for word in (option, value)]


def fingerprint(root: Path, wanted: str) -> str:
    """Of all files that decide what gets installed, and of the Python that it is for."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for name in FROM_LARGEST[FROM_LARGEST.index(wanted) :]:
        digest.update((root / name).read_bytes())
    digest.update((root / CONSTRAINTS).read_bytes())
    return digest.hexdigest()


def succeeds(command: Sequence[str | Path]) -> bool:
    """Run it in sight of the user, from a folder whose modules shadow nothing."""
    try:
        return subprocess.run(command, cwd=tempfile.gettempdir()).returncode == 0
    except OSError as error:
        say(str(error))
        return False


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Two targets at once install one after the other."""
    path = root / "var" / "install.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in FROM_LARGEST:
        say((__doc__ or "").strip())
        return 2
    environment = Environment(ROOT)
    try:
        with alone(ROOT):
            if not environment.has(arguments[0]):
                environment.install(arguments[0])
    except InstallFailed as failure:
        say(f"\n{failure}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
