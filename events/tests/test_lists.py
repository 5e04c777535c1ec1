"""The list of what happened to a record: its order, its parts and its filters, through merges and back."""

import random
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.models import Event, EventStat
from events.selectors import lists
from events.tests.support import (
    PATH,
    UNKNOWN,
    activity,
    ago,
    at,
    batch,
    entity,
    erase,
    error,
    event,
    listed,
    merge,
    stats,
    summary,
    write,
)
from platform_site.binding import bind
from tests.support import Api, scaled


@pytest.fixture
def jane(alice: Api) -> str:
    return entity(alice)


def actions(somebody: Api, canonical_id: str, query: str = "") -> list[str]:
    return [one["action"] for one in listed(somebody, canonical_id, query)["data"]]


def hours(canonical_id: str, count: int) -> list[dict[str, Any]]:
    """a0 happened last."""
    return [event(canonical_id, action=f"a{number}", occurredAt=ago(hours=number + 1)) for number in range(count)]


def test_a_record_without_events_has_an_empty_list(alice: Api, jane: str) -> None:
    answer = listed(alice, jane)
    assert answer["data"] == []
    assert answer["meta"] == {
        "limit": 50,
        "nextCursor": None,
        "prevCursor": None,
        "page": 1,
        "total": 0,
        "totalPages": 0,
        "totalIsEstimate": False,
    }


@pytest.mark.parametrize("part", ["", "/summary", "/activity-summary"])
def test_who_is_nobody_foreign_or_erased_has_none(alice: Api, mallory: Api, jane: str, part: str) -> None:
    write(alice, event(jane))
    assert error(alice.get(f"{PATH}/{UNKNOWN}{part}")) == (404, "unknown_canonical")
    assert error(mallory.get(f"{PATH}/{jane}{part}")) == (404, "unknown_canonical")
    assert error(alice.get(f"{PATH}/{jane[:-1]}{part}")) == (404, "not_found")
    erase(alice, jane)
    assert error(alice.get(f"{PATH}/{jane}{part}")) == (410, "subject_erased")
    loser = entity(alice, merged_into=jane)
    assert error(alice.get(f"{PATH}/{loser}{part}")) == (410, "subject_erased")


def test_the_order_is_when_it_happened_and_not_when_it_came(alice: Api, jane: str) -> None:
    sent = hours(jane, 9)
    random.Random(7).shuffle(sent)
    for one in sent:
        write(alice, one)
    assert actions(alice, jane) == [f"a{number}" for number in range(9)]


def test_cursors_go_through_it_and_back(alice: Api, jane: str) -> None:
    batch(alice, hours(jane, 7))
    first = listed(alice, jane, "?limit=3")
    assert (first["meta"]["total"], first["meta"]["totalPages"], first["meta"]["prevCursor"]) == (7, 3, None)
    second = listed(alice, jane, f"?limit=3&cursor={first['meta']['nextCursor']}")
    assert [one["action"] for one in second["data"]] == ["a3", "a4", "a5"]
    # What comes in meanwhile moves nothing.
    write(alice, event(jane, action="new"))
    third = listed(alice, jane, f"?limit=3&cursor={second['meta']['nextCursor']}")
    assert [one["action"] for one in third["data"]] == ["a6"]
    assert (third["meta"]["nextCursor"], "total" in third["meta"]) == (None, False)
    back = listed(alice, jane, f"?limit=3&cursor={third['meta']['prevCursor']}")
    assert back["data"] == second["data"]
    back = listed(alice, jane, f"?limit=3&cursor={back['meta']['prevCursor']}")
    assert back["data"] == first["data"]
    newest = listed(alice, jane, f"?limit=3&cursor={back['meta']['prevCursor']}")
    assert [one["action"] for one in newest["data"]] == ["new"]
    assert newest["meta"]["prevCursor"] is None
    assert actions(alice, jane, f"?limit=3&cursor={newest['meta']['nextCursor']}") == ["a0", "a1", "a2"]


def test_events_of_one_moment_are_told_apart(alice: Api, jane: str) -> None:
    moment = ago(hours=1)
    report = batch(alice, [event(jane, occurredAt=moment) for _ in range(9)])
    seen, query = [], "?limit=2"
    while query:
        page = listed(alice, jane, query)
        seen += [one["id"] for one in page["data"]]
        query = f"?limit=2&cursor={page['meta']['nextCursor']}" if page["meta"]["nextCursor"] else ""
    assert seen == report["ids"][::-1]


