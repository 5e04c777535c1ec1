"""What is old goes, what is not stays, and tenants without anything cost nothing."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from notifications.counting import FOLD, fold
from notifications.models import DailyCount, Delivery, DeliveryEvent, Notification
from notifications.services import retention
from notifications.services.retention import RETAIN, retain
from notifications.tests.support import deliveries, raise_lead, told
from platform_site.binding import bind
from platform_site.ids import uuid7, uuid7_floor
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api


def days_on(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)


def run(now: datetime) -> None:
    while dispatcher.run_once(now=now):
        pass


@pytest.fixture
def kept(alice: Api, bob: Api) -> Api:
    """Bob with one that was read and mailed, and one that was not read."""
    raise_lead(alice, bob)
    run(timezone.now())
    bob.post("/notifications/mark-all-read")
    raise_lead(alice, bob)
    run(timezone.now())
    with bind(bob.tenant.ref):
        fold(UUID(int=1))
    return bob


def ages(person: Api, days: int) -> tuple[int, int]:
    """(notifications, deliveries) that are left after so many days."""
    run(days_on(days))
    with bind(person.tenant.ref):
        return Notification.objects.count(), Delivery.objects.count()


def test_mails_go_before_what_was_read_and_that_before_what_was_not(kept: Api) -> None:
    assert ages(kept, 89) == (2, 2)
    assert ages(kept, 91) == (2, 0)
    assert ages(kept, 181) == (1, 0)
    assert len(told(kept)) == 1
    assert ages(kept, 366) == (0, 0)
    with bind(kept.tenant.ref):
        assert sum(DailyCount.objects.values_list("created", flat=True)) == 4
    assert not OutboxRow.objects.filter(reaction=RETAIN).exists()


def test_the_company_decides_how_long_is_kept_what_became_of_mails(alice: Api, kept: Api) -> None:
    alice.call("PUT", "/settings/email/compliance", {"gdpr": {"enabled": True, "retentionDays": 30}})
    assert ages(kept, 29) == (2, 2)
    assert ages(kept, 31) == (2, 0)


def test_who_opened_and_clicked_is_forgotten_before_the_mail_is(alice: Api, kept: Api) -> None:
    alice.call("PUT", "/settings/email/tracking", {"retentionDays": 10})
    now = timezone.now()
    with bind(kept.tenant.ref):
        Delivery.objects.update(opened_at=now, machine_opened_at=now, clicked_at=now, delivered_at=now)
        for kind in ("opened", "delivered"):
            DeliveryEvent.objects.create(delivery=Delivery.objects.earliest("id"), kind=kind, event_id=kind, at=now)

    def known() -> tuple[int, int, list[str]]:
        with bind(kept.tenant.ref):
            rows = Delivery.objects.all()
            opened = rows.exclude(opened_at=None, machine_opened_at=None, clicked_at=None).count()
            kinds = sorted(DeliveryEvent.objects.values_list("kind", flat=True))
            return opened, rows.exclude(delivered_at=None).count(), kinds

    run(days_on(9))
    assert known() == (2, 2, ["delivered", "opened"])
    run(days_on(11))
    assert known() == (0, 2, ["delivered"])


def test_what_still_has_to_be_sent_stays(alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    raise_lead(alice, bob)
    with bind(bob.tenant.ref):
        monkeypatch.setattr(retention, "working_now", lambda: days_on(100))
        retain(UUID(int=2))
    assert [one.status for one in deliveries(bob)] == ["pending"]


def test_more_than_a_batch_goes_and_the_neighbour_keeps_theirs(
    kept: Api, mallory: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    raise_lead(mallory, mallory)
    monkeypatch.setattr(retention, "working_now", lambda: days_on(400))
    with bind(kept.tenant.ref):
        assert retain(UUID(int=2)) is None
        assert not Notification.objects.exists()
    assert len(told(mallory)) == 1


@pytest.mark.commits
def test_it_is_armed_by_what_happens_and_not_before(alice: Api, bob: Api) -> None:
    def jobs() -> set[str]:
        rows = OutboxRow.objects.filter(available_at__gt=timezone.now(), reaction__startswith="notifications.")
        return set(rows.values_list("reaction", flat=True))

    assert jobs() == set()
    raise_lead(alice, bob)
    assert jobs() == {FOLD}
    run(timezone.now() + timedelta(minutes=6))
    assert jobs() == {RETAIN}


def test_ids_have_their_place_in_time() -> None:
    now = timezone.now()
    assert uuid7_floor(now - timedelta(milliseconds=5)) < uuid7() < uuid7_floor(now + timedelta(seconds=5))
