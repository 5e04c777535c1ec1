"""What staff change through the lens: inside an open session, by the services, with a reason, written down twice."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import LinkToken, Session, User
from accounts.services.people import user_create
from accounts.staff.lens.tests.world import keys_of, marker
from accounts.staff.models import StaffAct, StaffSession, StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.services import session_open
from accounts.staff.tests.support import staff_of
from notifications.models import Delivery, Suppression
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tests.support import Api

WHY = {"reason": "ticket 42", "_form_submitted": "on"}
HOME = "/admin/t/acme"


def bob_of(tenant: Tenant) -> User:
    with bind(tenant.ref):
        return User.objects.get(email_key=f"user@{tenant.slug}.test")


def pending(tenant: Tenant) -> User:
    with bind(tenant.ref):
        return user_create(email="invited@acme.test", status=User.Status.PENDING)


def doings(tenant: Tenant) -> list[tuple[str, str]]:
    """What the tenant reads of it."""
    with bind(tenant.ref):
        acted = JournalEntry.objects.filter(key="staff.acted").order_by("id")
        return [(entry.data["action"], entry.data["reason"]) for entry in acted]


@pytest.fixture
def working(support: Client, helper: StaffUser, tenant: Tenant) -> Client:
    """The helper's browser, in a session of the first tenant."""
    session_open(staff=helper, tenant_id=tenant.id, reason="ticket 41")
    return support


def test_a_session_is_opened_and_ended_on_its_page(support: Client, helper: StaffUser, tenant: Tenant) -> None:
    page = f"{HOME}/session/"
    assert support.post(page, {"reason": " "}).status_code == 200
    assert not StaffSession.objects.exists()
    opened = support.post(page, {"reason": "ticket 41", "next": f"{HOME}/accounts/user/"})
    assert (opened.status_code, opened["Location"]) == (302, f"{HOME}/accounts/user/")
    session = StaffSession.objects.get()
    assert (session.staff_id, session.tenant_id, session.reason) == (helper.pk, tenant.id, "ticket 41")
    assert "You can change things until" in support.get(f"{HOME}/accounts/user/").content.decode()
    support.post(page, {"end": "1"})
    assert "to read" in support.get(f"{HOME}/accounts/user/").content.decode()
    with bind(tenant.ref):
        keys = list(JournalEntry.objects.filter(key__startswith="staff.").order_by("id").values_list("key", flat=True))
    assert keys == ["staff.session_opened", "staff.session_closed"]


def test_where_one_goes_afterwards_is_in_the_lens(support: Client, tenant: Tenant) -> None:
    for elsewhere in ("https://evil.test/", "//evil.test/", "/admin/", "/admin/t/globex/"):
        answer = support.post(f"{HOME}/session/", {"reason": "x", "next": elsewhere})
        assert answer["Location"] == f"{HOME}/", elsewhere


def test_a_viewer_opens_none(browser: Client, tenant: Tenant) -> None:
    assert browser.get(f"{HOME}/session/").status_code == 200
    assert browser.post(f"{HOME}/session/", {"reason": "x"}).status_code == 403
    assert not StaffSession.objects.exists()


ACTIONS = ("resend-invitation", "send-reset-link", "revoke-sessions", "deactivate", "activate")


def test_without_a_session_nothing_is_done(support: Client, bob: Api, tenant: Tenant) -> None:
    person = bob_of(tenant)
    place = f"{HOME}/accounts/user/{person.pk}"
    for action in ACTIONS:
        assert support.get(f"{place}/{action}/").status_code == 403
        assert support.post(f"{place}/{action}/", WHY).status_code == 403
    assert "Deactivate" not in support.get(f"{place}/change/").content.decode()
    assert bob_of(tenant).status == "active"
    assert bob.get("/auth/me").status_code == 200
    assert (StaffAct.objects.exclude(action="").count(), LogEntry.objects.count(), doings(tenant)) == (0, 0, [])


@pytest.mark.parametrize("kind", ["expired", "of another tenant", "of somebody else", "closed", "of a viewer"])
def test_a_session_that_does_not_count(
    support: Client, helper: StaffUser, tenant: Tenant, other_tenant: Tenant, kind: str
) -> None:
    holder = staff_of(StaffRole.SUPPORT, "colleague") if kind == "of somebody else" else helper
    where = other_tenant if kind == "of another tenant" else tenant
    session = session_open(staff=holder, tenant_id=where.id, reason="x")
    if kind == "expired":
        StaffSession.objects.filter(pk=session.pk).update(ends_at=timezone.now() - timedelta(seconds=1))
    if kind == "closed":
        StaffSession.objects.filter(pk=session.pk).update(closed_at=timezone.now())
    if kind == "of a viewer":
        StaffUser.objects.filter(pk=helper.pk).update(role=StaffRole.VIEWER)
    person = bob_of(tenant)
    assert support.post(f"{HOME}/accounts/user/{person.pk}/deactivate/", WHY).status_code == 403
    assert bob_of(tenant).status == "active"


