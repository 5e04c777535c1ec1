"""A PostgreSQL of our own: real, embedded, by unix socket only."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from platform_site.local import postgres_roles
from platform_site.local.layout import POSTGRES_PORT, Layout
from platform_site.local.owner_lock import OwnerLock
from platform_site.local.postgres_binaries import Binaries, copy_for_others, find_binaries
from platform_site.local.problem import LocalProblem
from platform_site.local.processes import Command, end_orphans, is_alive, processes_in
from platform_site.local.server import (
    Profile,
    server_environment,
    settle_socket_dir,
    tidy_socket_dir,
)
from platform_site.local.server_account import Account, account_for, can_enter

_SUPERUSER = "postgres"
_DATABASE = "platform"

_FOR_ALL = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # A tenant is a schema, and a transaction over many tables holds many locks.
    "max_locks_per_transaction": "256",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
# For root only: what is made there has a name of its own, or its owner is checked.
_OPEN_PLACES = (Path("/var/lib"), Path("/var/tmp"), Path("/tmp"))  # noqa: S108
_WANTED = "wanted-at"
_HOME_OF = {Profile.DEVELOPMENT: "platform-data-", Profile.TEST: "platform-test-"}
_BY_PROFILE = {
    Profile.DEVELOPMENT: {"fsync": "on", "synchronous_commit": "off"},
    Profile.TEST: {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "autovacuum": "off",
        "max_wal_size": "4GB",
    },
}


class PostgresServer:
    """One data directory and the server over it.  Start it with a supervisor or standalone."""

    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait for every client to leave

    def __init__(self, layout: Layout, profile: Profile = Profile.DEVELOPMENT) -> None:
        self._layout = layout
        self._profile = profile
        self._lock = OwnerLock(layout.postgres_data.with_suffix(".lock"))
        self._binaries = find_binaries()
        self._account: Account | None = None
        self.data = layout.postgres_data

    @property
    def title(self) -> str:
        return f"PostgreSQL {self._binaries.version}"

    @property
    def url(self) -> str:
        return self._layout.database_url

    @property
    def owner_url(self) -> str:
        return self._layout.database_owner_url

    def release(self) -> None:
        """Give the directories back; the server has ended."""
        if self._lock.held:
            tidy_socket_dir(self._layout, self._layout.postgres_socket_dir.glob(".s.PGSQL.*"))
        self._lock.release()

    def prepare(self) -> list[str]:
        """Everything before the server itself; safe to repeat before a restart."""
        self._layout.var_dir.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        self._account = account_for(self._layout.postgres_data)
        notes = self._settle_home()
        if end_orphans(self.data, "postgres", first=(signal.SIGINT, signal.SIGQUIT)):
            notes.append("stopped a PostgreSQL that an earlier run had left behind")
        self._settle_socket_dir()
        notes += self._settle_data()
        _disarm_recorded_pid(self.data)
        self._settle_roles()
        return notes

    # -- directories ---------------------------------------------------------------------------

    def _settle_home(self) -> list[str]:
        """Choose the real place of the data and the programs.

        As root both must be open to the server's account.  Where VAR_DIR is not (a checkout below
        /root), the data live in a place of ours and VAR_DIR keeps a link to it.
        """
        if self._account is None:
            self._refuse_foreign_data()
            return []
        notes = self._move_data_home(self._account)
        self._binaries = self._reachable_binaries(self._account)
        return notes

    def _refuse_foreign_data(self) -> None:
        if self.data.is_dir() and self.data.stat().st_uid != os.geteuid():
            raise LocalProblem(
                f"{self.data} belongs to another account: an earlier run was started by somebody "
                "else, perhaps with sudo. Start as before, or choose another VAR_DIR."
            )

    def _move_data_home(self, account: Account) -> list[str]:
        wanted = self._layout.postgres_data
        if wanted.is_symlink():
            self.data = Path(os.readlink(wanted))
            self.data.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            return []
        if can_enter(account, wanted.parent):
            return []
        home = self._new_home()
        self.data = home / "postgres"
        if wanted.is_dir():
            shutil.move(wanted, self.data)
        wanted.symlink_to(self.data)
        # After the link: a sweep takes only homes that say where their link should be.
        home.joinpath(_WANTED).write_text(str(wanted))
        return [f"{wanted.parent} is closed to account {account.name}; data are in {self.data}"]

    def _new_home(self) -> Path:
        """A directory with a name of its own; the link in VAR_DIR is what finds it again."""
        if self._profile is Profile.TEST:
            _sweep_homes_of_tests()
        home = _open_place() / f"{_HOME_OF[self._profile]}{secrets.token_hex(6)}"
        home.mkdir(mode=0o711)
        home.chmod(0o711)  # whatever the umask was
        return home

    def _reachable_binaries(self, account: Account) -> Binaries:
        if can_enter(account, self._binaries.directory / "postgres"):
            return self._binaries
        shared = _open_place() / "platform-postgres"
        shared.mkdir(mode=0o711, exist_ok=True)
        if shared.lstat().st_uid != os.geteuid() or shared.is_symlink():
            raise LocalProblem(f"{shared} belongs to another account. Remove it.")
        return copy_for_others(self._binaries, shared)

    def _settle_socket_dir(self) -> None:
        settle_socket_dir(self._layout)
        directory = self._layout.postgres_socket_dir
        directory.mkdir(mode=0o700, exist_ok=True)
        if self._account is not None:
            os.chown(directory, self._account.uid, self._account.gid)

    # -- data ----------------------------------------------------------------------------------

    def _settle_data(self) -> list[str]:
        """Leave a whole data directory of our major version, or say why not."""
        for leftover in self.data.parent.glob(f"{self.data.name}.new-*"):
            shutil.rmtree(leftover)
        notes = []
        if self.data.is_dir() and not _is_whole(self.data):
            notes.append(self._set_aside())
        if not self.data.is_dir():
            self._create_data()
        self._check_version()
        return notes

    def _set_aside(self) -> str:
        """A directory without its control files is no database, but it is not ours to delete."""
        aside = self.data.with_name(f"{self.data.name}.incomplete-{int(time.time())}")
        self.data.rename(aside)
        return f"{self.data} was incomplete; it is now {aside.name}, and a new one was made"

    def _create_data(self) -> None:
        """Make the data under another name: a data directory exists only when it is complete."""
        unfinished = self.data.with_name(f"{self.data.name}.new-{os.getpid()}")
        unfinished.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(unfinished, self._account.uid, self._account.gid)
        self._run("initdb", "-D", str(unfinished), *self._initdb_options())
        self._single_user(unfinished, "postgres", f"CREATE DATABASE {_DATABASE};")
        unfinished.rename(self.data)

    def _settle_roles(self) -> None:
        """The two roles, once; what was made before there were two goes over to the owner."""
        marker = self.data / postgres_roles.MARKER
        if marker.exists():
            return
        self._single_user(self.data, "postgres", postgres_roles.MAKE_ROLES, postgres_roles.HAND_OVER_DATABASES)
        self._single_user(self.data, _DATABASE, postgres_roles.HAND_OVER_OBJECTS)
        marker.touch()

    def _single_user(self, data: Path, database: str, *statements: str) -> None:
        """Run statements without a server. With -j, each ends at a semicolon before an empty line."""
        locks = "max_locks_per_transaction=1024"
        script = "".join(f"{statement.strip()}\n\n" for statement in statements)
        self._run("postgres", "--single", "-j", "-D", str(data), "-c", locks, database, stdin=script)

    def _initdb_options(self) -> list[str]:
        options = ["--username", _SUPERUSER, "--auth=trust", "--encoding=UTF8"]
        if self._profile is Profile.TEST:
            options.append("--no-sync")
        if self._binaries.major >= 17:
            return [*options, "--locale-provider=builtin", "--locale=C.UTF-8"]
        # Before 17 there is no built-in provider; the machine's own UTF-8 then sorts letters out.
        ctype = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        return [*options, "--locale=C", f"--lc-ctype={ctype}"]

    def _run(self, program: str, *arguments: str, stdin: str = "") -> None:
        account = self._account
        answer = subprocess.run(
            [self._binaries.path(program), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=server_environment(),
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        # Single-user mode answers 0 even when the statement failed.
        if answer.returncode != 0 or re.search(r"\b(ERROR|FATAL|PANIC):", answer.stderr):
            raise LocalProblem(f"{program} failed:\n{answer.stdout}{answer.stderr}".rstrip())

    def _check_version(self) -> None:
        found = int(self.data.joinpath("PG_VERSION").read_text().split(".")[0])
        if found != self._binaries.major:
            raise LocalProblem(
                f"The data in {self.data} were written by PostgreSQL {found}, but the installed "
                f"one is {self._binaries.version}. Either move them away and begin anew:\n"
                f"    mv {self._layout.postgres_data} {self._layout.postgres_data}-{found}\n"
                f"or dump them with a PostgreSQL {found} and load the dump into the new server."
            )

    # -- the server ----------------------------------------------------------------------------

    def command(self) -> Command:
        settings = {
            **_FOR_ALL,
            **_BY_PROFILE[self._profile],
            "unix_socket_directories": str(self._layout.postgres_socket_dir),
        }
        if self._binaries.major >= 18:
            settings["io_workers"] = "1"
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            argv=[
                self._binaries.path("postgres"),
                "-D",
                str(self.data),
                "-p",
                str(POSTGRES_PORT),
                *flags,
            ],
            env=server_environment(),
            cwd=Path("/"),
            account=self._account,
            death_signal=self.stop_signal,
        )

    def is_ready(self, pid: int) -> bool:
        """What `pg_ctl -w` tests: the file is our child's, and its last line says ready."""
        lines = _pid_file_lines(self.data)
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _open_place() -> Path:
    """A directory of the machine that every account may pass and that survives a reboot.

    Only root needs it, so /var/lib will do; unlike /var/tmp nothing sweeps it by age.
    """
    return next(place for place in _OPEN_PLACES if os.access(place, os.W_OK))


