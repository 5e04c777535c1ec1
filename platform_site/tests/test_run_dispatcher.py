"""``manage.py run_dispatcher``: reactions without a broker."""

import json
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from django.db import transaction

from accounts import catalog
from accounts.models import User
from platform_site.binding import bind
from platform_site.journal.services import record
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tests.support import database_environment

pytestmark = pytest.mark.commits


def happen(tenant: Tenant) -> None:
    """A fact whose reaction has nothing to mail, because the address is verified."""
    with bind(tenant.ref), transaction.atomic():
        User.objects.update(email_verified_at="2026-01-01T00:00:00Z")
        record(catalog.USER_REGISTERED, subject=("user", User.objects.get(pk=1).uuid))


def gone(seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while OutboxRow.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not OutboxRow.objects.exists()


def test_once_runs_what_is_due_and_ends(tenant: Tenant, manage: Any) -> None:
    OutboxRow.objects.all().delete()
    happen(tenant)
    waits = manage("run_dispatcher", "--once", "--dry-run", "--json")
    assert (waits.returncode, json.loads(waits.stdout)) == (0, {"reactions": 2, "dryRun": True})
    done = manage("run_dispatcher", "--once")
    assert (done.returncode, done.stdout.strip()) == (0, "2 reactions run.")


def test_it_runs_until_it_is_stopped(tenant: Tenant, committed: str) -> None:
    OutboxRow.objects.all().delete()
    running = subprocess.Popen(
        [sys.executable, "manage.py", "run_dispatcher", "--interval", "0.1"],
        env=database_environment(committed),
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(2):
            happen(tenant)
            assert gone()
    finally:
        running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 0
