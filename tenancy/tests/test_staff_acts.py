"""What staff do to a tenant by one click: what it does, and that audit and journal say who and why."""

from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.access_tokens import verify_access_token
from accounts.models import LinkToken, User
from accounts.roles import Role
from accounts.services.invitations import user_invite
from accounts.services.session_records import identity_of
from accounts.staff.actions import Asked, perform
from accounts.staff.models import StaffAct, StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.tests.support import browser_of, staff_of
from billing.models import BillingAccount, BillingChange
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from tenancy.admin.acts import ACTIONS, BY_SLUG
from tenancy.models import Tenant
from tenancy.services import tenant_suspend
from tests.support import Api

REASON = "Ticket 4711: asked by their owner"
Click = Callable[..., Any]


@pytest.fixture
def operator(database: None) -> StaffUser:
    return staff_of(StaffRole.OPERATOR)


@pytest.fixture
def click(tenant: Tenant, operator: StaffUser) -> Click:
    """Send the form of an action as the operator, with the reason unless another is given."""
    browser = browser_of(operator)

    def send(slug: str, **form: str) -> Any:
        return browser.post(f"/admin/tenancy/tenant/{tenant.id}/do/{slug}/", {"reason": REASON, **form})

    return send


def written(tenant: Tenant, action: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the staff audit and the tenant's journal say of it."""
    acts = StaffAct.objects.filter(action=action, tenant_id=tenant.id).values("staff_email", "reason", "data")
    with bind(tenant.ref):
        entries = list(JournalEntry.objects.filter(key="staff.acted").values_list("data", flat=True))
    return [dict(act) for act in acts], [entry for entry in entries if entry["action"] == action]


def assert_written(tenant: Tenant, action: str, **facts: object) -> None:
    acts, entries = written(tenant, action)
    assert acts == [{"staff_email": "operator@platform.test", "reason": REASON, "data": facts}]
    assert entries == [{**facts, "action": action, "reason": REASON, "by": "operator@platform.test"}]


def dead_letter(tenant: Tenant) -> OutboxRow:
    return OutboxRow.objects.create(
        tenant_id=tenant.id, entry_id=uuid7(), key="k", reaction="r", state="dead", attempts=10, last_error="OSError"
    )


def test_a_tenant_is_suspended(click: Click, tenant: Tenant, alice: Api) -> None:
    assert click("tenant-suspended").status_code == 302
    tenant.refresh_from_db()
    assert (tenant.status, tenant.suspended_reason) == ("suspended", REASON)
    assert alice.get("/auth/me").status_code == 403
    assert_written(tenant, "tenant.suspended")


def test_and_works_again(click: Click, tenant: Tenant, alice: Api) -> None:
    tenant_suspend(tenant_id=tenant.id, reason="Before")
    assert click("tenant-reactivated").status_code == 302
    assert alice.get("/auth/me").status_code == 200
    assert_written(tenant, "tenant.reactivated")


def test_more_time_to_pay(click: Click, tenant: Tenant) -> None:
    day = timezone.now().date() + timedelta(days=20)
    assert click("billing-grace-extended", until=day.isoformat()).status_code == 302
    account = BillingAccount.objects.get(pk=tenant.id)
    assert account.grace_until is not None
    assert account.grace_until.date() == day + timedelta(days=1)
    change = BillingChange.objects.get(account=account)
    assert (change.kind, change.by, change.reason) == ("extended_grace", "operator@platform.test", REASON)
    assert_written(tenant, "billing.grace_extended", until=day.isoformat())


def test_a_second_extension_is_refused_and_nothing_is_lost(click: Click, tenant: Tenant) -> None:
    day = (timezone.now().date() + timedelta(days=20)).isoformat()
    click("billing-grace-extended", until=day)
    page = click("billing-grace-extended", until=day, reason="And again, please")
    assert page.status_code == 400
    assert "An extension is running already." in page.content.decode()
    assert "And again, please" in page.content.decode()
    assert day in page.content.decode()
    assert len(written(tenant, "billing.grace_extended")[0]) == 1


def test_an_extension_is_taken_back(click: Click, tenant: Tenant) -> None:
    click("billing-grace-extended", until=(timezone.now().date() + timedelta(days=20)).isoformat())
    assert click("billing-grace-extended", until="").status_code == 302
    assert BillingAccount.objects.get(pk=tenant.id).grace_until is None


def test_a_day_that_is_over_is_refused_at_its_field(click: Click, tenant: Tenant) -> None:
    page = click("billing-grace-extended", until="2020-01-01")
    assert page.status_code == 400
    assert page.context["form"].errors["until"] == ["This moment is over."]
    assert written(tenant, "billing.grace_extended") == ([], [])


def test_free_of_charge_and_back(click: Click, tenant: Tenant) -> None:
    assert click("billing-comped", charge="free").status_code == 302
    assert BillingAccount.objects.get(pk=tenant.id).is_comped
    assert_written(tenant, "billing.comped", charge="free", until=None)
    assert click("billing-comped", charge="pays").status_code == 302
    assert not BillingAccount.objects.get(pk=tenant.id).is_comped


def invited(tenant: Tenant, alice: Api) -> User:
    identity = identity_of(verify_access_token(alice.token))
    with bind(tenant.ref):
        return user_invite(actor=identity, email="nina@acme.test", role=Role.USER)


@pytest.mark.parametrize("by", ["address", "number"])
def test_an_invitation_goes_out_again(click: Click, tenant: Tenant, alice: Api, by: str) -> None:
    user = invited(tenant, alice)
    named = " NINA@acme.test " if by == "address" else str(user.id)
    assert click("invitation-resent", person=named).status_code == 302
    with bind(tenant.ref):
        links = list(LinkToken.objects.filter(user=user).order_by("created_at", "id"))
        assert [link.superseded_at is None for link in links] == [False, True]
        # Still in the name of whoever invited.
        assert links[1].sender_id == alice.user.id
        assert JournalEntry.objects.filter(key="accounts.invitation_resent").count() == 1
    # The address itself outlives nobody in the audit.
    assert_written(tenant, "invitation.resent", person=user.id)


@pytest.mark.parametrize(
    ("person", "message"),
    [
        ("nobody@acme.test", "There is nobody like that in this tenant."),
        ("admin@globex.test", "There is nobody like that in this tenant."),
        ("user@acme.test", "This person has accepted the invitation already."),
    ],
)
def test_what_cannot_be_sent_again_says_why(click: Click, tenant: Tenant, person: str, message: str) -> None:
    page = click("invitation-resent", person=person)
    assert (page.status_code, message in page.content.decode()) == (400, True)
    assert person in page.content.decode()
    assert written(tenant, "invitation.resent") == ([], [])


def test_dead_letters_are_tried_again(click: Click, tenant: Tenant, other_tenant: Tenant) -> None:
    mine, foreign = dead_letter(tenant), dead_letter(other_tenant)
    assert click("outbox-redriven").status_code == 302
    mine.refresh_from_db()
    foreign.refresh_from_db()
    assert (mine.state, mine.attempts, foreign.state) == ("pending", 0, "dead")
    assert_written(tenant, "outbox.redriven", rows=1)


def test_without_dead_letters_there_is_nothing_to_try_again(click: Click, tenant: Tenant) -> None:
    page = click("outbox-redriven")
    assert (page.status_code, "There are no dead letters" in page.content.decode()) == (400, True)
    assert written(tenant, "outbox.redriven") == ([], [])


def test_a_test_mail_by_the_platform_goes_to_whoever_asks(click: Click, tenant: Tenant) -> None:
    assert click("mail-tested").status_code == 302
    assert [message.to for message in mail.outbox] == [["operator@platform.test"]]
    assert_written(tenant, "mail.tested")


def test_that_somebody_tried_stays_written_also_when_the_mail_does_not_go(
    click: Click, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise SMTPServerDisconnected

    monkeypatch.setattr("tenancy.admin.acts.send_through", away)
    page = click("mail-tested")
    assert (page.status_code, "did not take it: SMTPServerDisconnected" in page.content.decode()) == (400, True)
    assert_written(tenant, "mail.tested")


@pytest.mark.parametrize("slug", sorted(BY_SLUG))
@pytest.mark.parametrize("reason", ["", "  \n "])
def test_nothing_is_done_without_a_reason(click: Click, tenant: Tenant, alice: Api, slug: str, reason: str) -> None:
    invited(tenant, alice)
    row = dead_letter(tenant)
    entries = _entries(tenant)
    if slug == "tenant-reactivated":
        tenant_suspend(tenant_id=tenant.id, reason="Before")
        entries += 1
    tenant.refresh_from_db()
    day = (timezone.now().date() + timedelta(days=20)).isoformat()
    page = click(slug, reason=reason, until=day, charge="free", person="nina@acme.test")
    assert page.status_code == 400
    assert page.context["form"].errors["reason"] == ["Give a reason."]
    before = tenant.status
    tenant.refresh_from_db()
    row.refresh_from_db()
    assert (tenant.status, row.state, mail.outbox, _entries(tenant)) == (before, "dead", [], entries)
    assert not StaffAct.objects.exclude(action="").exists()
    assert not BillingChange.objects.exists()


def _entries(tenant: Tenant) -> int:
    with bind(tenant.ref):
        return JournalEntry.objects.count()


@pytest.mark.parametrize("role", list(StaffRole))
def test_each_action_by_role(tenant: Tenant, role: StaffRole) -> None:
    browser = browser_of(staff_of(role))
    refused = {
        action.slug
        for action in ACTIONS
        if browser.post(f"/admin/tenancy/tenant/{tenant.id}/do/{action.slug}/", {"reason": ""}).status_code == 403
    }
    assert refused == {action.slug for action in ACTIONS if not role.reaches(action.needs)}


def test_the_service_behind_the_page_asks_for_the_role_too(tenant: Tenant) -> None:
    from django.core.exceptions import PermissionDenied

    asked = Asked(staff_of(StaffRole.SUPPORT), tenant.id, REASON)
    with pytest.raises(PermissionDenied):
        perform(BY_SLUG["tenant-suspended"], asked)
    tenant.refresh_from_db()
    assert tenant.status == "active"


def test_a_form_of_somebody_elses_page_is_refused(tenant: Tenant, operator: StaffUser) -> None:
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator)
    path = f"/admin/tenancy/tenant/{tenant.id}/do/tenant-suspended/"
    assert browser.post(path, {"reason": REASON}).status_code == 403
    assert browser.get(path).status_code == 200
    tenant.refresh_from_db()
    assert tenant.status == "active"


def test_what_cannot_be_written_down_is_not_done(click: Click, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the journal is full")

    monkeypatch.setattr("accounts.staff.services.record", fail)
    with pytest.raises(RuntimeError):
        click("tenant-suspended")
    tenant.refresh_from_db()
    assert tenant.status == "active"
    assert not StaffAct.objects.exclude(action="").exists()


def test_doing_it_twice_is_said_and_written_once(click: Click, tenant: Tenant) -> None:
    click("tenant-suspended")
    page = click("tenant-suspended")
    assert (page.status_code, "suspended already" in page.content.decode()) == (400, True)
    assert_written(tenant, "tenant.suspended")


@pytest.mark.parametrize("status", ["deleted", "provisioning"])
def test_a_tenant_without_a_schema_has_a_page_and_no_actions(
    click: Click, tenant: Tenant, operator: StaffUser, status: str
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status=status)
    page = browser_of(operator).get(f"/admin/tenancy/tenant/{tenant.id}/change/")
    assert (page.status_code, "/do/" in page.content.decode()) == (200, False)
    assert click("outbox-redriven").status_code == 404
