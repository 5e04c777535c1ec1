"""``migrate_all`` as operators run it: a process of its own, with code that is one migration ahead."""

import os
import signal
import time
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from platform_site.binding import bind
from tenancy.migrating.history import MigrationRefused, migrations_fingerprint, pending
from tenancy.migrating.tenants import stale_tenants
from tenancy.models import CacheEpoch, SchemaTemplate, Tenant
from tenancy.provisioning import locks
from tenancy.provisioning.schemas import TEMPLATE_SCHEMA, new_schema_name, schema_ref, schemas_like
from tenancy.provisioning.snapshot import read_ddl
from tenancy.tests.ahead.running import Start, behind, children, ended, marked, next_release, register, wait_until
from tenancy.tests.catalogue import execute, make_schema, schema_exists, somebody_else

pytestmark = [pytest.mark.commits, pytest.mark.as_owner, pytest.mark.timeout(300)]


@pytest.fixture
def start(database: None, committed: str) -> Start:
    """Start the next release's ``migrate_all`` on the test's database."""
    return partial(next_release(committed), "migrate_all", "--json")


def test_a_new_release_reaches_public_first_then_every_tenant_and_the_template(start: Start) -> None:
    before = SchemaTemplate.objects.get()
    code, report = ended(start("--public-only"))
    assert (code, report["tenantsMigrated"], report["templateBuilt"]) == (0, 0, False)
    assert behind() == 2

    code, report = ended(start("--workers", "2"))
    assert (code, report["tenantsMigrated"], report["tenantsFailed"]) == (0, 2, [])
    assert report["templateBuilt"] is True
    template = SchemaTemplate.objects.get()
    assert template.fingerprint != before.fingerprint
    assert not schema_exists(before.template_schema)
    assert schemas_like(TEMPLATE_SCHEMA) == [template.template_schema]
    for tenant in Tenant.objects.all():
        assert tenant.schema_fingerprint == template.fingerprint
        assert marked(tenant) == (True, 1)
        # One that was migrated looks like a new one.
        with bind(tenant.ref):
            assert structure(read_ddl()) == structure(template.ddl)


def structure(ddl: str) -> list[str]:
    """The statements that make things; the rows are each tenant's own."""
    return [part for part in ddl.split(";\n") if part.startswith(("CREATE", "ALTER"))]


def test_a_failing_tenant_leaves_the_others_alone(start: Start) -> None:
    """Also one whose schema is missing."""
    register(1)
    acme, globex, many = Tenant.objects.order_by("slug")
    execute(acme.schema_name, "CREATE TABLE ahead_marker (id int)")
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{many.schema_name}" CASCADE')
    code, report = ended(start("--workers", "2"))
    assert (code, report["tenantsMigrated"]) == (1, 1)
    assert {one["slug"]: one["error"] for one in report["tenantsFailed"]} == {
        "acme": 'ProgrammingError: relation "ahead_marker" already exists',
        "many-0": f"SchemaMissing: There is no schema {many.schema_name}.",
    }
    assert (marked(globex), marked(acme)) == ((True, 1), (True, 0))
    assert not schema_exists(many.schema_name)

    execute(acme.schema_name, "DROP TABLE ahead_marker")
    code, report = ended(start())
    assert (code, report["tenantsMigrated"], report["templateBuilt"]) == (1, 1, False)
    assert [one["slug"] for one in report["tenantsFailed"]] == ["many-0"]
    assert marked(acme) == (True, 1)


def test_a_tenant_that_somebody_is_at_work_on_is_waited_for(start: Start) -> None:
    """The worker of a run that was killed finishes its tenant, and the next run's worker waits."""
    acme = Tenant.objects.get(slug="acme")
    with somebody_else() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [locks._ABOUT_SCHEMAS, locks._number(acme.schema_name)])
        process = start("--workers", "2")
        wait_until(lambda: behind() == 1)
        time.sleep(1.5)
        assert (process.poll(), marked(acme)) == (None, (False, 0))
    assert ended(process)[0] == 0
    assert marked(acme) == (True, 1)


