"""Several senders at the same moment, and connections that die: every event is there once."""

import json
from typing import Any

import pytest
from django.db import connection

from events.models import Event
from events.tests.support import batch, entity, event, recounted, stats, write
from platform_site.binding import bind
from tests.support import Api, at_once, finishes_before_kill, scaled

pytestmark = pytest.mark.commits


def stored(somebody: Api) -> int:
    with bind(somebody.tenant.ref):
        return Event.objects.count()


def test_the_same_events_from_many_senders_are_stored_once_whatever_their_order(alice: Api) -> None:
    ids = [entity(alice) for _ in range(5)]
    rounds, senders = scaled(4, 50), 6

    def sent(turn: int) -> list[dict[str, Any]]:
        return [event(ids[number % 5], messageId=f"m-{turn}-{number}") for number in range(100)]

    def send(number: int) -> list[tuple[int, int]]:
        found = []
        for turn in range(rounds):
            events = sent(turn)
            # Forwards, backwards, and from somewhere in the middle.
            turned = events[number * 13 :] + events[: number * 13]
            report = batch(alice, turned if number % 2 else turned[::-1])
            found.append((report["accepted"], report["duplicates"]))
        return found

    overlapped = at_once(senders, send)
    assert overlapped.most_at_once >= 2
    for turn in range(rounds):
        answers = [results[turn] for results in overlapped.results]
        assert sum(accepted for accepted, _ in answers) == 100
        assert all(accepted + duplicates == 100 for accepted, duplicates in answers)
    assert stored(alice) == 100 * rounds
    assert stats(alice) == recounted(alice)


def test_message_ids_are_taken_in_one_order_whatever_the_batch(alice: Api) -> None:
    """Two that take them the other way round would wait for each other, where the race above is lucky."""
    jane = entity(alice)
    sent = [event(jane, app=app, messageId=f"m{number}") for number in range(9, 0, -1) for app in ("sales", "chat")]
    values: list[str] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO events_event" in sql:
            values.extend(params)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        batch(alice, [*sent, event(jane)])
    (written,) = values
    taken = [(row[2], row[6]) for row in json.loads(written) if row[6]]
    assert taken == sorted((one["app"], one["messageId"]) for one in sent)


def test_one_event_from_many_senders_has_one_id(alice: Api) -> None:
    jane = entity(alice)

    def send(_: int) -> tuple[int, str]:
        answer = alice.post("/platform-events", event(jane, messageId="m"))
        return answer.status_code, answer.json()["data"]["id"]

    overlapped = at_once(8, send)
    assert overlapped.most_at_once >= 2
    assert sorted(status for status, _ in overlapped.results) == [200] * 7 + [201]
    assert len({event_id for _, event_id in overlapped.results}) == 1


def test_batches_without_message_ids_lose_no_count(alice: Api) -> None:
    ids = [entity(alice) for _ in range(7)]

    def send(number: int) -> None:
        for _ in range(scaled(5, 100)):
            batch(alice, [event(one) for one in (ids if number % 2 else ids[::-1])])

    assert at_once(6, send).most_at_once >= 2
    assert stored(alice) == 6 * scaled(5, 100) * 7
    assert stats(alice) == recounted(alice)


WORK = """
from tenancy.models import Tenant
from platform_site.binding import bind
from msgspec import Raw
from msgspec.json import encode
from events.services.ingest import events_ingest

with bind(Tenant.objects.get(slug="acme").ref):
    events_ingest(items=[Raw(encode({{
        "canonicalId": "{jane}", "app": "sales", "category": "c", "action": "a", "messageId": f"k{{number}}",
    }})) for number in range(20)])
"""


def test_a_batch_is_there_as_a_whole_or_not_at_all_wherever_its_process_dies(alice: Api, committed: str) -> None:
    jane = entity(alice)
    statement, done = 0, False
    while not done:
        done = finishes_before_kill(WORK.format(jane=jane), statement=statement, database=committed)
        assert stored(alice) in (0, 20)
        statement += 1
    # Tenant, settings, lock, records, and the one that writes.
    assert statement >= 5
    again = batch(alice, [event(jane, messageId=f"k{number}") for number in range(20)])
    assert (again["accepted"], again["duplicates"]) == (0, 20)
    assert stats(alice) == recounted(alice)


def test_what_was_cut_off_is_sent_again_and_there_once(alice: Api) -> None:
    """The client never hears of it: the connection to the database dies in the middle, after the write."""
    jane = entity(alice)
    sent = [event(jane, messageId=f"m{number}") for number in range(50)]

    def cut(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if "INSERT INTO events_event" in sql:
            connection.connection.pgconn.finish()
        return result

    with connection.execute_wrapper(cut):
        answer = alice.post("/platform-events/batch", sent)
    assert answer.status_code == 503
    connection.close()
    assert stored(alice) == 0
    assert batch(alice, sent)["accepted"] == 50
    assert write(alice, sent[7], 200)["duplicate"] is True
    assert stats(alice) == recounted(alice)
