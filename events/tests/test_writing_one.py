"""One event: what is stored, what is refused, and what is the same one again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from events.models import Event
from events.tests.support import (
    UNKNOWN,
    ago,
    at,
    complaints,
    data,
    entity,
    erase,
    error,
    event,
    keep,
    listed,
    recounted,
    stats,
    write,
)
from platform_site.binding import bind
from registry.models import Entity
from tests.support import Api

PATH = "/platform-events"


@pytest.fixture
def jane(alice: Api) -> str:
    return entity(alice)


def test_what_is_written_is_what_is_listed(alice: Api, bob: Api, jane: str) -> None:
    sent = event(
        jane,
        occurredAt="2026-01-31T12:00:00.123+02:00",
        messageId="m-1",
        actorId=bob.user.id,
        source={"entityType": "deal", "entityId": 42},
        metadata={"campaign": "autumn", "nested": {"deep": [1, 2.5, None, True, "ü"]}},
    )
    made = write(bob, sent)
    assert made["canonicalId"] == jane
    assert (made["sentCanonicalId"], made["duplicate"]) == (None, False)
    (shown,) = listed(alice, jane)["data"]
    assert shown == {
        "id": made["id"],
        "canonicalId": jane,
        "sentCanonicalId": None,
        "app": "sales",
        "category": "engagement",
        "action": "email_opened",
        "occurredAt": "2026-01-31T10:00:00.123Z",
        "receivedAt": made["receivedAt"],
        "messageId": "m-1",
        "actorId": str(bob.user.uuid),
        "source": {"entityType": "deal", "entityId": "42"},
        "metadata": {"campaign": "autumn", "nested": {"deep": [1, 2.5, None, True, "ü"]}},
    }


def test_only_four_fields_are_needed_and_it_happened_now(alice: Api, jane: str) -> None:
    before = timezone.now()
    write(alice, event(jane))
    (shown,) = listed(alice, jane)["data"]
    assert before - timedelta(seconds=1) <= at(shown["occurredAt"]) <= timezone.now()
    assert (shown["metadata"], shown["source"], shown["actorId"], shown["messageId"]) == ({}, None, None, None)


def test_null_is_the_same_as_nothing_where_something_may_be_left_out(alice: Api, jane: str) -> None:
    nothing = dict.fromkeys(("occurredAt", "messageId", "actorId", "source", "metadata"))
    write(alice, event(jane, **nothing))
    (shown,) = listed(alice, jane)["data"]
    assert (shown["metadata"], shown["source"], shown["actorId"], shown["messageId"]) == ({}, None, None, None)


def test_spaces_around_category_and_action_do_not_count(alice: Api, jane: str) -> None:
    write(alice, event(jane, category="  Ünïcode 🎉 ", action=" " * 200 + "a" * 100 + "\n"))
    (shown,) = listed(alice, jane)["data"]
    assert (shown["category"], shown["action"]) == ("Ünïcode 🎉", "a" * 100)


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"canonicalId": "x"}, [("canonicalId", "invalid")]),
        ({"canonicalId": "019aaf1e5d2c7a319c0e000000000009"}, [("canonicalId", "invalid")]),
        ({"canonicalId": 5}, [("canonicalId", "not_text")]),
        ({"canonicalId": None}, [("canonicalId", "null")]),
        ({"app": "Sales"}, [("app", "invalid")]),
        ({"app": "9sales"}, [("app", "invalid")]),
        ({"app": "sales\n"}, [("app", "invalid")]),
        ({"app": ""}, [("app", "invalid")]),
        ({"app": "a" * 51}, [("app", "invalid")]),
        ({"category": ""}, [("category", "blank")]),
        ({"category": " \t"}, [("category", "blank")]),
        ({"category": "a" * 51}, [("category", "max_length")]),
        ({"category": "a\x00b"}, [("category", "control")]),
        ({"category": "ü\x9fb"}, [("category", "control")]),
        ({"action": "a" * 101}, [("action", "max_length")]),
        ({"action": "a\nb"}, [("action", "control")]),
        ({"action": ["a"]}, [("action", "not_text")]),
        ({"messageId": ""}, [("messageId", "blank")]),
        ({"messageId": "m" * 101}, [("messageId", "max_length")]),
        ({"messageId": "a\x00b"}, [("messageId", "control")]),
        ({"messageId": 5}, [("messageId", "not_text")]),
        ({"occurredAt": "2026-01-31T12:00:00"}, [("occurredAt", "naive")]),
        ({"occurredAt": "yesterday"}, [("occurredAt", "invalid")]),
        ({"occurredAt": "2026-02-29T12:00:00Z"}, [("occurredAt", "invalid")]),
        ({"occurredAt": 1700000000}, [("occurredAt", "not_text")]),
        ({"occurredAt": "1970-12-31T23:59:59Z"}, [("occurredAt", "too_old")]),
        ({"occurredAt": "0001-01-01T00:00:00+14:00"}, [("occurredAt", "invalid")]),
        ({"occurredAt": "9999-12-31T23:59:59Z"}, [("occurredAt", "future_event")]),
        ({"actorId": "x"}, [("actorId", "invalid")]),
        ({"actorId": True}, [("actorId", "invalid")]),
        ({"actorId": 0}, [("actorId", "unknown_actor")]),
        ({"actorId": 999_999}, [("actorId", "unknown_actor")]),
        ({"actorId": UNKNOWN}, [("actorId", "unknown_actor")]),
        ({"source": {"entityType": "Deal", "entityId": "a b"}}, [("source.entityType", "invalid"),
                                                                ("source.entityId", "invalid")]),
        ({"source": {"entityType": "deal"}}, [("source.entityId", "required")]),
        ({"source": {"entityType": "deal", "entityId": 1, "x": 1}}, [("source.x", "unknown_field")]),
        ({"source": {"entityType": "deal", "entityId": ""}}, [("source.entityId", "invalid")]),
        ({"source": {"entityType": "deal", "entityId": "a" * 129}}, [("source.entityId", "invalid")]),
        ({"source": {"entityType": "deal", "entityId": 1.5}}, [("source.entityId", "invalid")]),
        ({"source": []}, [("source", "not_a_dict")]),
        ({"metadata": []}, [("metadata", "not_a_dict")]),
        ({"metadata": "x"}, [("metadata", "not_a_dict")]),
        ({"tenantId": 1, "id": 2}, [("tenantId", "unknown_field"), ("id", "unknown_field")]),
        ({"app": "Sales", "category": "", "messageId": ""},
         [("app", "invalid"), ("category", "blank"), ("messageId", "blank")]),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_what_is_wrong(
    alice: Api, jane: str, fields: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    assert complaints(alice.post(PATH, event(jane, **fields))) == problems
    assert listed(alice, jane)["data"] == []


def test_all_that_is_missing_is_named(alice: Api) -> None:
    missing = [(name, "required") for name in ("canonicalId", "app", "category", "action")]
    assert complaints(alice.post(PATH, {})) == missing
    assert complaints(alice.call("POST", PATH, b"")) == missing


@pytest.mark.parametrize("body", [b"[]", b"5", b'"x"', b"null", b"true"])
def test_something_else_than_an_object_is_no_event(alice: Api, body: bytes) -> None:
    assert complaints(alice.call("POST", PATH, body)) == [("", "not_a_dict")]


def test_an_hour_ahead_is_the_most(alice: Api, jane: str) -> None:
    write(alice, event(jane, occurredAt=ago(minutes=-59)))
    assert complaints(alice.post(PATH, event(jane, occurredAt=ago(minutes=-61)))) == [("occurredAt", "future_event")]


def test_what_would_be_let_go_of_at_once_is_not_taken(alice: Api, jane: str) -> None:
    write(alice, event(jane, occurredAt="1971-01-01T00:00:00Z"))
    keep(alice, 30)
    assert complaints(alice.post(PATH, event(jane, occurredAt=ago(days=31)))) == [("occurredAt", "too_old")]
    write(alice, event(jane, occurredAt=ago(days=29)))


def test_an_id_of_nobody_is_404_and_one_of_another_tenant_too(alice: Api, mallory: Api, jane: str) -> None:
    for somebody, canonical_id in ((alice, UNKNOWN), (mallory, jane)):
        assert error(somebody.post(PATH, event(canonical_id))) == (404, "unknown_canonical")
    assert data(mallory.get(f"{PATH}/{entity(mallory)}")) == []


def test_about_who_was_erased_nothing_is_written(alice: Api, jane: str) -> None:
    erase(alice, jane)
    assert error(alice.post(PATH, event(jane))) == (410, "subject_erased")
    with bind(alice.tenant.ref):
        assert not Event.objects.exists()


def test_a_merged_id_is_kept_as_it_was_sent_and_shown_where_it_leads(alice: Api, jane: str) -> None:
    loser = entity(alice, merged_into=jane)
    made = write(alice, event(loser))
    assert (made["canonicalId"], made["sentCanonicalId"]) == (jane, loser)
    with bind(alice.tenant.ref):
        assert Event.objects.get().canonical_id == UUID(loser)


def test_a_message_id_is_one_event_for_ever_whatever_else_is_said(alice: Api, jane: str) -> None:
    first = write(alice, event(jane, messageId="m-1"))
    again = write(alice, event(jane, messageId="m-1", action="something_else"), 200)
    assert again == {**first, "duplicate": True}
    assert [one["action"] for one in listed(alice, jane)["data"]] == ["email_opened"]
    assert stats(alice) == recounted(alice)


def test_a_message_id_that_was_used_about_somebody_else_says_about_whom(alice: Api, jane: str) -> None:
    loser = entity(alice, merged_into=jane)
    first = write(alice, event(loser, messageId="m-1"))
    john = entity(alice)
    assert write(alice, event(john, messageId="m-1"), 200) == {**first, "duplicate": True}
    assert (first["canonicalId"], first["sentCanonicalId"]) == (jane, loser)
    assert listed(alice, john)["data"] == []


def test_a_message_id_belongs_to_its_app_and_is_taken_as_it_is(alice: Api, jane: str) -> None:
    write(alice, event(jane, messageId="m-1"))
    write(alice, event(jane, messageId="m-1", app="chat"))
    write(alice, event(jane, messageId="m-1 "))
    assert len(listed(alice, jane)["data"]) == 3


def test_without_a_message_id_each_is_another_event(alice: Api, jane: str) -> None:
    assert write(alice, event(jane))["id"] != write(alice, event(jane))["id"]


def test_an_idempotency_key_answers_once(alice: Api, jane: str) -> None:
    sent = event(jane)
    first = alice.post(PATH, sent, idempotency_key="k")
    again = alice.post(PATH, sent, idempotency_key="k")
    assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (201, 201, "true")
    assert first.json()["data"] == again.json()["data"]
    other = alice.post(PATH, event(jane, action="x"), idempotency_key="k")
    assert error(other) == (422, "idempotency_key_reused")
    assert len(listed(alice, jane)["data"]) == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_only_json_is_read(alice: Api, jane: str, kind: str) -> None:
    assert error(alice.post(PATH, event(jane), content_type=kind)) == (415, "unsupported_media_type")


def test_a_person_is_known_by_number_or_id_but_only_of_this_tenant(alice: Api, bob: Api, mallory: Api) -> None:
    jane = entity(alice)
    for actor in (bob.user.id, str(bob.user.uuid), str(bob.user.uuid).upper()):
        write(alice, event(jane, actorId=actor))
    assert {one["actorId"] for one in listed(alice, jane)["data"]} == {str(bob.user.uuid)}
    foreign = alice.post(PATH, event(jane, actorId=str(mallory.user.uuid)))
    assert complaints(foreign) == [("actorId", "unknown_actor")]


def test_the_stat_of_a_record_is_kept_by_the_id_that_was_sent(alice: Api, jane: str) -> None:
    loser = entity(alice, merged_into=jane)
    for moment in ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"):
        write(alice, event(loser, occurredAt=moment))
    write(alice, event(jane, occurredAt="2026-04-01T00:00:00Z"))
    assert stats(alice) == recounted(alice)
    assert {canonical_id: total for canonical_id, (total, _, _) in stats(alice).items()} == {loser: 3, jane: 1}


def test_a_pending_erasure_leaves_no_event_behind(alice: Api, jane: str) -> None:
    with bind(alice.tenant.ref):
        from events.services.erasing import events_erase

        other = entity(alice)
        for one in (jane, jane, other):
            write(alice, event(one))
        assert events_erase([UUID(jane)]) == 2
        assert Event.objects.count() == 1
        assert Entity.objects.count() == 2
    assert stats(alice) == recounted(alice)
