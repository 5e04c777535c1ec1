"""Whoever may not change anything any more has no session left in which they might."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from accounts.staff.models import StaffSession, StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.services import session_of, session_open
from accounts.tests.impersonating import REASON, staff_member
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from tests.support import Api


def test_an_account_that_is_closed_ends_all_its_sessions(alice: Api, mallory: Api) -> None:
    nora, otto = staff_member("nora"), staff_member("otto")
    for somebody in (alice, mallory):
        session_open(staff=nora, tenant_id=somebody.tenant.id, reason=REASON)
    session_open(staff=otto, tenant_id=alice.tenant.id, reason=REASON)
    nora.is_active = False
    nora.save()
    for somebody in (alice, mallory):
        assert session_of(nora, somebody.tenant.id) is None
        with bind(somebody.tenant.ref):
            assert JournalEntry.objects.filter(key="staff.session_closed").count() == 1
    assert session_of(otto, alice.tenant.id) is not None


def test_so_does_a_role_that_only_looks(alice: Api) -> None:
    nora = staff_member()
    session_open(staff=nora, tenant_id=alice.tenant.id, reason=REASON)
    nora.role = StaffRole.VIEWER
    nora.save()
    assert session_of(nora, alice.tenant.id) is None


def test_whoever_keeps_a_role_keeps_the_session(alice: Api) -> None:
    nora = staff_member("nora", StaffRole.OPERATOR)
    session_open(staff=nora, tenant_id=alice.tenant.id, reason=REASON)
    nora.role, nora.last_login = StaffRole.SUPPORT, timezone.now()
    nora.save()
    assert session_of(nora, alice.tenant.id) is not None


def test_a_tenant_that_is_gone_keeps_nobodys_account_open(db: None) -> None:
    nora = staff_member()
    StaffSession.objects.create(
        staff=nora, tenant_id=uuid4(), reason=REASON, ends_at=timezone.now() + timedelta(hours=1)
    )
    nora.is_active = False
    nora.save()
    assert StaffUser.objects.get(pk=nora.pk).is_active is False
    assert StaffSession.objects.get(staff=nora).closed_at is not None