def test_a_killed_worker_costs_one_tenant_its_turn(start: Start) -> None:
    register(1)
    process = start("--workers", "1")
    wait_until(lambda: behind() < 3)
    [worker] = children(process.pid)
    os.kill(worker, signal.SIGKILL)
    code, report = ended(process)
    assert (code, report["tenantsMigrated"], len(report["tenantsFailed"])) == (1, 2, 1)
    assert ended(start())[0] == 0
    assert [marked(tenant) for tenant in Tenant.objects.all()] == [(True, 1)] * 3


def test_killed_while_it_builds_the_template_it_begins_a_new_one(start: Start) -> None:
    before = SchemaTemplate.objects.get()
    process = start()
    wait_until(lambda: len(schemas_like(TEMPLATE_SCHEMA)) == 2)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert SchemaTemplate.objects.get() == before
    assert ended(start())[0] == 0
    assert SchemaTemplate.objects.get() != before


def test_two_runs_at_once_take_turns(start: Start) -> None:
    reports = [ended(process) for process in (start(), start())]
    assert [code for code, _ in reports] == [0, 0]
    assert sorted(report["tenantsMigrated"] for _, report in reports) == [0, 2]
    assert sorted(report["templateBuilt"] for _, report in reports) == [False, True]


def test_sign_ups_are_kept_out_while_the_template_changes_and_no_longer(start: Start) -> None:
    process = start("--workers", "1")
    with somebody_else() as other:
        wait_until(lambda: len(schemas_like(TEMPLATE_SCHEMA)) == 2)
        enter = "SELECT pg_try_advisory_xact_lock_shared(%s, %s)"
        assert other.execute(enter, [locks._ABOUT_ALL, locks._DEPLOY]).fetchone() == (False,)
        wait_until(lambda: behind() == 1)
        assert other.execute(enter, [locks._ABOUT_ALL, locks._DEPLOY]).fetchone() == (True,)
    assert ended(process)[0] == 0


@pytest.mark.parametrize(("status", "looked_at"), [("suspended", True), ("provisioning", False), ("deleted", False)])
def test_only_tenants_that_have_a_schema_are_looked_at(database: None, status: str, looked_at: bool) -> None:
    acme = Tenant.objects.get(slug="acme")
    Tenant.objects.filter(pk=acme.pk).update(status=status, schema_fingerprint="old")
    assert (acme.schema_name in {tenant.schema_name for tenant in stale_tenants()}) is looked_at


def test_a_tenants_migration_that_needs_a_public_one_is_refused(database: None) -> None:
    """As if admin, whose migrations depend on those of auth, were alone in a tenant's schema."""
    with bind(schema_ref(make_schema(new_schema_name()))), pytest.raises(MigrationRefused, match="other side"):
        pending(frozenset({"admin"}))


def test_nothing_to_do_costs_the_same_for_any_number_of_tenants(database: None) -> None:
    call_command("migrate_all", verbosity=0)
    with CaptureQueriesContext(connection) as few:
        call_command("migrate_all", verbosity=0)
    current = migrations_fingerprint()
    Tenant.objects.bulk_create(
        Tenant(name="x", slug=f"x-{n}", schema_name=f"none-{n}", status="active", schema_fingerprint=current)
        for n in range(500)
    )
    with CaptureQueriesContext(connection) as many:
        call_command("migrate_all", verbosity=0)
    assert len(many) == len(few)


def test_the_timeouts_of_requests_are_back_afterwards(database: None) -> None:
    SchemaTemplate.objects.all().delete()
    call_command("migrate_all", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("8s", "0")


def test_public_has_what_every_schema_needs(database: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'")
        assert cursor.fetchall() == [("public",)]
    assert CacheEpoch.objects.filter(pk=1).exists()


@pytest.mark.parametrize("arguments", [["migrate"], ["migrate", "accounts", "0001", "--fake"], ["migrate_schemas"]])
def test_djangos_own_command_points_to_ours(manage: Any, arguments: list[str]) -> None:
    refused = manage(*arguments)
    assert refused.returncode == 2
    assert "migrate_all" in refused.stderr


def test_makemigrations_works_as_usual(manage: Any) -> None:
    assert manage("makemigrations", "--check", "--dry-run").stdout == "No changes detected\n"


def test_a_schema_can_be_entered_before_it_has_a_tenant(database: None) -> None:
    template = SchemaTemplate.objects.get().template_schema
    assert execute(schema_ref(template).schema_name, "SELECT current_schema()") == [(template,)]
