"""Naming people: who is mentioned, what is counted, and who is told."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from chat.mentions import mentioned_among, named_in
from chat.models import Member, Mention, Message
from chat.tests.message_support import delete, direct_of, edit, group_of, page, people, sent
from chat.tests.support import channel, client
from notifications.tests.support import told
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api

SOMEBODY = "0197D9C4-2a5b-7c31-9f7e-1b2a3c4d5e6f"


@pytest.fixture(autouse=True)
def _nothing_waits(request: pytest.FixtureRequest) -> None:
    if "no_django" not in request.keywords:
        request.getfixturevalue("database")
        OutboxRow.objects.all().delete()


@pytest.fixture
def third(tenant: Any) -> Api:
    return people(tenant, 1)[0]


@pytest.fixture
def group(alice: Api, bob: Api, third: Api) -> str:
    return group_of(alice, bob, third)


def counted(person: Api, group: str) -> int:
    return int(channel(person, group)["mentionCount"])


def named(message: dict[str, Any]) -> list[int]:
    return [person["userId"] for person in message["mentions"]]


def facts(tenant: Any) -> list[dict[str, Any]]:
    with bind(tenant.ref):
        rows = JournalEntry.objects.filter(key="chat.mentioned").order_by("id")
        return [dict(row.data) for row in rows]


@pytest.mark.no_django
class TestParsing:
    @pytest.mark.parametrize(
        ("text", "everybody", "numbers", "uuids"),
        [
            ("Hi <@5>, <@12> and <@5>", False, [5, 12], []),
            (f"<@{SOMEBODY}><@{SOMEBODY.lower()}>", False, [], [SOMEBODY.lower()]),
            ("<@all> <@3>", True, [3], []),
            ("@5 <5> <@> <@ 5> <@5 <@-5> <@05> <@1_0> <@٥> <@ALL> <@everybody>", False, [], []),
            ("<@99999999999999999999>", False, [], []),
        ],
    )
    def test_only_what_is_written_like_this_names_somebody(
        self, text: str, everybody: bool, numbers: list[int], uuids: list[str]
    ) -> None:
        found = named_in(text)
        assert (found.everybody, list(found.numbers), [str(one) for one in found.uuids]) == (everybody, numbers, uuids)

    def test_everybody_is_everybody_but_who_says_it(self) -> None:
        assert mentioned_among([0, 7], [1, 2, 3], sender_id=2) == {1, 3}
        assert mentioned_among([1, 2, 9], [1, 2, 3], sender_id=2) == {1}
        assert mentioned_among([], [1, 2, 3], sender_id=2) == set()


def test_members_are_mentioned_by_either_id_and_nobody_else_is(
    alice: Api, bob: Api, third: Api, group: str, tenant: Any
) -> None:
    outsider = client(tenant, "outsider")
    group_of(outsider, alice)
    text = f"<@{bob.user.id}> <@{str(third.user.uuid).upper()}> <@{outsider.user.id}> <@{outsider.user.uuid}> <@4711>"
    message = sent(alice, group, text)
    assert message["mentions"] == [
        {"id": str(one.user.uuid), "userId": one.user.id, "displayName": name}
        for one, name in sorted([(bob, "Bob"), (third, "Person0")], key=lambda pair: pair[0].user.id)
    ]
    assert message["mentionsEveryone"] is False
    assert message["content"] == text
    assert page(bob, group)["data"] == [message]
    assert (counted(bob, group), counted(third, group), counted(alice, group)) == (1, 1, 0)


def test_everybody_is_mentioned_at_once(alice: Api, bob: Api, third: Api, group: str) -> None:
    message = sent(alice, group, "<@all> lunch")
    assert (message["mentions"], message["mentionsEveryone"]) == ([], True)
    assert (counted(bob, group), counted(third, group), counted(alice, group)) == (1, 1, 0)


def test_naming_oneself_is_shown_and_counts_for_nobody(alice: Api, group: str, tenant: Any) -> None:
    assert named(sent(alice, group, f"<@{alice.user.id}> here")) == [alice.user.id]
    assert counted(alice, group) == 0
    assert facts(tenant) == []


def test_the_journal_has_numbers_and_no_words(alice: Api, bob: Api, group: str, tenant: Any) -> None:
    sent(alice, group, "Nobody in particular")
    one, all_of_them = sent(alice, group, f"Secret <@{bob.user.id}>"), sent(alice, group, "Secret <@all>")
    common = {"channelId": group}
    assert facts(tenant) == [
        {**common, "messageId": one["id"], "seq": 2, "mentioned": [bob.user.id]},
        {**common, "messageId": all_of_them["id"], "seq": 3, "mentioned": [0]},
    ]
    assert alice.get("/audit?key=chat.mentioned").status_code == 400


def test_a_change_takes_back_who_is_named_no_more_and_adds_who_is(
    alice: Api, bob: Api, third: Api, group: str, tenant: Any
) -> None:
    message = sent(alice, group, f"<@{bob.user.id}>")
    changed = edit(alice, message, f"<@{third.user.id}>").json()["data"]
    assert named(changed) == [third.user.id]
    assert (counted(bob, group), counted(third, group)) == (0, 1)
    edit(alice, message, f"<@{third.user.id}> <@{bob.user.id}>")
    assert (counted(bob, group), counted(third, group)) == (1, 1)
    assert [fact["mentioned"] for fact in facts(tenant)] == [[bob.user.id], [third.user.id], [bob.user.id]]
    edit(alice, message, "<@all>")
    assert (counted(bob, group), counted(third, group)) == (1, 1)
    # Both were named before: nobody hears of it twice.
    assert len(facts(tenant)) == 3
    edit(alice, message, "Nobody")
    assert (counted(bob, group), counted(third, group)) == (0, 0)


def test_what_is_read_or_deleted_is_counted_no_more(alice: Api, bob: Api, group: str) -> None:
    first = sent(alice, group, f"<@{bob.user.id}>")
    sent(alice, group, f"<@{bob.user.id}>")
    assert counted(bob, group) == 2
    bob.post(f"/chat/channels/{group}/read", {"seq": first["seq"]})
    assert counted(bob, group) == 1
    delete(alice, first)
    assert counted(bob, group) == 1
    with bind(alice.tenant.ref):
        assert list(Mention.objects.values_list("seq", flat=True)) == [2]


class TestNotification:
    def test_who_was_named_finds_it_in_the_inbox_and_in_a_mail(
        self, alice: Api, bob: Api, third: Api, group: str
    ) -> None:
        message = sent(alice, group, f"Secret <@{bob.user.id}>")
        dispatcher.drain()
        (one,) = told(bob)
        assert (one["eventKey"], one["title"], one["body"]) == (
            "chat.mentioned",
            "Alice mentioned you in Project Alpha",
            "",
        )
        assert one["actionUrl"] == f"/chat/{group}?message={message['id']}"
        assert one["actor"] == {"id": str(alice.user.uuid), "displayName": "Alice"}
        assert told(third) == told(alice) == []
        (letter,) = mail.outbox
        assert (letter.to, letter.subject) == ([bob.user.email], "Alice mentioned you in Project Alpha")
        assert "Secret" not in str(letter.message())

    def test_between_two_there_is_no_name_of_a_channel(self, alice: Api, bob: Api) -> None:
        sent(alice, direct_of(alice, bob), f"<@{bob.user.id}>")
        dispatcher.drain()
        assert [one["title"] for one in told(bob)] == ["Alice mentioned you"]

    def test_everybody_is_everybody_in_the_channel(self, alice: Api, bob: Api, third: Api, group: str) -> None:
        sent(bob, group, "<@all>")
        dispatcher.drain()
        assert [len(told(one)) for one in (alice, bob, third)] == [1, 0, 1]

    def test_who_reads_it_before_that_is_left_alone(self, alice: Api, bob: Api, third: Api, group: str) -> None:
        message = sent(alice, group, "<@all>")
        bob.post(f"/chat/channels/{group}/read", {"seq": message["seq"]})
        dispatcher.drain()
        assert (told(bob), len(told(third))) == ([], 1)

    @pytest.mark.parametrize(("hours", "count"), [(1, 0), (-1, 1)])
    def test_who_muted_the_channel_is_left_alone_until_then(
        self, alice: Api, bob: Api, group: str, hours: int, count: int
    ) -> None:
        with bind(bob.tenant.ref):
            until = timezone.now() + timedelta(hours=hours)
            Member.objects.filter(user=bob.user, channel_id=group).update(muted_until=until)
        sent(alice, group, "<@all>")
        dispatcher.drain()
        assert len(told(bob)) == count

    def test_who_left_meanwhile_is_left_alone(self, alice: Api, bob: Api, third: Api, group: str) -> None:
        sent(alice, group, f"<@all> <@{bob.user.id}>")
        bob.post(f"/chat/channels/{group}/leave")
        dispatcher.drain()
        assert [one for one in told(bob) if one["eventKey"] == "chat.mentioned"] == []
        assert len(told(third)) == 1

    def test_nobody_is_told_of_what_was_deleted_meanwhile(self, alice: Api, bob: Api, group: str) -> None:
        message = sent(alice, group, f"<@{bob.user.id}>")
        delete(alice, message)
        dispatcher.drain()
        assert told(bob) == []

    def test_who_is_named_by_a_change_is_told_once(self, alice: Api, bob: Api, third: Api, group: str) -> None:
        message = sent(alice, group, f"<@{bob.user.id}>")
        edit(alice, message, f"<@{bob.user.id}> <@{third.user.id}>")
        dispatcher.drain()
        assert [len(told(one)) for one in (bob, third)] == [1, 1]

    def test_it_can_be_turned_off_like_everything(self, alice: Api, bob: Api, group: str) -> None:
        for way in ("in_app", "email"):
            body = {"eventKey": "chat.mentioned", "channel": way, "enabled": False}
            assert bob.call("PUT", "/notifications/preferences", body).status_code == 200
        sent(alice, group, f"<@{bob.user.id}>")
        dispatcher.drain()
        assert (told(bob), mail.outbox) == ([], [])


def test_what_is_stored_is_numbers_with_nought_for_everybody(alice: Api, bob: Api, group: str) -> None:
    sent(alice, group, f"<@all> <@{bob.user.id}>")
    with bind(alice.tenant.ref):
        assert Message.objects.get().mentioned == [0, bob.user.id]