def _sweep_homes_of_tests() -> None:
    """Tests come and go with their temporary directories; data that no link names are litter.

    Those of development are never touched: their VAR_DIR may have been moved, link and all.
    """
    for home in _open_place().glob(f"{_HOME_OF[Profile.TEST]}*"):
        # Another run of the tests may sweep at the same time.
        with contextlib.suppress(FileNotFoundError):
            link = Path(home.joinpath(_WANTED).read_text())
            if not (link.is_symlink() and Path(os.readlink(link)).parent == home):
                shutil.rmtree(home)


def _is_whole(data: Path) -> bool:
    needed = ("PG_VERSION", "global/pg_control", "base", "postgresql.conf")
    return all(data.joinpath(name).exists() for name in needed)


def _pid_file_lines(data: Path) -> list[str]:
    try:
        return data.joinpath("postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _disarm_recorded_pid(data: Path) -> None:
    """Keep a stranger who got the pid of a dead server from stopping the start.

    We hold the lock and no server of this directory lives.  The file is not deleted, for its
    seventh line guards the shared memory; PostgreSQL ignores a pid that is its parent's, so ours
    takes the place of the stranger's.  A file that a crash left empty guards nothing.
    """
    path = data / "postmaster.pid"
    lines = _pid_file_lines(data)
    if not path.exists():
        return
    if not lines or not lines[0].strip().isdigit():
        path.unlink()
    elif is_alive(int(lines[0])) and not processes_in(data, "postgres"):
        _replace_text(path, "\n".join([str(os.getpid()), *lines[1:], ""]))


def _replace_text(path: Path, text: str) -> None:
    """Rewrite in place: the owner and the mode of the file stay what the server expects."""
    with path.open("r+") as file:
        file.write(text)
        file.truncate()
