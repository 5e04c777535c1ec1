"""``--write``: the keys of an embedded installation, in its own file."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from platform_site.local import secrets
from platform_site.local.layout import REPOSITORY, Layout

pytestmark = pytest.mark.no_django
HOLD = "import sys; from platform_site.local.owner_lock import OwnerLock; from pathlib import Path; \
lock = OwnerLock(Path(sys.argv[1])); lock.acquire(); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def home(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    secrets.ensure(layout.secrets_file)
    return layout


@pytest.fixture
def rotate(home: Layout) -> Callable[..., Any]:
    """The command on an installation with servers of its own. Nothing has to run for it."""

    def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        keep = {"PATH", "HOME", "LANG"}
        environment = {name: value for name, value in os.environ.items() if name in keep}
        return subprocess.run(
            [sys.executable, "manage.py", "rotate_secrets", *arguments],
            cwd=REPOSITORY,
            env={**environment, "DEBUG": "1", "VAR_DIR": str(home.var_dir), **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def test_a_new_key_is_written_in_front(home: Layout, rotate: Callable[..., Any]) -> None:
    before = secrets.load(home.secrets_file)
    done = rotate("--new", "TOKEN_KEYS", "--write", "--json")
    assert done.returncode == 0, done.stderr
    after = secrets.load(home.secrets_file)
    told = json.loads(done.stdout)
    assert told["written"] is True
    assert after == {**before, **told["first"]}
    assert after["TOKEN_KEYS"].endswith(f",{before['TOKEN_KEYS']}")
    assert home.secrets_file.stat().st_mode & 0o777 == 0o600


def test_django_s_key_and_the_one_before_are_both_there(home: Layout, rotate: Callable[..., Any]) -> None:
    before = secrets.load(home.secrets_file)
    assert rotate("--new", "SECRET_KEY", "--write").returncode == 0
    assert secrets.load(home.secrets_file)["SECRET_KEY_FALLBACK"] == before["SECRET_KEY"]


def test_a_dry_run_writes_nothing(home: Layout, rotate: Callable[..., Any]) -> None:
    before = secrets.load(home.secrets_file)
    assert rotate("--new", "TOKEN_KEYS", "--write", "--dry-run").returncode == 0
    assert secrets.load(home.secrets_file) == before


def test_nothing_is_written_under_a_platform_that_runs(home: Layout, rotate: Callable[..., Any]) -> None:
    """It would go on with the keys it was started with, beside commands that have the new one."""
    before = secrets.load(home.secrets_file)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home.owner_lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        refused = rotate("--new", "TOKEN_KEYS", "--write")
    finally:
        holder.communicate()
    assert refused.returncode == 1
    assert "The platform runs" in refused.stderr
    assert secrets.load(home.secrets_file) == before


def test_what_the_environment_says_is_not_written_over(home: Layout, rotate: Callable[..., Any]) -> None:
    refused = rotate("--new", "TOKEN_KEYS", "--write", TOKEN_KEYS="mine:" + "m" * 43)
    assert refused.returncode == 1
    assert "comes from the environment" in refused.stderr


def test_write_alone_is_wrong_usage(rotate: Callable[..., Any]) -> None:
    assert rotate("--status", "--write").returncode == 2