def test_pages_by_number_have_totals_and_lead_on_by_cursor(alice: Api, jane: str) -> None:
    batch(alice, hours(jane, 7))
    page = listed(alice, jane, "?page=2&limit=3")
    assert [one["action"] for one in page["data"]] == ["a3", "a4", "a5"]
    assert {**page["meta"], "nextCursor": None} == {
        "limit": 3,
        "nextCursor": None,
        "prevCursor": None,
        "page": 2,
        "total": 7,
        "totalPages": 3,
        "totalIsEstimate": False,
    }
    assert actions(alice, jane, f"?limit=3&cursor={page['meta']['nextCursor']}") == ["a6"]
    assert listed(alice, jane, "?page=4&limit=3")["data"] == []
    assert listed(alice, jane, "?page=1000000&limit=200")["data"] == []


def test_beyond_what_is_counted_totals_are_estimates(alice: Api, jane: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "EXACT_TOTAL", 3)
    batch(alice, hours(jane, 7))
    meta = listed(alice, jane, "?app=sales")["meta"]
    assert meta["totalIsEstimate"] is True
    assert meta["total"] >= 4
    # Without a filter it is known.
    meta = listed(alice, jane)["meta"]
    assert (meta["total"], meta["totalIsEstimate"]) == (7, False)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "page=0",
        "app=Sales",
        "app=",
        "category=",
        f"category={'a' * 51}",
        f"action={'a' * 101}",
        "action=%00",
        "q=",
        "q=%0a",
        f"q={'a' * 101}",
        "from=2026-01-01",
        "from=2026-01-01T00:00:00",
        "to=tomorrow",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "app=a&app=b",
        "since=x",
        "cursor=x",
    ],
)
def test_what_makes_no_sense_is_refused(alice: Api, jane: str, query: str) -> None:
    assert alice.get(f"{PATH}/{jane}?{query}").status_code == 400


def test_a_cursor_belongs_to_its_list(alice: Api, mallory: Api, jane: str) -> None:
    john = entity(alice)
    batch(alice, hours(jane, 3) + hours(john, 3))
    cursor = listed(alice, jane, "?limit=1")["meta"]["nextCursor"]
    assert error(alice.get(f"{PATH}/{john}?cursor={cursor}")) == (400, "invalid_cursor")
    assert error(mallory.get(f"{PATH}/{entity(mallory)}?cursor={cursor}")) == (400, "invalid_cursor")
    assert alice.get(f"{PATH}/{jane}?cursor={cursor}&page=1").status_code == 400


def test_filters_narrow_it_and_go_together(alice: Api, jane: str) -> None:
    kinds = [("sales", "mail", "opened"), ("sales", "mail", "Opened twice"), ("chat", "mail", "opened"),
             ("sales", "call", "opened"), ("sales", "mail", "100% off_")]  # fmt: skip
    moments = {kind: f"2026-01-0{number}T00:00:00Z" for number, kind in enumerate(kinds, 1)}
    batch(
        alice,
        [
            event(jane, app=app, category=category, action=action, occurredAt=moment)
            for (app, category, action), moment in moments.items()
        ],
    )

    def found(query: str) -> list[int]:
        shown = listed(alice, jane, f"?{query}")
        assert shown["meta"]["total"] == len(shown["data"])
        return [kinds.index((one["app"], one["category"], one["action"])) for one in shown["data"]]

    assert found("app=sales") == [4, 3, 1, 0]
    assert found("category=mail") == [4, 2, 1, 0]
    assert found("action=opened") == [3, 2, 0]
    assert found("app=sales&category=mail&action=opened") == [0]
    assert found("q=OPEN") == [3, 2, 1, 0]
    assert found(f"q={quote('%')}") == [4]
    assert found("q=_") == [4]
    assert found(f"q={quote(chr(92))}") == []
    assert found("app=crm") == []
    # From is in it, to is not.
    assert found("from=2026-01-02T00:00:00Z&to=2026-01-04T00:00:00Z") == [2, 1]
    assert found("from=2026-01-02T01:00:00%2B01:00&to=2026-01-02T00:00:00Z") == []
    cursor = listed(alice, jane, "?app=sales&limit=2")["meta"]["nextCursor"]
    assert actions(alice, jane, f"?app=sales&limit=2&cursor={cursor}") == ["Opened twice", "opened"]


def test_a_merge_shows_all_and_undoing_it_gives_everybody_their_own(alice: Api, jane: str) -> None:
    john = entity(alice)
    batch(alice, [event(jane, action="j1", occurredAt=ago(hours=4)), event(john, action="x1", occurredAt=ago(hours=3))])
    kept = stats(alice)
    merge(alice, john, jane)
    # What is sent to the old id afterwards is still the old one's.
    write(alice, event(john, action="x2", occurredAt=ago(hours=2)))
    write(alice, event(jane, action="j2", occurredAt=ago(hours=1)))
    for asked in (jane, john):
        shown = listed(alice, asked)
        assert [one["action"] for one in shown["data"]] == ["j2", "x2", "x1", "j1"]
        assert {one["canonicalId"] for one in shown["data"]} == {jane}
        assert [one["sentCanonicalId"] for one in shown["data"]] == [None, john, john, None]
        assert shown["meta"]["total"] == 4
        assert summary(alice, asked)["total"] == 4
        assert activity(alice, asked)["windows"]["30d"]["total"] == 4
        assert summary(alice, asked)["canonicalId"] == activity(alice, asked)["canonicalId"] == jane
    merge(alice, john, None)
    assert actions(alice, jane) == ["j2", "j1"]
    assert actions(alice, john) == ["x2", "x1"]
    assert (summary(alice, jane)["total"], summary(alice, john)["total"]) == (2, 2)
    assert {one: total for one, (total, _, _) in stats(alice).items()} == {jane: 2, john: 2}
    assert {one: total for one, (total, _, _) in kept.items()} == {jane: 1, john: 1}


