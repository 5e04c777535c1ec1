"""The command behind `make run`, as far as it goes without the platform itself."""

import os
import socket
import subprocess
import sys

import pytest

from platform_site.local.layout import REPOSITORY, Layout
from platform_site.local.mailbox import HOST
from platform_site.local.owner_lock import OwnerLock

pytestmark = pytest.mark.no_django


def _run(module: str, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_in_use_is_said_before_anything_starts(home: Layout) -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = str(listener.getsockname()[1])
        answer = _run("platform_site.local.run", VAR_DIR=str(home.var_dir), PORT=port)
    assert answer.returncode == 1
    assert f"Port {port} is in use" in answer.stdout
    assert not home.postgres_data.exists()


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(port: str, home: Layout) -> None:
    answer = _run("platform_site.local.run", VAR_DIR=str(home.var_dir), PORT=port)
    assert answer.returncode == 1
    assert "PORT must be a number" in answer.stdout


def test_a_second_run_on_the_same_home_is_told_how_to_run_beside(home: Layout) -> None:
    lock = OwnerLock(home.owner_lock)
    lock.acquire()
    answer = _run("platform_site.local.run", VAR_DIR=str(home.var_dir))
    lock.release()
    assert answer.returncode == 1
    assert f"in use by another `make run` (process {os.getpid()})" in answer.stdout


def test_one_command_gets_the_servers_and_its_exit_code_is_ours(home: Layout) -> None:
    code = (
        "import sys, psycopg, redis; from platform_site.local.layout import Layout; here = Layout.from_env();"
        "psycopg.connect(here.database_url).close(); redis.Redis.from_url(here.redis_url).ping(); sys.exit(7)"
    )
    answer = _run("platform_site.local.run", "--", "python", "-c", code, VAR_DIR=str(home.var_dir))
    assert answer.returncode == 7, answer.stderr
    assert not home.socket_dir.exists()


def test_throw_away_servers_of_two_runs_at_once_have_a_home_each(home: Layout) -> None:
    """The second starts inside the first, so both run for certain."""
    show = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).close(); print(os.environ['VAR_DIR'])"
    inner = ("python", "-m", "tests.servers", "--", "python", "-c", show)
    first = home.var_dir / "test"
    answer = _run("tests.servers", "--", *inner, TEST_VAR_DIR=str(first))
    assert answer.stdout.strip() == f"{first}-2", answer.stderr


def test_servers_from_outside_are_used_instead(home: Layout) -> None:
    show = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])"
    answer = _run(
        "tests.servers", "--", "python", "-c", show,
        TEST_VAR_DIR=str(home.var_dir), TEST_DATABASE_URL="postgresql://h/d", TEST_REDIS_URL="redis://h",
    )  # fmt: skip
    assert answer.stdout.split() == ["postgresql://h/d", "redis://h"]
    assert not home.postgres_data.exists()
