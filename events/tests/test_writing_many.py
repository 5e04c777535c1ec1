"""Batches: each event is stored once or refused by its index, whatever the others are."""

from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events import metadata as metadata_rules
from events.models import Event
from events.tests.support import (
    PATH,
    UNKNOWN,
    batch,
    entity,
    erase,
    error,
    event,
    listed,
    recounted,
    stats,
    write,
)
from platform_site.api.body_limits import body_limit
from platform_site.binding import bind
from tests.support import Api

BATCH = f"{PATH}/batch"


@pytest.fixture
def jane(alice: Api) -> str:
    return entity(alice)


def stored(somebody: Api) -> int:
    with bind(somebody.tenant.ref):
        return Event.objects.count()


def events(canonical_id: str, count: int) -> list[dict[str, Any]]:
    return [event(canonical_id, messageId=f"m-{number}", action=f"a{number}") for number in range(count)]


def refused(report: Any) -> list[tuple[int, str, str]]:
    return [(one["index"], one["field"], one["code"]) for one in report["errors"]]


@pytest.mark.parametrize("bare", [True, False])
def test_a_batch_is_an_object_or_a_bare_array(alice: Api, jane: str, bare: bool) -> None:
    sent = events(jane, 3)
    report = batch(alice, sent if bare else {"events": sent})
    shown = listed(alice, jane)["data"]
    assert [one["id"] for one in shown] == sorted(report["ids"], reverse=True)
    assert {**report, "ids": []} == {
        "received": 3,
        "accepted": 3,
        "duplicates": 0,
        "rejected": 0,
        "ids": [],
        "duplicateIndexes": [],
        "errors": [],
    }


def test_of_five_hundred_only_the_wrong_ones_are_left_out(alice: Api, jane: str) -> None:
    sent = events(jane, 500)
    sent[0]["canonicalId"] = UNKNOWN
    sent[250]["metadata"] = {"a": "\x00"}
    del sent[499]["app"]
    sent[499]["action"] = 5
    report = batch(alice, {"events": sent}, 207)
    assert refused(report) == [
        (0, "canonicalId", "unknown_canonical"),
        (250, "metadata", "invalid_metadata"),
        (499, "app", "required"),
        (499, "action", "not_text"),
    ]
    assert [one["messageId"] for one in report["errors"]] == ["m-0", "m-250", "m-499", "m-499"]
    assert (report["received"], report["accepted"], report["rejected"]) == (500, 497, 3)
    assert [index for index, one in enumerate(report["ids"]) if one is None] == [0, 250, 499]
    assert stored(alice) == 497
    assert stats(alice) == recounted(alice)


def test_more_than_five_hundred_are_refused_before_anything_is_written(alice: Api, jane: str) -> None:
    answer = alice.post(BATCH, {"events": events(jane, 501)})
    assert error(answer) == (413, "batch_too_large")
    assert answer.json()["error"]["context"] == {"maxEvents": 500}
    assert stored(alice) == 0
    # Also when none of them is an event.
    assert error(alice.post(BATCH, [None] * 501)) == (413, "batch_too_large")


def test_five_megabytes_are_refused_before_they_are_read(alice: Api, jane: str) -> None:
    limit = 5 * 1024 * 1024
    assert body_limit(f"/api/v1{BATCH}", "application/json") == limit
    assert body_limit(f"/api/v1{PATH}", "application/json") < limit
    body = orjson.dumps({"events": events(jane, 1)})
    fits = body + b" " * (limit - len(body))
    assert alice.call("POST", BATCH, fits).status_code == 201
    # Kept answers are compared by the whole body.
    assert alice.call("POST", BATCH, fits, idempotency_key="k").status_code == 201
    assert error(alice.call("POST", BATCH, fits + b" ")) == (413, "payload_too_large")