def test_pages_over_many_merged_records_have_no_seams(alice: Api, jane: str) -> None:
    ids = [jane, *(entity(alice, merged_into=jane) for _ in range(20))]
    sent = [
        event(ids[number * 5 % 21], action=f"a{number}", occurredAt=ago(minutes=number + 1)) for number in range(100)
    ]
    batch(alice, sent)
    seen, query = [], "?limit=7"
    while query:
        page = listed(alice, ids[3], query)
        seen += [one["action"] for one in page["data"]]
        query = f"?limit=7&cursor={page['meta']['nextCursor']}" if page["meta"]["nextCursor"] else ""
    assert seen == [f"a{number}" for number in range(100)]
    assert actions(alice, jane, "?page=3&limit=7") == seen[14:21]


def count_queries(somebody: Api, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert somebody.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize("part", ["", "?app=sales", "/summary", "/activity-summary"])
def test_it_takes_as_many_queries_for_a_hundred_as_for_one(alice: Api, jane: str, part: str) -> None:
    john = entity(alice)
    batch(alice, hours(jane, 100) + hours(john, 1))
    for _ in range(5):
        merge(alice, entity(alice), jane)
    count_queries(alice, f"{PATH}/{john}{part}")
    assert count_queries(alice, f"{PATH}/{jane}{part}") == count_queries(alice, f"{PATH}/{john}{part}")


MINUTES = st.lists(st.integers(1, 60 * 24 * 400), min_size=1, max_size=25, unique=True)


@settings(max_examples=scaled(12, 300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=MINUTES, seed=st.randoms(use_true_random=False))
def test_in_whatever_order_and_batches_they_come_the_lists_and_figures_are_equal(
    alice: Api, minutes: list[int], seed: random.Random
) -> None:
    start = at("2026-01-31T12:00:00+00:00")
    pairs = [(entity(alice), entity(alice)) for _ in range(2)]
    kinds = [(seed.choice(["sales", "chat"]), seed.choice(["mail", "call"]), seed.choice("xyz")) for _ in minutes]
    second = [seed.random() < 0.5 for _ in minutes]

    def sent(turn: int) -> list[dict[str, Any]]:
        return [
            event(
                pairs[turn][loser],
                app=app,
                category=category,
                action=action,
                occurredAt=(start - timedelta(minutes=minute)).isoformat(),
                messageId=f"{pairs[turn][0]}-{minute}",
                metadata={"minute": minute},
            )
            for minute, (app, category, action), loser in zip(minutes, kinds, second, strict=True)
        ]

    batch(alice, sorted(sent(0), key=lambda one: str(one["occurredAt"])))
    shuffled = sent(1)
    seed.shuffle(shuffled)
    merged_before = seed.random() < 0.5
    if merged_before:
        merge(alice, pairs[1][1], pairs[1][0])
    while shuffled:
        size = seed.randint(1, len(shuffled))
        batch(alice, shuffled[:size])
        # A sender that is not sure sends some of it again.
        batch(alice, shuffled[: seed.randint(1, size)])
        del shuffled[:size]
    merge(alice, pairs[0][1], pairs[0][0])
    if not merged_before:
        merge(alice, pairs[1][1], pairs[1][0])

    def seen(turn: int) -> Any:
        winner = pairs[turn][0]
        shown = [
            (
                one["app"],
                one["category"],
                one["action"],
                one["occurredAt"],
                one["metadata"],
                one["canonicalId"] == winner,
            )
            for one in listed(alice, winner, "?limit=200")["data"]
        ]
        figures = {name: {**found(alice, winner), "canonicalId": None} for name, found in
                   (("summary", summary), ("activity", activity))}  # fmt: skip
        with bind(alice.tenant.ref):
            rows = EventStat.objects.filter(canonical_id__in=pairs[turn]).order_by("total", "first_at")
            counted = list(rows.values_list("total", "first_at", "last_at"))
            assert sum(total for total, _, _ in counted) == len(minutes)
            assert Event.objects.filter(canonical_id__in=pairs[turn]).count() == len(minutes)
        return shown, figures, counted

    assert seen(0) == seen(1)