def test_looking_at_an_action_does_nothing_and_a_reason_is_asked_for(working: Client, tenant: Tenant) -> None:
    person = bob_of(tenant)
    place = f"{HOME}/accounts/user/{person.pk}/deactivate/"
    assert "reason" in working.get(place).content.decode()
    assert working.post(place, {**WHY, "reason": "  "}).status_code == 200
    assert bob_of(tenant).status == "active"


def test_a_person_is_deactivated_and_activated(working: Client, helper: StaffUser, bob: Api, tenant: Tenant) -> None:
    person = bob_of(tenant)
    place = f"{HOME}/accounts/user/{person.pk}"
    done = working.post(f"{place}/deactivate/", WHY)
    assert (done.status_code, done["Location"]) == (302, f"{place}/change/")
    assert bob.get("/auth/me").status_code == 401
    assert doings(tenant) == [("user.deactivated", "ticket 42")]
    act = StaffAct.objects.get(action="user.deactivated")
    assert (act.staff_id, act.tenant_id, act.reason, act.session_id) == (
        helper.pk,
        tenant.id,
        "ticket 42",
        StaffSession.objects.get().id,
    )
    with bind(tenant.ref):
        entry = JournalEntry.objects.get(key="accounts.user_deactivated")
    assert (entry.actor_id, entry.impersonator) == (None, helper.email)
    assert working.post(f"{place}/activate/", WHY).status_code == 302
    assert bob_of(tenant).status == "active"


def test_an_administrator_too_but_never_the_last_one(working: Client, alice: Api, tenant: Tenant) -> None:
    place = f"{HOME}/accounts/user/{alice.user.id}/deactivate/"
    refused = working.post(place, WHY)
    assert refused.status_code == 200
    assert "administrator" in refused.content.decode()
    assert (alice.get("/auth/me").status_code, doings(tenant)) == (200, [])
    with bind(tenant.ref):
        user_create(email="second@acme.test", role="tenant_admin")  # type: ignore[arg-type]
    assert working.post(place, WHY).status_code == 302
    assert alice.get("/auth/me").status_code == 401


def test_what_is_offered_goes_by_the_persons_state(working: Client, tenant: Tenant) -> None:
    active, invited = bob_of(tenant), pending(tenant)
    offered = {
        person.pk: [
            action
            for action in ACTIONS
            if f"{person.pk}/{action}/" in working.get(f"{HOME}/accounts/user/{person.pk}/change/").content.decode()
        ]
        for person in (active, invited)
    }
    assert offered == {
        active.pk: ["send-reset-link", "revoke-sessions", "deactivate"],
        invited.pk: ["resend-invitation", "deactivate"],
    }


def test_from_the_person_one_gets_to_the_page_that_signs_in_as_them(
    working: Client, browser: Client, tenant: Tenant
) -> None:
    active, invited = bob_of(tenant), pending(tenant)
    place = f"{HOME}/accounts/user/{active.pk}"
    assert f"{place}/impersonate/" in working.get(f"{place}/change/").content.decode()
    page = working.get(f"{place}/impersonate/", follow=True)
    assert page.redirect_chain == [(f"/admin/impersonate/{tenant.id}/{active.uuid}/", 302)]
    assert page.status_code == 200
    assert "/impersonate/" not in working.get(f"{HOME}/accounts/user/{invited.pk}/change/").content.decode()
    # A viewer has no session.
    assert browser.get(f"{place}/impersonate/").status_code == 403
    assert working.get(f"{HOME}/accounts/user/987654/impersonate/").status_code == 404


def test_sessions_are_ended_all_or_one(working: Client, bob: Api, tenant: Tenant) -> None:
    person = bob_of(tenant)
    with bind(tenant.ref):
        session = Session.objects.get(user=person)
    working.post(f"{HOME}/accounts/session/{session.pk}/end/", WHY)
    assert bob.get("/auth/me").status_code == 401
    working.post(f"{HOME}/accounts/user/{person.pk}/revoke-sessions/", WHY)
    assert [action for action, _ in doings(tenant)] == ["user.session_revoked", "user.sessions_revoked"]
    with bind(tenant.ref):
        assert Session.objects.get(pk=session.pk).revoke_reason == "support"


def test_mails_with_links(working: Client, tenant: Tenant) -> None:
    person, invited = bob_of(tenant), pending(tenant)
    working.post(f"{HOME}/accounts/user/{person.pk}/send-reset-link/", WHY)
    working.post(f"{HOME}/accounts/user/{invited.pk}/resend-invitation/", WHY)
    dispatcher.drain()
    assert sorted(one.to[0] for one in mail.outbox) == ["invited@acme.test", "user@acme.test"]
    with bind(tenant.ref):
        assert sorted(LinkToken.objects.values_list("kind", flat=True)) == ["inv", "rst", "vfy"]
    # Refused by the services: neither has use for the other's link.
    assert working.post(f"{HOME}/accounts/user/{invited.pk}/send-reset-link/", WHY).status_code == 200
    assert working.post(f"{HOME}/accounts/user/{person.pk}/resend-invitation/", WHY).status_code == 200
    assert len(doings(tenant)) == 2