@pytest.mark.parametrize("body", [[], {"events": []}])
def test_nothing_is_no_batch(alice: Api, body: Any) -> None:
    assert error(alice.post(BATCH, body)) == (422, "empty_batch")


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({}, [("events", "required")]),
        ({"events": {}}, [("events", "not_a_list")]),
        ({"events": None}, [("events", "null")]),
        ({"events": [], "x": 1, "y": 2}, [("x", "unknown_field"), ("y", "unknown_field")]),
        (5, [("", "not_a_dict")]),
        ("events", [("", "not_a_dict")]),
    ],
)
def test_what_is_around_the_events_is_checked_too(alice: Api, body: Any, problems: list[tuple[str, str]]) -> None:
    answer = alice.post(BATCH, body)
    assert error(answer) == (400, "validation_failed")
    assert [(one["field"], one["code"]) for one in answer.json()["error"]["details"]] == problems


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"events": [}',
        b"[1,]",
        b'{"events": [], "events": []}',
        b'{"events": [], "\\u0065vents": []}',
        b"[NaN]",
        b'\xef\xbb\xbf{"events": []}',
        b"[" * 100_000,
        b'{"events": [' + b"[" * 5000 + b"]" * 5000 + b"]}",
        b"[] []",
        b"'x'",
    ],
)
def test_what_is_no_json_is_refused_as_a_whole(alice: Api, body: bytes) -> None:
    expected = "validation_failed" if not body else "malformed_json"
    assert error(alice.call("POST", BATCH, body)) == (400, expected)


def test_where_none_is_accepted_the_report_is_in_the_error(alice: Api, jane: str) -> None:
    answer = alice.post(BATCH, {"events": [event(UNKNOWN, messageId="m"), event(jane, app="X"), 5]})
    assert error(answer) == (422, "none_accepted")
    body = answer.json()["error"]
    assert [(one["field"], one["code"]) for one in body["details"]] == [
        ("events.0.canonicalId", "unknown_canonical"),
        ("events.1.app", "invalid"),
        ("events.2", "not_a_dict"),
    ]
    assert body["context"]["rejected"] == 3
    assert refused(body["context"])[0] == (0, "canonicalId", "unknown_canonical")
    assert stored(alice) == 0


def test_all_or_nothing_is_nothing_as_soon_as_one_is_wrong(alice: Api, jane: str) -> None:
    sent = events(jane, 3)
    sent[1]["app"] = ""
    answer = alice.post(f"{BATCH}?atomic=true", sent)
    assert error(answer) == (422, "none_accepted")
    context = answer.json()["error"]["context"]
    assert (context["accepted"], context["rejected"], refused(context)) == (0, 1, [(1, "app", "invalid")])
    assert stored(alice) == 0
    sent[1]["app"] = "sales"
    assert batch(alice, sent, query="?atomic=true")["accepted"] == 3
    assert batch(alice, sent, query="?atomic=true")["duplicates"] == 3


@pytest.mark.parametrize("query", ["?atomic=yes", "?atomic=", "?x=1"])
def test_other_parameters_are_refused(alice: Api, jane: str, query: str) -> None:
    assert alice.post(f"{BATCH}{query}", events(jane, 1)).status_code == 400


def test_of_one_message_id_in_a_batch_the_first_counts(alice: Api, jane: str) -> None:
    sent = [event(jane, messageId="m", action=name) for name in ("first", "second", "third")]
    report = batch(alice, sent)
    assert (report["accepted"], report["duplicates"], report["duplicateIndexes"]) == (1, 2, [1, 2])
    assert len(set(report["ids"])) == 1
    assert [one["action"] for one in listed(alice, jane)["data"]] == ["first"]


def test_of_one_message_id_the_first_that_is_right_counts(alice: Api, jane: str) -> None:
    sent = [event(jane, messageId="m", action=""), event(jane, messageId="m", action="second")]
    report = batch(alice, sent, 207)
    assert (report["accepted"], report["duplicates"], report["rejected"]) == (1, 0, 1)


def test_across_batches_a_duplicate_has_the_first_ones_id(alice: Api, jane: str) -> None:
    first = write(alice, event(jane, messageId="m-2"))
    report = batch(alice, events(jane, 5))
    assert (report["accepted"], report["duplicates"], report["duplicateIndexes"]) == (4, 1, [2])
    assert report["ids"][2] == first["id"]
    assert stored(alice) == 5
    assert stats(alice) == recounted(alice)


def test_a_batch_that_is_sent_again_accepts_nothing_and_is_fine(alice: Api, jane: str) -> None:
    first = batch(alice, events(jane, 50))
    again = batch(alice, events(jane, 50))
    assert (again["accepted"], again["duplicates"], again["rejected"]) == (0, 50, 0)
    assert again["ids"] == first["ids"]
    assert stored(alice) == 50
    assert stats(alice) == recounted(alice)


def test_a_duplicate_beside_a_wrong_one_is_not_nothing(alice: Api, jane: str) -> None:
    batch(alice, events(jane, 1))
    report = batch(alice, [*events(jane, 1), event(UNKNOWN)], 207)
    assert (report["accepted"], report["duplicates"], report["rejected"]) == (0, 1, 1)


