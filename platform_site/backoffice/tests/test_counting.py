"""The walk over all tenants that fills staff's figures."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import Session, User
from notifications.models import SmtpServer
from notifications.models.counts import CountChange, DailyCount
from platform_site.backoffice import counting
from platform_site.backoffice.counting import count_all
from platform_site.backoffice.models import TenantDay, TenantFigures
from platform_site.binding import bind
from platform_site.ids import uuid7
from tenancy.models import Tenant
from tests.support import Api

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()


def day_of(tenant: Tenant, day: date = TODAY) -> tuple[int, int, int, int] | None:
    rows = TenantDay.objects.filter(tenant_id=tenant.id, day=day)
    return rows.values_list("active_people", "mails_sent", "mails_bounced", "mails_dead").first()


def used(tenant: Tenant, at: datetime) -> None:
    with bind(tenant.ref):
        Session.objects.update(last_used_at=at)


def test_people_and_seats_of_each_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    with bind(tenant.ref):
        User.objects.create(email="p@acme.test", email_key="p@acme.test", profile_id=3, status="pending")
        User.objects.create(email="i@acme.test", email_key="i@acme.test", profile_id=3, status="inactive")
    walk = count_all(now=NOON)
    assert (walk.tenants, walk.failed, walk.began_at) == (2, 0, NOON)
    found = {row.tenant_id: (row.seats_used, row.people_active, row.error) for row in TenantFigures.objects.all()}
    assert found == {tenant.id: (3, 2, ""), other_tenant.id: (2, 2, "")}


def test_people_are_counted_on_the_day_on_which_their_session_was_used(
    tenant: Tenant, other_tenant: Tenant, alice: Api, bob: Api
) -> None:
    used(tenant, NOON - timedelta(days=1))
    count_all(now=NOON)
    assert day_of(tenant) is None
    assert day_of(tenant, TODAY - timedelta(days=1)) == (2, 0, 0, 0)
    assert day_of(other_tenant) is None


def test_whoever_comes_back_is_not_taken_from_yesterday(tenant: Tenant, alice: Api) -> None:
    used(tenant, NOON)
    with bind(tenant.ref):
        # For its mail the day is written again.
        DailyCount.objects.create(day=TODAY, event_key="e", channel="email", sent=10)
    count_all(now=NOON)
    assert day_of(tenant) == (1, 10, 0, 0)
    used(tenant, NOON + timedelta(days=1))
    count_all(now=NOON + timedelta(days=1))
    assert day_of(tenant) == (1, 10, 0, 0)
    assert day_of(tenant, TODAY + timedelta(days=1)) == (1, 0, 0, 0)


def test_mail_is_what_is_folded_and_what_is_not_yet(tenant: Tenant) -> None:
    with bind(tenant.ref):
        DailyCount.objects.create(day=TODAY, event_key="e", channel="email", sent=10, bounced=2)
        DailyCount.objects.create(day=TODAY, event_key="e", channel="in_app", sent=99)
        CountChange.objects.create(day=TODAY, event_key="e", channel="email", sent=5, failed=1)
    count_all(now=NOON)
    assert day_of(tenant) == (0, 15, 2, 1)
    with bind(tenant.ref):
        # A bounce that is reported days later still counts for the day of the mail.
        CountChange.objects.create(day=TODAY, event_key="e", channel="email", bounced=4)
    count_all(now=NOON + timedelta(days=5))
    assert day_of(tenant) == (0, 15, 6, 1)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"verified_at": NOON}, "working"),
        ({}, "untested"),
        ({"verified_at": NOON, "failures": 2}, "failing"),
        ({"failures": 9, "paused_until": NOON + timedelta(minutes=5)}, "paused"),
        ({"enabled": False, "failures": 9}, "platform"),
    ],
)
def test_the_mail_server_is_looked_at(tenant: Tenant, values: dict[str, object], state: str) -> None:
    with bind(tenant.ref):
        SmtpServer.objects.create(host="h", port=25, security="none", from_email="a@acme.test", **values)
    count_all(now=NOON)
    assert TenantFigures.objects.get(tenant_id=tenant.id).mail_server == state


def test_one_that_cannot_be_read_stops_nobody(tenant: Tenant, other_tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(schema_name="t_gone")
    walk = count_all(now=NOON)
    assert (walk.tenants, walk.failed) == (2, 1)
    assert TenantFigures.objects.get(tenant_id=tenant.id).error == "ProgrammingError"
    assert TenantFigures.objects.get(tenant_id=other_tenant.id).people_active == 2


def test_what_is_gone_or_old_goes(tenant: Tenant) -> None:
    gone = uuid7()
    TenantFigures.objects.create(tenant_id=gone, counted_at=NOON - timedelta(hours=1))
    TenantDay.objects.create(tenant_id=gone, day=TODAY - timedelta(days=399))
    TenantDay.objects.create(tenant_id=gone, day=TODAY - timedelta(days=401))
    count_all(now=NOON)
    assert not TenantFigures.objects.filter(tenant_id=gone).exists()
    assert TenantDay.objects.filter(tenant_id=gone).count() == 1


def test_batches_leave_nobody_out(tenant: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "BATCH", 1)
    assert count_all(now=NOON).tenants == 2
    assert TenantFigures.objects.count() == 2
