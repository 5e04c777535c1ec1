"""Changing and deleting messages: who may, until when, and what the others hear of it."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.roles import Role
from chat.models import Channel, Member, Mention, Message, Reaction
from chat.presenting_messages import message_from_row
from chat.tests.message_support import (
    change,
    delete,
    edit,
    group_of,
    page,
    people,
    queries_of_chat,
    react,
    said_before,
    sent,
    while_locked,
)
from chat.tests.support import UNKNOWN, channel, client, error, listening
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from tests.support import Api, at_once, scaled


@pytest.fixture
def group(alice: Api, bob: Api) -> str:
    return group_of(alice, bob)


def entries(person: Api, key: str) -> list[JournalEntry]:
    with bind(person.tenant.ref):
        return list(JournalEntry.objects.filter(key=key))


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_own_message_can_say_something_else(alice: Api, bob: Api, group: str, method: str) -> None:
    message = sent(bob, group, clientMessageId="k")
    answer = change(bob, method, message, {"content": "Hello\r\neverybody!"})
    changed = answer.json()["data"]
    assert changed == {
        **message,
        "content": "Hello\neverybody!",
        "changeSeq": 1,
        "editedAt": changed["editedAt"],
    }
    assert changed["editedAt"] >= message["createdAt"]
    assert page(alice, group)["data"] == [changed]
    assert page(alice, group)["meta"]["changeSeq"] == 1


def test_the_same_text_again_is_no_change(bob: Api, group: str) -> None:
    message = sent(bob, group, "Same")
    assert edit(bob, message, "Same").json()["data"] == message
    assert page(bob, group)["meta"]["changeSeq"] == 0


@pytest.mark.parametrize("content", ["", " \n", "x" * 10_001])
def test_a_change_is_read_as_strictly_as_a_message(bob: Api, group: str, content: str) -> None:
    message = sent(bob, group)
    assert error(edit(bob, message, content)) == (400, "validation_failed")
    assert page(bob, group)["data"] == [message]


def test_nobody_puts_words_into_the_mouth_of_others(alice: Api, bob: Api, group: str) -> None:
    message = sent(bob, group)
    # Alice owns the group and administers the company.
    assert error(edit(alice, message, "I resign")) == (403, "permission_denied")
    assert page(bob, group)["data"] == [message]


def test_after_the_time_that_the_company_chose_it_is_too_late(alice: Api, bob: Api, group: str) -> None:
    message = sent(bob, group)
    with bind(bob.tenant.ref):
        Message.objects.filter(id=message["id"]).update(created_at=timezone.now() - timedelta(minutes=11))
    assert edit(bob, message, "No end by default").status_code == 200
    assert alice.call("PUT", "/org-settings/chat.edit_minutes", {"value": 10}).status_code == 200
    refused = edit(bob, message, "Too late")
    assert error(refused) == (409, "edit_time_over")
    assert refused.json()["error"]["context"] == {"minutes": 10}
    assert edit(bob, sent(bob, group), "In time").status_code == 200
    assert delete(bob, message).status_code == 200


@pytest.mark.no_django
def test_of_a_deleted_message_nothing_is_shown_whatever_its_row_still_has() -> None:
    now = timezone.now()
    row = {
        **dict.fromkeys(("client_message_id", "reply_to", "edited_at", "sender_avatar_url")),
        "id": UNKNOWN, "channel_id": UNKNOWN, "seq": 1, "change_seq": 2, "content": "Secret", "mentioned": [0, 5],
        "mentioned_people": [{"uuid": UNKNOWN, "id": 5, "name": "Jane", "status": "active"}],
        "reactions": [{"emoji": "👍", "users": [5]}], "created_at": now, "deleted_at": None,
        "sender_id": 5, "sender_uuid": UNKNOWN, "sender_name": "Jane", "sender_status": "active",
    }  # fmt: skip
    names = ("content", "mentions", "mentionsEveryone", "reactions")
    before, after = message_from_row(row), message_from_row({**row, "deleted_at": now})
    assert all(before[name] for name in names)
    assert not any(after[name] for name in names)


class TestDeleting:
    def test_a_tombstone_stays_without_anything_that_was_said(self, alice: Api, bob: Api, group: str) -> None:
        message = sent(bob, group, f"Hello <@{alice.user.id}> <@all>")
        react(alice, message, "👍")
        gone = delete(bob, message).json()["data"]
        assert gone == {
            **message,
            "content": "",
            "mentions": [],
            "mentionsEveryone": False,
            "reactions": [],
            "changeSeq": 2,
            "deletedAt": gone["deletedAt"],
        }
        assert gone["deletedAt"] is not None
        assert page(alice, group)["data"] == [gone]
        with bind(bob.tenant.ref):
            row = Message.objects.get(id=message["id"])
            assert (row.content, row.mentioned) == ("", [])
            assert not Reaction.objects.filter(message=row).exists()
            assert not Mention.objects.filter(channel_id=group).exists()
        assert channel(alice, group)["unreadCount"] == channel(alice, group)["mentionCount"] == 0

    def test_who_has_left_meanwhile_is_not_named_by_it_either(self, alice: Api, bob: Api, tenant: Any) -> None:
        (third,) = people(tenant, 1)
        group = group_of(alice, bob, third)
        messages = [sent(alice, group, text) for text in ("<@all>", f"<@{third.user.id}>")]
        third.post(f"/chat/channels/{group}/leave")
        for message in messages:
            delete(alice, message)
        with bind(tenant.ref):
            assert not Mention.objects.exists()

    def test_again_is_fine_and_changes_nothing(self, bob: Api, group: str) -> None:
        message = sent(bob, group)
        first, again = delete(bob, message), delete(bob, message)
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json() == first.json()

    def test_nothing_can_be_done_with_it_any_more(self, alice: Api, bob: Api, group: str) -> None:
        message = sent(bob, group)
        delete(bob, message)
        assert error(edit(bob, message, "Back")) == (409, "message_deleted")
        assert error(react(alice, message, "👍")) == (409, "message_deleted")
        assert error(react(alice, message, "👍", "DELETE")) == (409, "message_deleted")

    def test_owners_and_managers_may_and_it_is_in_the_audit_log(self, alice: Api, bob: Api, tenant: Any) -> None:
        manager, third = client(tenant, "manager", Role.MANAGER), client(tenant, "third")
        group = group_of(bob, alice, manager, third)
        deleted = set()
        for person, status in ((third, 403), (manager, 200), (bob, 200)):
            message = sent(alice, group)
            assert delete(person, message).status_code == status
            deleted |= {(person.user.uuid, message["id"], message["seq"])} if status == 200 else set()
        facts = entries(alice, "chat.message_deleted")
        assert {(fact.actor_id, fact.subject_id, fact.data["seq"]) for fact in facts} == deleted
        for fact in facts:
            assert fact.data == {"channelId": group, "seq": fact.data["seq"], "senderId": alice.user.id}
        shown = alice.get("/audit?key=chat.message_deleted").json()["data"]
        assert len(shown) == 2

    def test_an_own_one_is_nobodys_business(self, bob: Api, group: str) -> None:
        delete(bob, sent(bob, group))
        assert entries(bob, "chat.message_deleted") == []

    def test_it_works_in_an_archived_channel_and_nothing_else_does(self, alice: Api, bob: Api, group: str) -> None:
        message = sent(bob, group)
        alice.call("PATCH", f"/chat/channels/{group}", {"archived": True})
        assert error(edit(bob, message, "x")) == (422, "channel_archived")
        assert error(react(bob, message, "👍")) == (422, "channel_archived")
        assert delete(bob, message).status_code == 200


def test_a_message_is_changed_where_it_is_and_by_who_is_there(
    alice: Api, bob: Api, mallory: Api, tenant: Any, group: str
) -> None:
    (outsider,) = people(tenant, 1)
    message, other = sent(bob, group), group_of(alice, bob)
    elsewhere = {**message, "channelId": other}
    unknown = {**message, "id": UNKNOWN}
    for person, what in ((bob, elsewhere), (bob, unknown), (outsider, message), (mallory, message)):
        assert error(edit(person, what, "x")) == (404, "not_found")
        assert error(delete(person, what)) == (404, "not_found")
        assert error(react(person, what, "👍")) == (404, "not_found")
        assert error(react(person, what, "👍", "DELETE")) == (404, "not_found")
    with bind(bob.tenant.ref):
        Member.objects.filter(user=alice.user, channel_id=group).update(hidden_seq=1)
    assert error(delete(alice, message)) == (404, "not_found")
    with bind(bob.tenant.ref):
        Channel.objects.filter(id=group).update(purged_seq=1)
    assert error(edit(bob, message, "x")) == (404, "not_found")


def test_a_change_costs_the_same_in_a_large_channel(alice: Api, bob: Api) -> None:
    few, much = group_of(alice, bob), group_of(alice, bob)
    messages = {}
    for group, count in ((few, 0), (much, 100)):
        said_before(alice, group, count)
        messages[group] = sent(bob, group)
    counts = {group: queries_of_chat(partial(edit, bob, messages[group], "x")) for group in (few, much)}
    # The lock, the message, whom to tell, the number, the change, the mentions, and the message as it is now.
    assert counts[few] == counts[much] <= 7


@pytest.mark.commits
class TestForReal:
    def test_changes_are_published_with_their_number_to_whom_they_concern(
        self, alice: Api, bob: Api, tenant: Any
    ) -> None:
        (late,) = people(tenant, 1)
        group = group_of(alice, bob, late)
        message = sent(bob, group)
        with bind(tenant.ref):
            # What is not shown to somebody is not told by its changes either.
            Member.objects.filter(user=late.user, channel_id=group).update(hidden_seq=1)
        with listening(tenant) as frames:
            edited = edit(bob, message, "Changed").json()["data"]
            edit(bob, message, "Changed")
            reacted = react(alice, message, "👍").json()["data"]
            react(alice, message, "👍")
            taken = react(alice, message, "👍", "DELETE").json()["data"]
            react(alice, message, "👍", "DELETE")
            gone = delete(bob, message).json()["data"]
            delete(bob, message)
        told = [(header["k"], header["to"], header["c"], header["n"], frame) for header, frame in frames]
        both = [alice.user.id, bob.user.id]
        assert told == [
            ("change", both, group, number, {"t": "message.updated", "c": group, "seq": 1, "ch": number, "d": shown})
            for number, shown in enumerate((edited, reacted, taken, gone), 1)
        ]
        assert [one["changeSeq"] for one in (edited, reacted, taken, gone)] == [1, 2, 3, 4]

    def test_who_is_taken_out_while_waiting_changes_nothing(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        message = sent(bob, group)
        for call in (lambda: edit(bob, message, "x"), lambda: delete(bob, message), lambda: react(bob, message, "👍")):
            own = Member.objects.filter(user=bob.user, channel_id=group)
            answer = while_locked(group, alice, call, partial(own.update, left_at=timezone.now()))
            assert error(answer) == (404, "not_found")
            with bind(bob.tenant.ref):
                own.update(left_at=None)
        assert page(alice, group)["data"] == [message]
        assert page(alice, group)["meta"]["changeSeq"] == 0

    def test_what_is_deleted_while_a_change_waits_stays_deleted(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        message = sent(bob, group)
        this = Message.objects.filter(id=message["id"])
        answer = while_locked(
            group,
            alice,
            lambda: edit(bob, message, "Back"),
            lambda: this.update(content="", deleted_at=timezone.now()),
        )
        assert error(answer) == (409, "message_deleted")
        assert page(alice, group)["data"][0]["content"] == ""

    def test_numbers_of_changes_have_no_hole_whoever_changes_at_once(self, alice: Api, bob: Api, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "chat_send_user": (1_000_000, 10)}
        group, turns = group_of(alice, bob), scaled(3, 50)
        messages = {0: sent(alice, group), 1: sent(bob, group)}

        def work(number: int) -> list[int]:
            person = Api((alice, bob)[number % 2].token)
            taken: list[int] = []
            for turn in range(turns):
                if number < 4:
                    answer = edit(person, messages[number % 2], f"{number} {turn}")
                    taken.append(answer.json()["data"]["changeSeq"])
                else:
                    sent(person, group)
            return taken

        done = at_once(8, work)
        assert done.most_at_once == 8
        taken = sorted(number for numbers in done.results for number in numbers)
        assert taken == list(range(1, 4 * turns + 1))
        meta = page(alice, group)["meta"]
        assert (meta["changeSeq"], meta["lastSeq"]) == (4 * turns, 2 + 4 * turns)
