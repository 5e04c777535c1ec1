"""The reaper removes what a crash left, and nothing else."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from platform_site.celery import app
from platform_site.tasks import PlatformTask
from tenancy.models import Tenant
from tenancy.provisioning import locks
from tenancy.provisioning.reaper import MOST_ORPHANS, PATIENCE, Reaped, reap
from tenancy.provisioning.replay import create_schema, current_template, new_schema_name
from tenancy.provisioning.schemas import drop_schema, new_template_name
from tenancy.registration import tenant_register
from tenancy.tests.catalogue import make_schema, schema_exists, somebody_else
from tests.support import PASSWORD, threads_close_connections

pytestmark = pytest.mark.as_owner


def unfinished(slug: str, age: timedelta) -> Tenant:
    """A sign-up that made its row and its schema and then was heard of no more."""
    tenant = Tenant(name="Unfinished", slug=slug, schema_name=new_schema_name(), created_at=timezone.now() - age)
    tenant.save(force_insert=True)
    create_schema(schema_name=tenant.schema_name, template=current_template())
    return tenant


def test_a_schema_without_a_tenant_is_dropped(tenant: Tenant) -> None:
    orphan = make_schema(new_schema_name(), "CREATE TABLE t (id int)")
    assert reap().schemas == [orphan]
    assert not schema_exists(orphan)
    assert schema_exists(tenant.schema_name)


@pytest.mark.parametrize("name", ["t_backup", "t_0123456789abcdeg", "t_0123456789abcdef0", "archive"])
def test_schemas_of_other_people_are_not_its_business(database: None, name: str) -> None:
    make_schema(name)
    assert reap() == Reaped()
    assert schema_exists(name)


@pytest.mark.parametrize("status", [status for status in Tenant.Status if status != Tenant.Status.PROVISIONING])
def test_a_tenant_keeps_its_schema_whatever_its_status(tenant: Tenant, status: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status=status)
    assert reap(now=timezone.now() + timedelta(days=365)) == Reaped()
    assert schema_exists(tenant.schema_name)


@pytest.mark.commits
def test_a_sign_up_in_flight_is_not_mistaken_for_a_crash(tenant: Tenant) -> None:
    made, go_on = threading.Event(), threading.Event()
    schema_name = new_schema_name()

    def sign_up() -> None:
        with threads_close_connections(), transaction.atomic():
            flying = Tenant(name="Slow", slug="slow-corp", schema_name=schema_name, status="active")
            flying.save(force_insert=True)
            create_schema(schema_name=schema_name, template=current_template())
            made.set()
            go_on.wait(30)

    thread = threading.Thread(target=sign_up)
    thread.start()
    assert made.wait(30)
    assert reap() == Reaped()
    go_on.set()
    thread.join()
    assert reap() == Reaped()
    assert schema_exists(schema_name)


@pytest.mark.commits
def test_a_schema_that_is_being_worked_on_is_left_alone(tenant: Tenant) -> None:
    orphan = make_schema(new_schema_name())
    with somebody_else() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [locks._ABOUT_SCHEMAS, locks._number(orphan)])
        assert reap() == Reaped()
    assert reap().schemas == [orphan]


def test_an_unfinished_sign_up_goes_after_ten_minutes_and_frees_its_slug(database: None) -> None:
    old = unfinished("half-done", PATIENCE + timedelta(seconds=5))
    young = unfinished("just-begun", PATIENCE - timedelta(seconds=5))
    assert reap() == Reaped(sign_ups=["half-done"])
    assert (schema_exists(old.schema_name), schema_exists(young.schema_name)) == (False, True)
    again = tenant_register(
        company_name="Again", slug="half-done", admin_email="a@half-done.test", admin_password=PASSWORD
    )
    assert again.tenant.status == "active"


def test_many_schemas_without_a_tenant_are_held_back(database: None) -> None:
    orphans = sorted(make_schema(new_schema_name()) for _ in range(MOST_ORPHANS + 1))
    assert reap() == Reaped(held_back=orphans)
    assert all(schema_exists(name) for name in orphans)
    assert reap(force=True).schemas == orphans


def test_a_dry_run_only_tells(database: None) -> None:
    old = unfinished("half-done", PATIENCE * 2)
    orphan, template = make_schema(new_schema_name()), make_schema(new_template_name())
    told = reap(dry_run=True)
    assert told == Reaped(sign_ups=["half-done"], schemas=[orphan], templates=[template])
    assert all(schema_exists(name) for name in (old.schema_name, orphan, template))
    assert reap() == told


def test_templates_that_nobody_names_go(database: None) -> None:
    leftover = make_schema(new_template_name())
    assert reap().templates == [leftover]
    assert schema_exists(current_template().template_schema)


@pytest.mark.commits
def test_a_template_under_construction_stays(tenant: Tenant) -> None:
    leftover = make_schema(new_template_name())
    with somebody_else() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [locks._ABOUT_ALL, locks._RUN])
        assert reap() == Reaped()
        # By its word, since the server takes its time to notice who hung up.
        other.execute("SELECT pg_advisory_unlock(%s, %s)", [locks._ABOUT_ALL, locks._RUN])
    assert reap().templates == [leftover]


@pytest.mark.parametrize("name", ["public", "t_backup", "pg_catalog", ""])
def test_only_schemas_of_ours_can_be_dropped(database: None, name: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        drop_schema(name)


def test_the_scheduler_runs_it_in_public(settings: Any) -> None:
    task = app.tasks["tenancy.reap"]
    assert isinstance(task, PlatformTask)
    assert task.name in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}


@pytest.mark.commits
def test_the_command_says_what_it_did(manage: Any, tenant: Tenant) -> None:
    orphan = make_schema(new_schema_name())
    assert manage("tenants_reap", "--dry-run").stdout == f"would be removed: schema {orphan}\n"
    done = manage("tenants_reap", "--json")
    assert (done.returncode, orphan in done.stdout) == (0, True)
    assert manage("tenants_reap").stdout == "Nothing to remove.\n"
