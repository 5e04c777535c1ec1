"""How long events are kept, with the clock moved on."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.models import Event
from events.services import retention
from events.services.erasing import events_erase
from events.services.retention import RETAIN
from events.tests.support import ago, batch, entity, event, keep, listed, recounted, stats, write
from platform_site.binding import bind
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api, at_once


@pytest.fixture(autouse=True)
def _nothing_waits(database: None) -> None:
    OutboxRow.objects.all().delete()


@pytest.fixture
def jane(alice: Api) -> str:
    return entity(alice)


def run(days_on: float = 0) -> None:
    while dispatcher.run_once(now=timezone.now() + timedelta(days=days_on)):
        pass


def due() -> list[datetime]:
    return list(OutboxRow.objects.filter(reaction=RETAIN).values_list("available_at", flat=True))


def actions(somebody: Api, canonical_id: str) -> list[str]:
    return [one["action"] for one in listed(somebody, canonical_id)["data"]]


def test_events_are_kept_for_ever_unless_somebody_says_otherwise(alice: Api, jane: str) -> None:
    write(alice, event(jane, occurredAt="1971-01-01T00:00:00Z"))
    run(5000)
    assert due() == []
    assert len(actions(alice, jane)) == 1


def test_what_is_older_goes_at_once_and_then_day_by_day(alice: Api, jane: str) -> None:
    batch(alice, [event(jane, action=f"a{days}", occurredAt=ago(days=days)) for days in (40, 20, 1)])
    keep(alice, 30)
    run()
    assert actions(alice, jane) == ["a1", "a20"]
    run(9)
    assert actions(alice, jane) == ["a1", "a20"]
    run(11)
    assert actions(alice, jane) == ["a1"]
    assert stats(alice) == recounted(alice)
    run(40)
    assert (actions(alice, jane), stats(alice)) == ([], {})
    (tomorrow,) = due()
    assert tomorrow > timezone.now() + timedelta(days=40)


def test_it_goes_by_when_it_happened_and_not_by_when_it_came(alice: Api, jane: str) -> None:
    batch(alice, [event(jane, action=name, occurredAt=ago(days=days)) for name, days in (("young", 1), ("late", 40))])
    keep(alice, 30)
    run()
    assert actions(alice, jane) == ["young"]


def test_it_goes_in_parts_and_the_stats_stay_right(alice: Api, jane: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    john, gone = entity(alice), entity(alice)
    for one, ages in ((jane, (50, 49, 48, 47, 46, 3, 2)), (john, (45, 44, 1)), (gone, (43, 42))):
        batch(alice, [event(one, occurredAt=ago(days=days)) for days in ages])
    keep(alice, 30)
    run()
    assert {one: total for one, (total, _, _) in stats(alice).items()} == {jane: 2, john: 1}
    assert stats(alice) == recounted(alice)


def test_a_shorter_time_counts_at_once_and_for_ever_ends_it(alice: Api, jane: str) -> None:
    write(alice, event(jane, occurredAt=ago(days=20)))
    keep(alice, 30)
    run()
    assert len(actions(alice, jane)) == 1
    keep(alice, 10)
    run()
    assert actions(alice, jane) == []
    keep(alice, None)
    write(alice, event(jane, occurredAt=ago(days=4000)))
    run(100)
    assert len(actions(alice, jane)) == 1
    assert due() == []


def test_where_nothing_is_old_it_is_two_statements(alice: Api, jane: str) -> None:
    write(alice, event(jane))
    keep(alice, 30)
    with bind(alice.tenant.ref), CaptureQueriesContext(connection) as captured:
        assert retention.retain(UUID(int=4)) is not None
    texts = [one["sql"] for one in captured if one["sql"].lstrip().startswith(("SELECT", "WITH", "UPDATE", "DELETE"))]
    assert len(texts) == 2


def test_another_setting_starts_nothing(alice: Api) -> None:
    alice.call("PUT", "/org-settings/chat.edit_minutes", {"value": 5})
    run()
    assert due() == []


@pytest.mark.parametrize("value", [-1, 36_501, "30", 1.5])
def test_days_are_whole_and_no_more_than_a_hundred_years(alice: Api, value: Any) -> None:
    assert alice.call("PUT", "/org-settings/events.retention_days", {"value": value}).status_code == 400


@pytest.mark.commits
def test_ingest_erasing_and_letting_go_at_once_wait_in_no_circle(alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 20)
    ids = [entity(alice) for _ in range(10)]
    old = [event(ids[number % 10], occurredAt=ago(days=40), messageId=f"o{number}") for number in range(400)]
    batch(alice, old)
    keep(alice, 30)

    def work(number: int) -> None:
        if number < 2:
            with bind(alice.tenant.ref):
                retention.retain(UUID(int=4))
        elif number == 2:
            with bind(alice.tenant.ref):
                events_erase([UUID(one) for one in ids[:3]])
        else:
            for turn in range(5):
                turned = ids[number % 3 + 3 :] + ids[3 : number % 3 + 3]
                batch(alice, [event(one, messageId=f"n{number % 3}-{turn}-{one}") for one in turned])

    assert at_once(6, work).most_at_once >= 3
    with bind(alice.tenant.ref):
        retention.retain(UUID(int=4))
        assert not Event.objects.filter(occurred_at__lt=timezone.now() - timedelta(days=30)).exists()
    assert stats(alice) == recounted(alice)
