"""Suspending a tenant and letting it work again, by service and by command."""

import json
from typing import Any
from uuid import uuid4

import pytest

from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.journal.models import JournalEntry
from tenancy.models import Tenant
from tenancy.services import tenant_reactivate, tenant_suspend
from tests.support import Api


def keys(tenant: Tenant) -> list[str]:
    with bind(tenant.ref):
        return list(
            JournalEntry.objects.filter(key__startswith="tenancy.tenant_").order_by("id").values_list("key", flat=True)
        )


def test_everybody_in_it_is_refused_and_its_neighbours_are_not(alice: Api, bob: Api, mallory: Api) -> None:
    tenant_suspend(tenant_id=alice.tenant.id, reason="unpaid")
    for person in (alice, bob):
        response = person.get("/auth/me")
        assert (response.status_code, response.json()["error"]["code"]) == (403, "tenant_suspended")
    assert mallory.get("/auth/me").status_code == 200
    tenant_reactivate(tenant_id=alice.tenant.id)
    assert alice.get("/auth/me").status_code == 200


def test_both_are_written_in_the_tenants_journal_once(tenant: Tenant) -> None:
    for _ in range(2):
        tenant_suspend(tenant_id=tenant.id, reason="unpaid", actor="staff@platform.test")
    for _ in range(2):
        tenant_reactivate(tenant_id=tenant.id)
    assert keys(tenant)[-2:] == ["tenancy.tenant_suspended", "tenancy.tenant_reactivated"]
    assert len([key for key in keys(tenant) if key != "tenancy.tenant_registered"]) == 2


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_reason_is_asked_for(tenant: Tenant, reason: str) -> None:
    with pytest.raises(PlatformError) as refused:
        tenant_suspend(tenant_id=tenant.id, reason=reason)
    assert refused.value.code.key == "validation_failed"


def test_a_tenant_that_is_not_there(database: None) -> None:
    with pytest.raises(PlatformError) as refused:
        tenant_suspend(tenant_id=uuid4(), reason="x")
    assert refused.value.code.key == "not_found"


def test_a_tenant_that_is_being_deleted_cannot_come_back_this_way(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status="pending_deletion")
    for change in (
        lambda: tenant_reactivate(tenant_id=tenant.id),
        lambda: tenant_suspend(tenant_id=tenant.id, reason="x"),
    ):
        with pytest.raises(PlatformError) as refused:
            change()
        assert refused.value.code.key == "conflict"


@pytest.mark.commits
def test_the_commands(tenant: Tenant, manage: Any) -> None:
    suspended = manage("tenant_suspend", "acme", "--reason", "unpaid", "--json")
    assert suspended.returncode == 0, suspended.stderr
    assert json.loads(suspended.stdout)["status"] == "suspended"
    assert manage("tenant_reactivate", "acme").returncode == 0
    tenant.refresh_from_db()
    assert tenant.status == "active"
    assert manage("tenant_suspend", "no-such", "--reason", "x").returncode == 2
    assert manage("tenant_suspend", "acme").returncode == 2
    assert manage("tenant_suspend", "acme", "--reason", " ").returncode == 1
