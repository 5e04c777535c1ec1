"""What staff did is in the staff audit always, and in the journal of a tenant that has one."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import ProgrammingError, connection
from django.utils import timezone

from accounts.staff import services
from accounts.staff.models import StaffAct, StaffSession, StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.services import act_record, session_of, session_open
from accounts.staff.tests.support import staff_of
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.journal.models import JournalEntry
from tenancy.models import Tenant

LOST = {"schema_name": "t_00000000000000ff"}


@pytest.fixture
def nora(database: None) -> StaffUser:
    return staff_of(StaffRole.SUPPORT, "nora")


def working(staff: StaffUser, tenant_id: UUID) -> StaffSession:
    until = timezone.now() + timedelta(hours=1)
    return StaffSession.objects.create(staff=staff, tenant_id=tenant_id, reason="Ticket 7", ends_at=until)


def told(tenant: Tenant) -> list[str]:
    with bind(tenant.ref):
        return [entry.data["action"] for entry in JournalEntry.objects.filter(key="staff.acted")]


def test_in_both(tenant: Tenant, nora: StaffUser) -> None:
    act_record(staff=nora, action="mail.tested", tenant_id=tenant.id)
    assert (StaffAct.objects.get().action, told(tenant)) == ("mail.tested", ["mail.tested"])


@pytest.mark.parametrize("change", [{"status": "deleted"}, {"status": "provisioning"}, LOST], ids=str)
def test_in_the_audit_alone_where_there_is_no_journal(tenant: Tenant, nora: StaffUser, change: dict[str, str]) -> None:
    before = tenant.ref
    Tenant.objects.filter(pk=tenant.pk).update(**change)
    act_record(staff=nora, action="mail.tested", tenant_id=tenant.id)
    assert StaffAct.objects.get().tenant_id == tenant.id
    with bind(before):
        assert not JournalEntry.objects.filter(key="staff.acted").exists()


def test_in_neither_when_the_journal_is_there_and_does_not_take_it(
    tenant: Tenant, nora: StaffUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing_like_that FROM journal_journalentry")

    monkeypatch.setattr(services, "record", broken)
    with pytest.raises(ProgrammingError):
        act_record(staff=nora, action="mail.tested", tenant_id=tenant.id)


def test_not_about_another_tenant_than_the_bound_one(tenant: Tenant, other_tenant: Tenant, nora: StaffUser) -> None:
    with bind(other_tenant.ref), pytest.raises(PlatformError, match="not_found"):
        act_record(staff=nora, action="mail.tested", tenant_id=tenant.id)


def test_by_a_name_that_the_audit_can_be_filtered_by(nora: StaffUser) -> None:
    with pytest.raises(ValueError, match="filtered"):
        act_record(staff=nora, action="weather.changed")


@pytest.mark.parametrize("change", [{"status": "deleted"}, LOST], ids=str)
def test_whoever_leaves_leaves_also_a_tenant_that_is_gone(
    tenant: Tenant, nora: StaffUser, change: dict[str, str]
) -> None:
    working(nora, tenant.id)
    Tenant.objects.filter(pk=tenant.pk).update(**change)
    nora.is_active = False
    nora.save()
    assert session_of(nora, tenant.id) is None
    assert StaffAct.objects.get(action="session.closed").tenant_id == tenant.id


@pytest.mark.parametrize("status", ["deleted", "provisioning", "nobody's"])
def test_nobody_begins_to_work_where_nothing_is(tenant: Tenant, nora: StaffUser, status: str) -> None:
    tenant_id = uuid4() if status == "nobody's" else tenant.id
    if status != "nobody's":
        Tenant.objects.filter(pk=tenant.pk).update(status=status)
    with pytest.raises(PlatformError, match="not_found"):
        session_open(staff=nora, tenant_id=tenant_id, reason="Ticket 7")
    assert not StaffSession.objects.exists()
