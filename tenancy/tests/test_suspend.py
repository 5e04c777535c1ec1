"""Suspending a tenant stops everything in it; reactivating starts it again."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.staff.models import StaffUser
from platform_site.binding import bind
from platform_site.errors import CONFLICT, NOT_FOUND, VALIDATION_FAILED, PlatformError
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from platform_site.tenants import TenantUnavailable, working_tenant
from tenancy.models import Tenant
from tenancy.services import tenant_reactivate, tenant_suspend
from tests.support import Api, at_once


def journal(tenant: Tenant) -> list[tuple[str, dict[str, Any]]]:
    with bind(tenant.ref):
        entries = JournalEntry.objects.filter(
            subject_type="tenant", key__contains="activ"
        ) | JournalEntry.objects.filter(key="tenancy.tenant_suspended")
        return list(entries.order_by("id").values_list("key", "data"))


def test_people_of_the_tenant_notice_at_once(alice: Api, mallory: Api, tenant: Tenant) -> None:
    assert alice.get("/tenants/me").status_code == 200
    tenant_suspend(tenant_id=tenant.id, reason="abuse")
    refused = alice.get("/tenants/me")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "tenant_suspended")
    assert mallory.get("/tenants/me").status_code == 200
    tenant_reactivate(tenant_id=tenant.id)
    assert alice.get("/tenants/me").status_code == 200


def test_its_tasks_fail_while_it_is_suspended(tenant: Tenant) -> None:
    tenant_suspend(tenant_id=tenant.id, reason="abuse")
    with pytest.raises(TenantUnavailable):
        working_tenant(tenant.id)
    tenant_reactivate(tenant_id=tenant.id)
    assert working_tenant(tenant.id).slug == tenant.slug


def test_the_tenants_journal_tells_who_and_why(tenant: Tenant) -> None:
    tenant_suspend(tenant_id=tenant.id, reason=" abuse ", actor="staff@platform.test")
    tenant_reactivate(tenant_id=tenant.id, actor="staff@platform.test")
    assert journal(tenant) == [
        ("tenancy.tenant_suspended", {"reason": "abuse", "by": "staff@platform.test"}),
        ("tenancy.tenant_reactivated", {"reason": "", "by": "staff@platform.test"}),
    ]


def test_a_second_time_changes_nothing(tenant: Tenant) -> None:
    tenant_suspend(tenant_id=tenant.id, reason="first")
    assert tenant_suspend(tenant_id=tenant.id, reason="second").suspended_reason == "first"
    tenant_reactivate(tenant_id=tenant.id)
    assert tenant_reactivate(tenant_id=tenant.id).suspended_reason == ""
    assert [key for key, _ in journal(tenant)] == ["tenancy.tenant_suspended", "tenancy.tenant_reactivated"]


@pytest.mark.commits
def test_many_at_once_suspend_it_once(tenant: Tenant) -> None:
    suspended = at_once(8, lambda _: tenant_suspend(tenant_id=tenant.id, reason="abuse"))
    assert suspended.most_at_once > 2
    assert len(journal(tenant)) == 1
    reactivated = at_once(8, lambda _: tenant_reactivate(tenant_id=tenant.id))
    assert reactivated.most_at_once > 2
    assert len(journal(tenant)) == 2


def test_work_that_waited_is_set_free(tenant: Tenant, other_tenant: Tenant) -> None:
    tenant_suspend(tenant_id=tenant.id, reason="abuse")
    for owner in (tenant, other_tenant):
        OutboxRow.objects.create(tenant_id=owner.id, entry_id=uuid4(), key="k", reaction="r", state="parked")
    tenant_reactivate(tenant_id=tenant.id)
    states = dict(OutboxRow.objects.filter(key="k").values_list("tenant_id", "state"))
    assert states == {tenant.id: "pending", other_tenant.id: "parked"}


@pytest.mark.parametrize("status", ["provisioning", "pending_deletion", "deleted"])
def test_other_states_are_refused(tenant: Tenant, status: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status=status)
    for change in (
        lambda: tenant_suspend(tenant_id=tenant.id, reason="x"),
        lambda: tenant_reactivate(tenant_id=tenant.id),
    ):
        with pytest.raises(PlatformError) as refused:
            change()
        assert refused.value.code is CONFLICT
    assert Tenant.objects.get(pk=tenant.pk).status == status


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_reason_is_needed(tenant: Tenant, reason: str) -> None:
    with pytest.raises(PlatformError) as refused:
        tenant_suspend(tenant_id=tenant.id, reason=reason)
    assert (refused.value.code, refused.value.details[0].field) == (VALIDATION_FAILED, "reason")


def test_an_unknown_tenant_is_not_found(database: None) -> None:
    with pytest.raises(PlatformError) as refused:
        tenant_reactivate(tenant_id=uuid4())
    assert refused.value.code is NOT_FOUND


@pytest.mark.commits
@pytest.mark.timeout(120)
def test_the_commands_and_their_exit_codes(manage: Any, tenant: Tenant) -> None:
    done = manage("tenant_suspend", "acme", "--reason", "abuse", "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "suspended")
    assert manage("tenant_suspend", "acme").returncode == 2
    assert manage("tenant_suspend", "nobody", "--reason", "x").returncode == 2
    assert manage("tenant_suspend", "acme", "--reason", "").returncode == 1
    done = manage("tenant_reactivate", "acme")
    assert (done.returncode, done.stdout) == (0, "acme is active.\n")


@pytest.fixture
def staff(database: None) -> Client:
    client = Client()
    client.force_login(StaffUser.objects.create_superuser("staff@platform.test", "staff-password"))
    return client


def test_staff_find_a_tenant_and_cannot_change_it_behind_the_services(staff: Client, tenant: Tenant) -> None:
    page = staff.get("/admin/tenancy/tenant/", {"q": "acme", "status__exact": "active"})
    assert (page.status_code, b"Acme Corp" in page.content, b"Globex" in page.content) == (200, True, False)
    one = f"/admin/tenancy/tenant/{tenant.id}/change/"
    assert b"Acme Corp" in staff.get(one).content
    assert staff.post(one, {"name": "Mine"}).status_code == 403
    assert staff.get("/admin/tenancy/tenant/add/").status_code == 403
    assert staff.get(f"/admin/tenancy/tenant/{tenant.id}/delete/").status_code == 403
