"""Throw-away servers: for pytest, for one command, and for tests that treat a server badly.

As a plugin (`-p tests.servers` in pytest.ini) it starts PostgreSQL and Valkey before Django's
settings are imported; a conftest.py would come too late.  As a program it does the same for one
command:

    python -m tests.servers -- python -m benchmarks

The home is `var/test`, which leads into memory where there is room, or TEST_VAR_DIR.  So tests run
beside `make run`, and two runs of the tests beside one another.  The data stay there, and the next
run starts in a tenth of a second.
TEST_DATABASE_URL (with TEST_DATABASE_OWNER_URL) and TEST_REDIS_URL name servers from outside to be used instead.
"""

import atexit
import os
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from platform_site.local import secrets
from platform_site.local.layout import REPOSITORY, Layout
from platform_site.local.owner_lock import InUse, OwnerLock
from platform_site.local.postgres import PostgresServer
from platform_site.local.server import Profile, clean_environment
from platform_site.local.standalone import Standalone, run_in_foreground
from platform_site.local.valkey import ValkeyServer
from tests.memory import lead_into_memory

_MOST_HOMES = 20
_FROM_OUTSIDE = {
    "DATABASE_URL": "TEST_DATABASE_URL",
    "DATABASE_OWNER_URL": "TEST_DATABASE_OWNER_URL",
    "REDIS_URL": "TEST_REDIS_URL",
}


class ThrowAwayServers:
    """PostgreSQL and Valkey for one run, and the environment that leads to them."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def start(self) -> dict[str, str]:
        """Start what is not given from outside; answer the variables to set."""
        layout = self._own_a_home()
        return {
            "PLATFORM_ENV": "test",
            "DJANGO_SETTINGS_MODULE": "platform_site.settings",
            "VAR_DIR": str(layout.var_dir),
            **secrets.generate(),
            **self._database(layout),
            **self._redis(layout),
        }

    def _own_a_home(self) -> Layout:
        """The first home that nobody uses: a second run at the same time takes the second."""
        chosen = os.environ.get("TEST_VAR_DIR")
        first = Path(chosen) if chosen else REPOSITORY / "var" / "test"
        for number in range(1, _MOST_HOMES + 1):
            home = first if number == 1 else first.with_name(f"{first.name}-{number}")
            if not chosen:
                lead_into_memory(home)
            layout = Layout(home)
            lock = OwnerLock(layout.owner_lock)
            try:
                lock.acquire()
            except InUse:
                continue
            self._stack.callback(lock.release)
            return layout
        raise InUse(f"{_MOST_HOMES} runs of the tests use all homes from {first} on.")

    def _database(self, layout: Layout) -> dict[str, str]:
        given = os.environ.get(_FROM_OUTSIDE["DATABASE_URL"])
        if given:
            owner = os.environ.get(_FROM_OUTSIDE["DATABASE_OWNER_URL"], "")
            return {"DATABASE_URL": given, "DATABASE_OWNER_URL": owner}
        server = self._start(_postgres(layout, Profile.TEST))
        return {"DATABASE_URL": server.url, "DATABASE_OWNER_URL": layout.database_owner_url}

    def _redis(self, layout: Layout) -> dict[str, str]:
        given = os.environ.get(_FROM_OUTSIDE["REDIS_URL"])
        if given:
            return {"REDIS_URL": given}
        server = self._start(_valkey(layout, Profile.TEST))
        return {"REDIS_URL": server.url, "CELERY_BROKER_URL": layout.broker_url}

    def _start(self, server: Standalone) -> Standalone:
        self._stack.callback(server.close)
        server.start()
        return server

    def stop(self) -> None:
        self._stack.close()


# -- servers of a test's own -------------------------------------------------------------------


@contextmanager
def private_postgres(directory: Path, profile: Profile = Profile.TEST) -> Iterator[Standalone]:
    """A PostgreSQL over this directory, started; the test may stop, kill and start it again."""
    yield from _private(_postgres(Layout(directory), profile))


@contextmanager
def private_valkey(directory: Path, profile: Profile = Profile.TEST) -> Iterator[Standalone]:
    """Likewise a Valkey.  With the test profile it forgets everything when it stops."""
    yield from _private(_valkey(Layout(directory), profile))


def _private(server: Standalone) -> Iterator[Standalone]:
    try:
        server.start()
        yield server
    finally:
        server.close()


def _postgres(layout: Layout, profile: Profile) -> Standalone:
    return Standalone(PostgresServer(layout, profile), layout.log_dir / "postgres.log")


def _valkey(layout: Layout, profile: Profile) -> Standalone:
    return Standalone(ValkeyServer(layout, profile), layout.log_dir / "valkey.log")


# -- the plugin --------------------------------------------------------------------------------

_servers = ThrowAwayServers()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """A wrapper runs before every plain hook, and pytest-django reads the settings in one."""
    options = early_config.known_args_namespace
    # A worker of pytest-xdist inherits the servers of its controller by the environment.
    if "PYTEST_XDIST_WORKER" not in os.environ and not (options.help or options.version):
        os.environ.update(_servers.start())
        # When the settings cannot even be imported, pytest ends without unconfiguring.
        atexit.register(_servers.stop)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _servers.stop()


# -- the program -------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] != ["--"] or len(arguments) < 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        env = _servers.start()
        return run_in_foreground(_command(arguments[1:]), {**_inherited(os.environ), **env})
    finally:
        _servers.stop()


def _command(words: Sequence[str]) -> list[str]:
    """`python` is the one that runs us, whatever the PATH says."""
    return [sys.executable, *words[1:]] if words[0] == "python" else list(words)


def _inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Without the caller's own servers: these here are to be thrown away, those are not."""
    own = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CELERY_BROKER_URL"}
    return {key: value for key, value in clean_environment(environ).items() if key not in own}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
