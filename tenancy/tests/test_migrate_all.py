"""``manage.py migrate_all``: what is behind catches up, one by one, whatever happens to the others."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from platform_site.binding import bind, connection
from platform_site.errors import PlatformError
from tenancy.migrating.history import migrations_fingerprint
from tenancy.migrating.tenants import stale_tenants
from tenancy.models import SchemaTemplate, Tenant
from tenancy.provisioning.replay import create_schema, current_template, new_schema_name
from tests.support import database_environment

pytestmark = pytest.mark.commits


def put_back(tenant: Tenant) -> None:
    """As if the tenant had been left alone when the table for idempotency keys came."""
    with bind(tenant.ref), connection.cursor() as cursor:
        cursor.execute("DROP TABLE idempotency_idempotencyrecord")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'idempotency'")
    Tenant.objects.filter(pk=tenant.pk).update(schema_fingerprint="before")


def has_table(tenant: Tenant) -> bool:
    with bind(tenant.ref):
        return "idempotency_idempotencyrecord" in connection.introspection.table_names()


def many(count: int) -> list[Tenant]:
    from django.db import transaction

    tenants = []
    for number in range(count):
        with transaction.atomic():
            tenant = Tenant(
                name=f"Company {number}",
                slug=f"company-{number}",
                schema_name=new_schema_name(),
                status=Tenant.Status.ACTIVE,
                schema_fingerprint=migrations_fingerprint(),
            )
            tenant.save(force_insert=True)
            create_schema(schema_name=tenant.schema_name, template=current_template())
        put_back(tenant)
        tenants.append(tenant)
    return tenants


def test_a_tenant_that_is_behind_catches_up(tenant: Tenant, manage: Any) -> None:
    put_back(tenant)
    done = manage("migrate_all", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tenantsMigrated"] == 1
    tenant.refresh_from_db()
    assert (has_table(tenant), tenant.schema_fingerprint) == (True, migrations_fingerprint())


def test_nothing_to_do_looks_into_no_tenant(tenant: Tenant, manage: Any) -> None:
    assert "up to date" in manage("migrate_all").stdout
    with CaptureQueriesContext(connection) as queries:
        assert stale_tenants() == []
    assert len([query for query in queries if "SET search_path" not in query["sql"]]) == 1


def test_a_tenant_that_fails_leaves_the_others_alone(tenant: Tenant, other_tenant: Tenant, manage: Any) -> None:
    put_back(tenant)
    with bind(other_tenant.ref), connection.cursor() as cursor:
        # The table is there, its migration is not: making it again fails.
        cursor.execute("DELETE FROM django_migrations WHERE app = 'idempotency'")
    Tenant.objects.filter(pk=other_tenant.pk).update(schema_fingerprint="before")
    done = manage("migrate_all", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [failed["slug"] for failed in report["tenantsFailed"]] == [other_tenant.slug]
    assert "already exists" in report["tenantsFailed"][0]["error"]
    assert has_table(tenant)
    assert [ref.slug for ref in stale_tenants()] == [other_tenant.slug]


def test_killed_in_the_middle_it_goes_on_where_it_was(tenant: Tenant, manage: Any, committed: str) -> None:
    tenants = many(12)
    killed = subprocess.Popen(
        [sys.executable, "manage.py", "migrate_all", "--workers", "1"],
        env=database_environment(committed),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len(stale_tenants()) > 9 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(10)
    left = len(stale_tenants())
    assert 0 < left <= 9
    done = manage("migrate_all", "--json")
    assert done.returncode == 0, done.stderr
    # The worker of the killed run finishes the one that it had in hand.
    assert left - 1 <= json.loads(done.stdout)["tenantsMigrated"] <= left
    assert all(has_table(tenant) for tenant in tenants)
    assert stale_tenants() == []


def test_a_new_set_of_migrations_gets_a_new_template(database: None, manage: Any) -> None:
    before = SchemaTemplate.objects.get()
    SchemaTemplate.objects.update(fingerprint="before")
    assert manage("migrate_all").returncode == 0
    after = SchemaTemplate.objects.get()
    assert after.fingerprint == migrations_fingerprint()
    assert after.template_schema != before.template_schema
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tpl\\_%%'")
        assert [name for (name,) in cursor.fetchall()] == [after.template_schema]


def test_without_a_template_nobody_can_sign_up(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tenancy.provisioning import replay

    monkeypatch.setattr(replay, "_templates", {})
    SchemaTemplate.objects.all().delete()
    with pytest.raises(PlatformError) as refused:
        current_template()
    assert refused.value.code.key == "tenant_provisioning"
    body = {
        "companyName": "Initech",
        "slug": "initech",
        "adminEmail": "a@initech.test",
        "adminPassword": "secure-password",
    }
    response = api.post("/tenants/register", body)
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_the_plain_commands_point_to_the_right_one(manage: Any) -> None:
    for arguments in (["migrate"], ["migrate", "accounts", "0001"], ["migrate_schemas"]):
        refused = manage(*arguments)
        assert refused.returncode == 2
        assert "migrate_all" in refused.stderr