def test_erased_and_unknown_are_told_apart_by_index(alice: Api, jane: str, mallory: Api) -> None:
    gone, foreign = entity(alice), entity(mallory)
    erase(alice, gone)
    report = batch(alice, [event(gone), event(jane), event(foreign), event(UNKNOWN)], 207)
    assert refused(report) == [
        (0, "canonicalId", "subject_erased"),
        (2, "canonicalId", "unknown_canonical"),
        (3, "canonicalId", "unknown_canonical"),
    ]


def test_actors_are_looked_up_together(alice: Api, bob: Api, jane: str) -> None:
    named = [bob.user.id, str(alice.user.uuid), 999_999, UNKNOWN, None]
    report = batch(alice, [event(jane, actorId=one) for one in named], 207)
    assert refused(report) == [(2, "actorId", "unknown_actor"), (3, "actorId", "unknown_actor")]


def count_queries(somebody: Api, sent: list[dict[str, Any]]) -> int:
    with CaptureQueriesContext(connection) as captured:
        batch(somebody, sent)
    return len(captured)


def test_a_batch_takes_as_many_queries_as_one_event(alice: Api, bob: Api, jane: str) -> None:
    others = [entity(alice) for _ in range(20)]
    batch(alice, [event(jane)])
    one = count_queries(alice, [event(jane, actorId=bob.user.id)])
    many = [event(others[number % 20], messageId=f"q{number}", actorId=bob.user.id) for number in range(200)]
    assert count_queries(alice, many) == one
    # What was there already is looked up once.
    assert count_queries(alice, many) == one + 1


def test_an_idempotency_key_answers_once_and_only_the_same(alice: Api, jane: str) -> None:
    sent = [event(jane)]
    first = alice.post(BATCH, sent, idempotency_key="k")
    again = alice.post(BATCH, sent, idempotency_key="k")
    assert again["Idempotency-Replayed"] == "true"
    assert first.json()["data"] == again.json()["data"]
    assert stored(alice) == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-ndjson", "multipart/form-data; boundary=x"])
def test_only_json_is_read(alice: Api, jane: str, kind: str) -> None:
    assert error(alice.post(BATCH, events(jane, 1), content_type=kind)) == (415, "unsupported_media_type")


def test_a_report_is_no_longer_than_it_has_to_be(alice: Api, jane: str) -> None:
    many = {f"x{number}": 1 for number in range(1000)}
    report = batch(alice, [event(jane), {**event(jane), **many}, event(jane, messageId="m" * 200_000)], 207)
    assert [one["index"] for one in report["errors"]] == [1] * 20 + [2]
    assert report["errors"][-1]["messageId"] is None
    answer = alice.post(BATCH, {"events": [], **many})
    assert len(answer.json()["error"]["details"]) == 20


@pytest.mark.parametrize("depth", [9, 90, 300, 600, 900, 960, 990, 1100])
@pytest.mark.parametrize(
    "around",
    [b'{"x": 1, "events": [%s]}', b'[{"canonicalId": %s}]', b'[{"source": {"entityId": %s}}]', b'[{"metadata": %s}]'],
)
def test_however_deep_it_is_somebody_answers(alice: Api, depth: int, around: bytes) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a": ', b"}")):
        answer = alice.call("POST", BATCH, around % (opening * depth + b"1" + closing * depth))
        assert answer.status_code in (400, 422), answer.content


@pytest.fixture
def _blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nobody had known that PostgreSQL takes no NUL."""
    monkeypatch.setattr(metadata_rules, "_holds_nul", lambda value: False)


@pytest.mark.usefixtures("_blind")
def test_what_only_the_database_refuses_keeps_no_other_out(alice: Api, jane: str) -> None:
    sent = events(jane, 9)
    for number in (2, 5):
        sent[number]["metadata"] = {"a": "\x00"}
    # The same one again shares its lot.
    sent[8]["messageId"] = "m-5"
    report = batch(alice, sent, 207)
    assert refused(report) == [(number, "metadata", "invalid_metadata") for number in (2, 5, 8)]
    assert report["accepted"] == stored(alice) == 6
    assert stats(alice) == recounted(alice)
    assert error(alice.post(f"{BATCH}?atomic=true", sent)) == (422, "none_accepted")
    assert stored(alice) == 6
    assert error(alice.post(PATH, sent[2])) == (400, "validation_failed")
