"""What is old goes, what is not stays, and tenants without anything cost nothing."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from notifications.counting import FOLD, fold
from notifications.models import DailyCount, Delivery, Notification
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
