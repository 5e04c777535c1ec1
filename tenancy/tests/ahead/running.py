"""Commands of the next release, as processes of their own, and many tenants for them."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from platform_site.settings.base import BASE_DIR
from tenancy.migrating.history import migrations_fingerprint
from tenancy.models import Tenant
from tenancy.registration import tenant_register
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
