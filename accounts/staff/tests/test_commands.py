"""The first staff account of an installation, and a password for one who forgot theirs."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.staff.models import StaffUser
from tests.rows import row_counts

GOOD, OTHER = "seventeen blue umbrellas", "eleven green lanterns"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))


def create(email: str = "Ada@Platform.test", *arguments: str) -> None:
    call_command("staff_create", email, *arguments)


def code_of(command: str, *arguments: str) -> int:
    with pytest.raises(CommandError) as refused:
        call_command(command, *arguments)
    return refused.value.returncode


def test_whoever_is_made_signs_in_with_their_role(database: None, typed: Any) -> None:
    typed(GOOD)
    create("Ada@Platform.test", "--role", "operator")
    ada = StaffUser.objects.get()
    assert (ada.email, ada.role, ada.is_staff, ada.is_superuser) == ("ada@platform.test", "operator", True, False)
    assert Client().login(username="ada@platform.test", password=GOOD)
    typed(GOOD)
    create("root@platform.test", "--role", "superuser")
    assert StaffUser.objects.get(email="root@platform.test").is_superuser is True


@pytest.mark.parametrize("password", ["", "short", "password123456", "ada@platform.test"])
@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_a_password_that_the_admin_would_refuse_is_refused(
    database: None, typed: Any, password: str, dry_run: list[str]
) -> None:
    typed(password)
    assert code_of("staff_create", "ada@platform.test", *dry_run) == 1
    assert not StaffUser.objects.exists()


def test_refusals(database: None, typed: Any) -> None:
    typed(GOOD)
    create()
    typed(GOOD)
    assert code_of("staff_create", "ada@platform.test") == 1
    assert code_of("staff_create", "nobody") == 1
    assert code_of("staff_password", "bob@platform.test") == 2
    typed("short")
    assert code_of("staff_password", "ada@platform.test") == 1
    assert StaffUser.objects.get().check_password(GOOD)


def test_another_password_signs_everybody_out(database: None, typed: Any) -> None:
    typed(GOOD)
    create("ada@platform.test", "--role", "superuser")
    browser = Client()
    assert browser.login(username="ada@platform.test", password=GOOD)
    assert browser.get("/admin/").status_code == 200
    typed(OTHER)
    call_command("staff_password", "ADA@platform.test")
    assert StaffUser.objects.get().check_password(OTHER)
    assert browser.get("/admin/").status_code == 302


@pytest.mark.commits
@pytest.mark.timeout(120)
def test_the_commands_and_their_exit_codes(manage: Any) -> None:
    before = row_counts()
    dry = manage("staff_create", "ada@platform.test", "--dry-run", "--json", input=f"{GOOD}\n")
    assert (dry.returncode, json.loads(dry.stdout)) == (
        0,
        {"email": "ada@platform.test", "role": "viewer", "dryRun": True},
    )
    assert row_counts() == before
    done = manage("staff_create", "ada@platform.test", "--role", "support", input=f"{GOOD}\n")
    assert (done.returncode, done.stdout) == (0, "ada@platform.test is staff, as support.\n")
    dry = manage("staff_password", "ada@platform.test", "--dry-run", input=f"{OTHER}\n")
    assert (dry.returncode, StaffUser.objects.get().check_password(GOOD)) == (0, True)
    done = manage("staff_password", "ada@platform.test", input=f"{OTHER}\n")
    assert (done.returncode, done.stdout) == (0, "ada@platform.test has another password.\n")
    assert manage("staff_create", "bob@platform.test", "--role", "king").returncode == 2
    assert OTHER not in done.stdout + done.stderr
