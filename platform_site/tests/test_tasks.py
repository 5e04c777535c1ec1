"""The base task fails closed, in the test's process and in a real worker."""

import signal
import subprocess
import sys
import time
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from platform_site.binding import BindingError, bind, bound_tenant
from platform_site.celery import app
from platform_site.tasks import HEADER, PlatformTask
from platform_site.tenants import TenantUnavailable
from tenancy.models import Tenant

ran: list[str] = []
WORKER_OPTIONS = [
    "--pool=threads",
    "--concurrency=2",
    "--without-gossip",
    "--without-mingle",
    "--loglevel=warning",
]


@app.task(name="tests.who_is_there")
def who_is_there() -> str:
    ran.append(User.objects.get(pk=1).email)
    return ran[-1]


@app.task(base=PlatformTask, name="tests.platform_wide")
def platform_wide() -> int:
    return Tenant.objects.count()


def run(headers: dict[str, Any] | None) -> str:
    """As a worker runs it: through the request stack with the message's headers."""
    who_is_there.push_request(headers=headers, id="test")
    try:
        result: str = who_is_there()
        return result
    finally:
        who_is_there.pop_request()


def test_a_task_runs_in_the_tenant_that_its_header_names(tenant: Tenant, other_tenant: Tenant) -> None:
    assert run({HEADER: str(tenant.id)}) == "admin@acme.test"
    assert run({HEADER: str(other_tenant.id)}) == "admin@globex.test"
    assert bound_tenant() is None


@pytest.mark.parametrize("headers", [None, {}, {HEADER: ""}, {HEADER: None}])
def test_without_a_tenant_it_fails(tenant: Tenant, headers: dict[str, Any] | None) -> None:
    ran.clear()
    with pytest.raises(BindingError):
        run(headers)
    assert ran == []


def test_for_an_unknown_tenant_it_fails(tenant: Tenant) -> None:
    ran.clear()
    with pytest.raises(TenantUnavailable):
        run({HEADER: str(uuid4())})
    assert ran == []


@pytest.mark.parametrize("status", ["suspended", "provisioning", "pending_deletion", "deleted"])
def test_for_a_tenant_that_is_not_active_it_fails(tenant: Tenant, status: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status=status)
    ran.clear()
    with pytest.raises(TenantUnavailable):
        run({HEADER: str(tenant.id)})
    assert ran == []


def test_inside_another_tenant_it_fails(tenant: Tenant, other_tenant: Tenant) -> None:
    with bind(tenant.ref), pytest.raises(BindingError):
        run({HEADER: str(other_tenant.id)})


def test_it_cannot_be_sent_without_a_tenant(database: None) -> None:
    with pytest.raises(BindingError):
        who_is_there.delay()


def test_a_platform_task_refuses_to_run_inside_a_tenant(tenant: Tenant) -> None:
    assert platform_wide() >= 2
    with bind(tenant.ref), pytest.raises(BindingError):
        platform_wide()


def test_the_default_task_class_is_the_one_that_fails_closed() -> None:
    from platform_site.tasks import TenantTask

    assert isinstance(who_is_there, TenantTask)
    in_public = {name for name, task in app.tasks.items() if isinstance(task, PlatformTask)}
    assert {name for name in in_public if not name.startswith("tests.")} == {
        "accounts.purge",
        "accounts.purge_journals",
        "backoffice.count",
        "billing.keep_up",
        "billing.reconcile_seats",
        "platform_site.outbox.dispatch",
        "platform_site.outbox.sweep",
        "staff.purge",
        "tenancy.purge_due",
        "tenancy.reap",
    }


@pytest.mark.commits
def test_a_real_worker_runs_the_dispatcher(tenant: Tenant, committed: str) -> None:
    """A message through the real broker to a real worker: the reaction's row is gone afterwards."""
    from django.db import transaction

    from accounts import catalog
    from platform_site.journal.services import record
    from platform_site.outbox.models import OutboxRow
    from tests.support import database_environment

    with bind(tenant.ref):
        # Verified already, so the reaction has nothing to mail and ends well.
        User.objects.filter(pk=1).update(email_verified_at="2026-01-01T00:00:00Z")
        subject = ("user", User.objects.get(pk=1).uuid)
    OutboxRow.objects.all().delete()
    broker_prefix = app.conf.broker_transport_options["global_keyprefix"].removesuffix(":celery:")
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "platform_site", "worker", *WORKER_OPTIONS],
        env={**database_environment(committed), "REDIS_PREFIX": broker_prefix},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with bind(tenant.ref), transaction.atomic():
            record(catalog.USER_REGISTERED, subject=subject)
        deadline = time.monotonic() + 30
        while OutboxRow.objects.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not OutboxRow.objects.exists()
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)
