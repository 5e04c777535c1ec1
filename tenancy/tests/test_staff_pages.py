"""Staff's list of tenants and the page of one."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from accounts.staff.roles import StaffRole
from accounts.staff.services import session_open
from accounts.staff.tests.support import browser_of, staff_of
from billing.models import BillingAccount
from notifications.models import SmtpServer
from platform_site.backoffice.counting import count_all
from platform_site.backoffice.models import TenantFigures
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant

LIST = "/admin/tenancy/tenant/"


@pytest.fixture
def viewer(database: None) -> Client:
    return browser_of(staff_of(StaffRole.VIEWER))


def facts(browser: Client, tenant: Tenant) -> dict[str, tuple[object, str]]:
    """What each line of the page says, with its coloured word."""
    seen = browser.get(f"{LIST}{tenant.id}/change/").context["seen"]
    lines = [*seen.health, *seen.usage, *seen.billing, *seen.state]
    return {fact.label: (fact.value, fact.badge) for fact in lines}


def listed(browser: Client, **query: str) -> list[str]:
    return [tenant.slug for tenant in browser.get(LIST, query).context["cl"].result_list]


def buy(tenant: Tenant, seats: int) -> None:
    from billing.plans import catalogue

    plan = next(plan for plan in catalogue().plans if plan.counts_seats and plan.id != "trial")
    BillingAccount.objects.create(
        tenant=tenant, stripe_status="active", plan_id=plan.id, seats_purchased=seats, customer_id="cus_acme"
    )


def test_seats_stand_as_used_of_bought(viewer: Client, tenant: Tenant, settings: Any) -> None:
    settings.BILLING_CONFIGURED = True
    buy(tenant, 20)
    assert facts(viewer, tenant)["Seats"] == ("2 of 20", "")
    count_all()
    page = viewer.get(LIST, {"q": "acme"}).content.decode()
    assert "2 of 20" in page


def test_more_people_than_seats_are_marked(viewer: Client, tenant: Tenant, settings: Any) -> None:
    settings.BILLING_CONFIGURED = True
    buy(tenant, 1)
    assert facts(viewer, tenant)["Seats"] == ("2 of 1", "over")


def test_health_says_what_is_wrong(viewer: Client, tenant: Tenant) -> None:
    assert facts(viewer, tenant)["Schema"] == ("", "current")
    assert facts(viewer, tenant)["Dead letters"] == ("0", "none")
    Tenant.objects.filter(pk=tenant.pk).update(schema_fingerprint="old")
    OutboxRow.objects.create(
        tenant_id=tenant.id, entry_id=uuid7(), key="k", reaction="mails.go", state="dead", last_error="OSError"
    )
    with bind(tenant.ref):
        SmtpServer.objects.create(
            host="mail.acme.test", port=587, security="starttls", from_email="a@acme.test", failures=3,
            last_test={"ok": False, "stage": "auth", "code": "auth_failed"},
        )  # fmt: skip
    found = facts(viewer, tenant)
    assert (found["Schema"], found["Dead letters"]) == (("", "behind"), ("1", "failing"))
    said = "mail.acme.test:587, 3 failures in a row, test failed at auth: auth_failed"
    assert found["Mail server"] == (said, "Failing")
    seen = viewer.get(f"{LIST}{tenant.id}/change/").context["seen"]
    assert [(one["what"], one["error"]) for one in seen.errors] == [("mails.go", "OSError")]


def test_a_schema_that_is_gone_leaves_a_page_that_says_so(viewer: Client, tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(schema_name="t_gone")
    found = facts(viewer, tenant)
    assert found["Looking inside"] == ("not possible: ProgrammingError", "failed")
    assert found["Seats"] == ("–", "")


def test_staff_who_are_in_and_what_they_did_stand_there(viewer: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    support = staff_of(StaffRole.SUPPORT)
    session_open(staff=support, tenant_id=tenant.id, reason="Ticket 7")
    session_open(staff=support, tenant_id=other_tenant.id, reason="Ticket 8")
    seen = viewer.get(f"{LIST}{tenant.id}/change/").context["seen"]
    assert [session.reason for session in seen.sessions] == ["Ticket 7"]
    assert [(act.action, act.reason) for act in seen.acts] == [("session.opened", "Ticket 7")]


def test_the_page_leads_into_the_lens(viewer: Client, tenant: Tenant) -> None:
    page = viewer.get(f"{LIST}{tenant.id}/change/").content.decode()
    assert 'href="/admin/t/acme/"' in page


def test_no_page_for_what_is_not_there(viewer: Client) -> None:
    assert viewer.get(f"{LIST}{uuid4()}/change/").status_code == 404
    assert viewer.get(f"{LIST}nonsense/change/").status_code == 404


def test_the_list_filters_by_state_plan_and_what_fails(viewer: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    assert listed(viewer, failing="any") == []
    OutboxRow.objects.create(tenant_id=tenant.id, entry_id=uuid7(), key="k", reaction="r", state="dead")
    assert listed(viewer, failing="dead") == ["acme"]
    Tenant.objects.filter(pk=other_tenant.pk).update(schema_fingerprint="old", plan="pro", status="suspended")
    assert listed(viewer, failing="schema") == ["globex"]
    assert listed(viewer, status__exact="suspended") == ["globex"]
    assert listed(viewer, plan="trial") == ["acme"]
    TenantFigures.objects.create(tenant_id=tenant.id, mail_server="paused")
    assert listed(viewer, failing="mail") == ["acme"]
    assert sorted(listed(viewer, failing="any")) == ["acme", "globex"]
    assert listed(viewer, q="lobe") == ["globex"]


def test_the_newest_comes_first(viewer: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenancy_tenant SET created_at = created_at - interval '1 day' WHERE slug = 'globex'")
    assert listed(viewer) == ["acme", "globex"]
