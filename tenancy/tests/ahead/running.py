"""Commands of the next release, as processes of their own, and many tenants for them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platform_site.settings.base import BASE_DIR
from tenancy.migrating.history import migrations_fingerprint
from tenancy.models import Tenant
from tenancy.registration import tenant_register
from tenancy.tests.catalogue import execute
from tests.support import PASSWORD, database_environment, scaled

# Starts ``manage.py`` with these arguments.
Start = Callable[..., "subprocess.Popen[str]"]


def next_release(database: str) -> Start:
    """The next release's ``manage.py`` on this database."""
    environment = {**database_environment(database), "DJANGO_SETTINGS_MODULE": "tenancy.tests.ahead.settings"}

    def begin(*arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def ended(process: "subprocess.Popen[str]", seconds: int = scaled(240, 3000)) -> tuple[int, dict[str, Any]]:
    """Exit code, and what it printed as JSON."""
    out, err = process.communicate(timeout=seconds)
    assert out, err
    return process.returncode, json.loads(out)


def register(count: int) -> None:
    """So many tenants beside the two that are there."""
    for number in range(count):
        tenant_register(company_name="Many", slug=f"many-{number}", admin_email="a@many.test", admin_password=PASSWORD)


def behind() -> int:
    """How many tenants are not at the next release, which every finished one agrees on."""
    return Tenant.objects.filter(schema_fingerprint=migrations_fingerprint()).count()


def marked(tenant: Tenant) -> tuple[bool, int]:
    """Whether the migration's table is there, and how often the migration is on record."""
    [(table,)] = execute(tenant.schema_name, "SELECT to_regclass('ahead_marker') IS NOT NULL")
    [(rows,)] = execute(tenant.schema_name, "SELECT count(*) FROM django_migrations WHERE name = '9001_ahead'")
    return table, rows


def children(pid: int) -> list[int]:
    """Of all its threads: each worker was started by the thread that waits for it."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for thread in threads for child in thread.read_text().split()]


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