def test_a_script_is_told_where_to_go(working: Client, tenant: Tenant) -> None:
    person = bob_of(tenant)
    place = f"{HOME}/accounts/user/{person.pk}"
    answer = working.post(f"{place}/revoke-sessions/", WHY, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (200, f"{place}/change/")


def test_a_bounced_mail_is_sent_again_once_its_address_is_free(working: Client, furnished: Tenant) -> None:
    (delivery,), (suppression,) = keys_of(furnished, Delivery), keys_of(furnished, Suppression)
    page = working.get(f"{HOME}/notifications/delivery/{delivery}/change/").content.decode()
    assert f"{marker(furnished)} no such mailbox" in page
    again = f"{HOME}/notifications/delivery/{delivery}/send-again/"
    assert "suppressed" in working.post(again, WHY).content.decode()
    lifted = working.post(f"{HOME}/notifications/suppression/{suppression}/lift/", WHY)
    assert (lifted.status_code, lifted["Location"]) == (302, f"{HOME}/notifications/suppression/")
    assert working.post(again, WHY).status_code == 302
    dispatcher.drain()
    assert [one.to[0] for one in mail.outbox if "lead" in one.subject] == [f"{marker(furnished)}2@acme.test"]
    assert [action for action, _ in doings(furnished)] == ["suppression.lifted", "delivery.sent_again"]


def test_dead_letters_are_tried_again_one_or_many(working: Client, both: tuple[Tenant, Tenant]) -> None:
    mine, theirs = both
    (key,), (other,) = keys_of(mine, OutboxRow), keys_of(theirs, OutboxRow)
    rows = f"{HOME}/outbox/outboxrow/"
    assert working.post(f"{rows}{other}/retry/", WHY).status_code == 404
    assert working.post(f"{rows}{key}/retry/", WHY).status_code == 302
    assert OutboxRow.objects.get(pk=key).state == "pending"
    OutboxRow.objects.filter(pk=key).update(state="dead")
    working.post(rows, {"action": "retry_selected", "_selected_action": [str(key), str(other)], "index": "0"})
    states = dict(OutboxRow.objects.filter(pk__in=[key, other]).values_list("pk", "state"))
    assert states == {key: "pending", other: "dead"}
    assert doings(mine)[-1] == ("outbox.redriven", "ticket 41")


def test_what_waits_for_the_workspace_is_not_tried_again(working: Client, furnished: Tenant) -> None:
    (key,) = keys_of(furnished, OutboxRow)
    OutboxRow.objects.filter(pk=key).update(state="parked")
    refused = working.post(f"{HOME}/outbox/outboxrow/{key}/retry/", WHY)
    assert "waits for the workspace" in refused.content.decode()
    assert (OutboxRow.objects.get(pk=key).state, doings(furnished)) == ("parked", [])


def test_many_are_not_tried_without_a_session(support: Client, furnished: Tenant) -> None:
    (key,) = keys_of(furnished, OutboxRow)
    answer = support.post(
        f"{HOME}/outbox/outboxrow/", {"action": "retry_selected", "_selected_action": [str(key)], "index": "0"}
    )
    assert (answer.status_code, OutboxRow.objects.get(pk=key).state) == (403, "dead")


def test_the_history_is_one_tenants_and_lies_in_public(
    working: Client, helper: StaffUser, tenant: Tenant, other_tenant: Tenant
) -> None:
    session_open(staff=helper, tenant_id=other_tenant.id, reason="x")
    person, namesake = bob_of(tenant), bob_of(other_tenant)
    assert person.pk == namesake.pk
    working.post(f"{HOME}/accounts/user/{person.pk}/revoke-sessions/", WHY)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.of_tenant.tenant_id) == (str(person.pk), tenant.id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname FROM pg_tables WHERE tablename IN ('django_admin_log', 'lens_tenantlogentry')"
        )
        assert {row[0] for row in cursor.fetchall()} == {"public"}
    here = f"{HOME}/accounts/user/{person.pk}/history/"
    assert "ticket 42" in working.get(here).content.decode()
    assert "ticket 42" not in working.get(here.replace("acme", "globex")).content.decode()
    assert f"user {person.pk}" in working.get(f"{HOME}/").content.decode()
    assert f"user {person.pk}" not in working.get("/admin/t/globex/").content.decode()


def test_what_a_service_refuses_leaves_nothing_behind(working: Client, tenant: Tenant) -> None:
    person = bob_of(tenant)
    assert working.post(f"{HOME}/accounts/user/{person.pk}/resend-invitation/", WHY).status_code == 200
    assert (doings(tenant), LogEntry.objects.count()) == ([], 0)


def test_signing_out_and_the_own_password_belong_to_the_public_admin(support: Client, tenant: Tenant) -> None:
    assert support.get(f"{HOME}/password_change/")["Location"] == "/admin/password_change/"
    answer = support.post(f"{HOME}/logout/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/")
    assert support.get(f"{HOME}/").status_code == 302
