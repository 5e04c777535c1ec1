"""What operators do beside the platform as ``make run`` starts it. No page is opened, but all of it is started."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from platform_site.doctor.catalog import State
from tests.browser.support import ADMIN, ROOT, Running, started

pytestmark = [pytest.mark.browser, pytest.mark.no_django, pytest.mark.timeout(600)]
# Nobody is asked outside of this machine.
SKIPPED = {"mail.domain"}


def command(running: Running, *arguments: str) -> tuple[int, Any]:
    """Exit code and JSON of a command as somebody types it into another terminal."""
    environment = {name: value for name, value in running.environment.items() if name != "PORT"}
    done = subprocess.run(
        [sys.executable, "-m", "platform_site.local.run", "--", "python", "manage.py", *arguments, "--json"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, json.loads(done.stdout)


def call(running: Running, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
    method = "GET" if body is None else "POST"
    request = urllib.request.Request(f"{running.url}/api/v1{path}", method=method)  # noqa: S310 - ours
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        sent = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, sent, timeout=20) as answer:  # noqa: S310 - ours
            return answer.status, json.load(answer)["data"]
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)["error"]


def wrong(told: Any) -> list[Any]:
    """What is neither fine nor left out for a reason."""
    fine = (State.OK, State.SKIPPED)
    return [
        one
        for one in told["examinations"]
        if one["state"] not in fine or (one["state"] == State.SKIPPED and one["name"] not in SKIPPED)
    ]


def examined(running: Running) -> Any:
    """What the doctor says, once the scheduler, which starts last, has sent something."""
    deadline = time.monotonic() + 60
    while True:
        _, told = command(running, "doctor")
        if not wrong(told) or time.monotonic() > deadline:
            return told


def test_the_doctor_finds_nothing_wrong(tmp_path: Path) -> None:
    with started(tmp_path / "home") as running:
        assert wrong(examined(running)) == []
        code, told = command(running, "doctor")
        assert (code, told["healthy"]) == (0, True)


def test_keys_are_replaced_while_people_stay_signed_in(tmp_path: Path) -> None:
    rings = ("JWT_KEYS", "TOKEN_KEYS", "ENCRYPTION_KEYS", "SECRET_KEY")
    with started(tmp_path / "home") as running:
        _, signed = call(running, "/auth/login", ADMIN)
        _, key = call(running, "/api-keys", {"name": "shop", "permissions": [1]}, signed["accessToken"])
    for name in rings:
        code, made = command(running, "rotate_secrets", "--new", name, "--write")
        assert (code, made["written"]) == (0, True)
    with started(tmp_path / "home") as running:
        # Nobody notices: what was given out before is still good.
        assert call(running, "/auth/me", token=signed["accessToken"])[0] == 200
        assert call(running, "/users", token=key["key"])[0] == 200
        status, refreshed = call(running, "/auth/refresh", {"refreshToken": signed["refreshToken"]})
        assert status == 200
        assert command(running, "rotate_secrets", "--reseal")[0] == 0
        assert wrong(examined(running)) == []
    # Links that were mailed when the workspace was seeded live for three days; waiting is theirs.
    for name in ("JWT_KEYS", "ENCRYPTION_KEYS", "SECRET_KEY"):
        code, finished = command(running, "rotate_secrets", "--finish", name, "--write")
        assert (code, finished["written"]) == (0, True)
    with started(tmp_path / "home") as running:
        assert call(running, "/auth/me", token=signed["accessToken"])[0] == 401
        assert call(running, "/auth/me", token=refreshed["accessToken"])[0] == 200
        assert call(running, "/auth/refresh", {"refreshToken": refreshed["refreshToken"]})[0] == 200
        assert wrong(examined(running)) == []
