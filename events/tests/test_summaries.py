"""Figures over calendar days of the organisation's zone, whatever its clocks do."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from events.days import day_begins, day_of
from events.selectors.summaries import Activity, Summary, events_activity, events_summary
from events.tests.support import activity, ago, at, batch, entity, event, in_zone, summary, write
from platform_site.binding import bind
from registry.models import Link
from tests.support import Api, scaled


@pytest.fixture
def jane(alice: Api) -> str:
    return entity(alice)


def figures(somebody: Api, canonical_id: str, now: str) -> tuple[Summary, Activity]:
    with bind(somebody.tenant.ref):
        ids = [UUID(canonical_id)]
        return events_summary(ids, now=at(now)), events_activity(ids, now=at(now))


def totals(found: Activity) -> list[int]:
    return [window.total for window in found.windows.values()]


def test_of_a_record_without_events_everything_is_nothing(alice: Api, jane: str) -> None:
    assert summary(alice, jane) == {
        "canonicalId": jane,
        "timezone": "UTC",
        "total": 0,
        "firstAt": None,
        "lastAt": None,
        "daysSinceLast": None,
        "activeDays30": 0,
        "last30": 0,
        "prev30": 0,
        "deltaPct": None,
        "byApp": {},
        "byCategory": {},
        "topActions": [],
        "linkedApps": [],
    }
    shown = activity(alice, jane)
    assert {name: (one["total"], one["matrix"]) for name, one in shown["windows"].items()} == {
        "30d": (0, []),
        "90d": (0, []),
        "365d": (0, []),
    }


def test_the_summary_adds_up(alice: Api, jane: str) -> None:
    sent = [
        *[event(jane, occurredAt=ago(days=1, minutes=number)) for number in range(3)],
        event(jane, occurredAt=ago(days=2), app="chat", category="support", action="asked"),
        *[event(jane, occurredAt=ago(days=40)) for _ in range(2)],
        event(jane, occurredAt=ago(days=400), action="came"),
    ]
    batch(alice, sent)
    shown = summary(alice, jane)
    assert (shown["total"], shown["last30"], shown["prev30"], shown["deltaPct"]) == (7, 4, 2, 100.0)
    assert (shown["byApp"], shown["byCategory"]) == ({"sales": 6, "chat": 1}, {"engagement": 6, "support": 1})
    assert shown["topActions"] == [
        {"app": "sales", "category": "engagement", "action": "email_opened", "count": 5},
        {"app": "chat", "category": "support", "action": "asked", "count": 1},
        {"app": "sales", "category": "engagement", "action": "came", "count": 1},
    ]
    assert list(shown["byApp"]) == ["sales", "chat"]
    assert shown["firstAt"][:16] == at(sent[-1]["occurredAt"]).isoformat()[:16]
    windows = activity(alice, jane)["windows"]
    assert {name: one["total"] for name, one in windows.items()} == {"30d": 4, "90d": 6, "365d": 6}
    assert windows["90d"]["matrix"] == [
        {"app": "sales", "category": "engagement", "count": 5},
        {"app": "chat", "category": "support", "count": 1},
    ]
    assert (windows["30d"]["byApp"], windows["30d"]["byCategory"]) == (
        {"sales": 3, "chat": 1},
        {"engagement": 3, "support": 1},
    )


def test_ten_actions_are_shown_at_most(alice: Api, jane: str) -> None:
    batch(alice, [event(jane, action=f"a{number}") for number in range(12) for _ in range(number + 1)])
    shown = summary(alice, jane)["topActions"]
    assert [(one["action"], one["count"]) for one in shown] == [
        (f"a{number}", number + 1) for number in range(11, 1, -1)
    ]


def test_what_lies_ahead_is_not_counted_yet(alice: Api, jane: str) -> None:
    batch(alice, [event(jane, occurredAt=ago(minutes=-30)), event(jane, occurredAt=ago(minutes=5))])
    shown, windows = summary(alice, jane), activity(alice, jane)["windows"]
    assert (shown["total"], shown["last30"], windows["30d"]["total"], windows["365d"]["total"]) == (1, 1, 1, 1)


def test_a_late_event_lands_in_its_own_day(alice: Api, jane: str) -> None:
    write(alice, event(jane, occurredAt="2024-03-10T12:00:00Z"))
    found, windows = figures(alice, jane, "2024-04-08T23:00:00Z")
    assert (found.last_30, found.active_days, found.days_since_last) == (1, 1, 29)
    assert totals(windows) == [1, 1, 1]
    found, windows = figures(alice, jane, "2024-04-09T00:00:00Z")
    assert (found.last_30, found.prev_30, found.delta_percent, found.active_days) == (0, 1, -100.0, 0)
    assert totals(windows) == [0, 1, 1]


def test_linked_apps_are_those_of_the_record_today(alice: Api, jane: str) -> None:
    with bind(alice.tenant.ref):
        for app, kind, ended in (("sales", "lead", None), ("chat", "user", None), ("sales", "deal", None),
                                 ("billing", "customer", timezone.now())):  # fmt: skip
            Link.objects.create(
                entity_id=jane,
                origin_id=jane,
                app=app,
                entity_type=kind,
                entity_id_in_app="1",
                snapshot_at=timezone.now(),
                method="manual",
                unlinked_at=ended,
            )
    loser = entity(alice, merged_into=jane)
    assert summary(alice, jane)["linkedApps"] == summary(alice, loser)["linkedApps"] == ["chat", "sales"]


# Zone, the first moment of a window of 30 days, and a moment of its last day.
EDGES = {
    "the hour that spring leaves out": ("America/New_York", "2025-03-09T05:00:00Z", "2025-04-07T16:00:00Z"),
    "the day after it": ("America/New_York", "2025-03-10T04:00:00Z", "2025-04-08T16:00:00Z"),
    "a midnight that is left out": ("Asia/Beirut", "2025-03-29T22:00:00Z", "2025-04-28T12:00:00Z"),
    "a midnight that comes twice": ("America/Havana", "2024-11-03T04:00:00Z", "2024-12-02T12:00:00Z"),
    "the 29th of February": ("UTC", "2024-02-29T00:00:00Z", "2024-03-29T23:59:59Z"),
    "the turn of the year": ("Pacific/Auckland", "2024-12-31T11:00:00Z", "2025-01-30T10:59:59Z"),
    "half an hour": ("Asia/Kolkata", "2025-01-09T18:30:00Z", "2025-02-08T18:29:59Z"),
    "the far east": ("Pacific/Kiritimati", "2025-01-09T10:00:00Z", "2025-02-08T09:59:59Z"),
}


@pytest.mark.parametrize(("zone", "first", "now"), EDGES.values(), ids=EDGES.keys())
def test_a_window_begins_with_its_first_day(alice: Api, jane: str, zone: str, first: str, now: str) -> None:
    in_zone(alice, zone)
    begins = at(first)
    just_before = (begins - timedelta(milliseconds=1)).isoformat()
    batch(alice, [event(jane, occurredAt=moment) for moment in (just_before, first, now)])
    found, windows = figures(alice, jane, now)
    assert (found.last_30, found.prev_30, found.active_days, found.days_since_last) == (2, 1, 2, 0)
    assert totals(windows) == [2, 3, 3]
    window = windows.windows[30]
    assert (window.last - window.first).days == 29
    assert window.first == day_of(begins, ZoneInfo(zone))


def test_a_year_back_from_a_day_in_february_is_a_leap_day(alice: Api, jane: str) -> None:
    batch(alice, [event(jane, occurredAt=moment) for moment in ("2024-02-29T00:00:00Z", "2024-02-28T23:59:59Z")])
    _, windows = figures(alice, jane, "2025-02-27T12:00:00Z")
    assert (windows.windows[365].first, windows.windows[365].total) == (date(2024, 2, 29), 1)


def test_the_same_events_belong_to_other_days_elsewhere(alice: Api, jane: str) -> None:
    write(alice, event(jane, occurredAt="2025-01-01T02:00:00Z"))
    for zone, day in (("UTC", "2025-01-01"), ("America/New_York", "2024-12-31")):
        in_zone(alice, zone)
        found, windows = figures(alice, jane, "2025-01-31T04:00:00Z")
        today = windows.as_of
        assert found.days_since_last == (today - date.fromisoformat(day)).days


@pytest.mark.no_django
def test_a_day_that_a_country_left_out_is_empty() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert day_begins(date(2011, 12, 30), apia) == day_begins(date(2011, 12, 31), apia) == at("2011-12-30T10:00:00Z")
    assert day_begins(date(2011, 12, 29), apia) == at("2011-12-29T10:00:00Z")


ZONES = ["UTC", "America/New_York", "Asia/Beirut", "Africa/Cairo", "America/Havana", "America/Santiago",
         "America/Asuncion", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Kiritimati",
         "Pacific/Pago_Pago", "Asia/Gaza", "America/St_Johns", "Atlantic/Azores"]  # fmt: skip


@pytest.mark.no_django
@settings(max_examples=scaled(300, 20_000), deadline=None)
@given(st.sampled_from(ZONES), st.integers(1_420_000_000, 1_890_000_000))
def test_every_moment_is_between_the_ends_of_its_day(name: str, second: int) -> None:
    zone, moment = ZoneInfo(name), datetime.fromtimestamp(second, UTC)
    day = day_of(moment, zone)
    assert day_begins(day, zone) <= moment < day_begins(day + timedelta(days=1), zone)
