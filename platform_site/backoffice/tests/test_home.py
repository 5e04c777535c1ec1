"""The home page: what it counts, how old that is, and what it points at."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.staff.roles import StaffRole
from accounts.staff.tests.support import browser_of, staff_of
from platform_site import valkey
from platform_site.backoffice.counting import count_all
from platform_site.backoffice.figures import figures
from platform_site.backoffice.models import TenantDay, TenantFigures, Walk
from platform_site.ids import uuid7
from platform_site.outbox.models import OutboxRow
from platform_site.realtime.census import census_key, sockets_open
from tenancy.models import Tenant


@pytest.fixture
def viewer(database: None) -> Client:
    return browser_of(staff_of(StaffRole.VIEWER))


def cards(browser: Client) -> dict[str, tuple[str, str]]:
    return {card["title"]: (card["value"], card["text"]) for card in browser.get("/admin/").context["cards"]}


def waiting(tenant: Tenant, state: str, minutes: int = 0) -> OutboxRow:
    due = timezone.now() - timedelta(minutes=minutes)
    return OutboxRow.objects.create(
        tenant_id=tenant.id, entry_id=uuid7(), key="k", reaction="r", state=state, available_at=due
    )


def test_tenants_stand_by_state_and_by_the_day_of_their_sign_up(tenant: Tenant, other_tenant: Tenant) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(status="suspended", created_at=timezone.now() - timedelta(days=3))
    Tenant.objects.filter(pk=tenant.pk).update(created_at=timezone.now())
    seen = figures()
    assert (seen.tenants["active"], seen.tenants["suspended"]) == (1, 1)
    assert [seen.signed_up.get(day, 0) for day in seen.days[-4:]] == [1, 0, 0, 1]


def test_what_waits_is_counted_with_the_oldest_of_it(viewer: Client, tenant: Tenant) -> None:
    OutboxRow.objects.all().delete()
    assert cards(viewer)["Work due"] == ("0", "nothing waits")
    waiting(tenant, "pending", minutes=40)
    waiting(tenant, "pending", minutes=10)
    waiting(tenant, "pending", minutes=-10)
    waiting(tenant, "parked")
    waiting(tenant, "dead")
    found = cards(viewer)
    assert found["Work due"] == ("2", "oldest for 40\xa0minutes")
    assert found["Dead letters"] == ("1", "1 parked")


def test_failing_tenants_are_named_with_the_reason(viewer: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    assert viewer.get("/admin/").context["failing"] == []
    waiting(tenant, "dead")
    waiting(tenant, "dead")
    Tenant.objects.filter(pk=other_tenant.pk).update(schema_fingerprint="old")
    TenantFigures.objects.create(tenant_id=tenant.id, mail_server="failing")
    TenantFigures.objects.create(tenant_id=other_tenant.id, error="ProgrammingError")
    found = [(one.slug, one.why) for one, _ in viewer.get("/admin/").context["failing"]]
    assert found == [
        ("acme", "2 dead letters"),
        ("globex", "schema behind"),
        ("acme", "mail server failing"),
        ("globex", "could not be read: ProgrammingError"),
    ]
    assert cards(viewer)["Schemas behind"][0] == "1"


def test_the_page_says_how_old_its_counts_are(viewer: Client, tenant: Tenant) -> None:
    assert "not counted yet" in viewer.get("/admin/").context["counted"]
    count_all()
    page = viewer.get("/admin/")
    assert page.context["counted"] == (
        "People and mail were counted less than a minute ago, in 2 active tenants."
    )  # fmt: skip
    assert not page.context["counted_is_stale"]
    Walk.objects.update(ended_at=timezone.now() - timedelta(hours=5), failed=1)
    page = viewer.get("/admin/")
    assert page.context["counted"] == (
        "People and mail were counted 5\xa0hours ago, in 2 active tenants, 1 could not be read."
    )
    assert page.context["counted_is_stale"]


def test_days_of_all_tenants_are_added_up(viewer: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    today = timezone.now().date()
    for one in (tenant, other_tenant):
        TenantDay.objects.create(
            tenant_id=one.id, day=today, active_people=3, mails_sent=10, mails_bounced=2, mails_dead=1
        )
    TenantDay.objects.create(tenant_id=tenant.id, day=today - timedelta(days=40), mails_sent=1000)
    assert cards(viewer)["Active people today"][0] == "6"
    mail = next(chart for chart in viewer.get("/admin/").context["charts"] if chart["title"] == "Mail per day")
    assert [(name, total) for name, total, _ in mail["total"]] == [("Sent", "20"), ("Bounced", "4"), ("Given up", "2")]


def test_sockets_are_those_of_all_processes_that_are_still_there(viewer: Client) -> None:
    now = timezone.now().timestamp()
    valkey.client().hset(
        census_key(), mapping={"one": f"7:{now + 20}", "other": f"5:{now + 20}", "dead": f"90:{now - 1}"}
    )
    assert sockets_open() == 12
    assert cards(viewer)["Sockets open"] == ("12", "in all processes")


def test_without_valkey_nobody_knows_how_many(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any) -> None:
        raise valkey.ValkeyAway[0]("away")

    monkeypatch.setattr(valkey.client(), "hgetall", away)
    assert cards(viewer)["Sockets open"] == ("?", "Valkey is away")
