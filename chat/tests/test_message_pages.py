"""``GET /chat/channels/:id/messages``: pages in both directions, windows, and cursors that nobody forges."""

import base64
import json
import random
from typing import Any
from uuid import uuid4

import pytest

from chat.api.message_pages import Asked
from chat.models import Channel, Member, Mention, Message, Reaction
from chat.selectors.messages import Place, Window
from chat.tests.message_support import delete, group_of, page, people, queries_of_chat, said_before, sent, seqs
from chat.tests.support import UNKNOWN, error
from platform_site.api.pagination import seal_cursor
from platform_site.binding import bind
from tests.support import Api


@pytest.fixture
def group(alice: Api, bob: Api) -> str:
    """Of Alice and Bob, with messages 1 to 10 of Alice's."""
    made = group_of(alice, bob)
    said_before(alice, made, 10)
    return made


def numbers(person: Api, group: str, query: str) -> list[int]:
    return seqs(page(person, group, query)["data"])


def test_without_anything_it_is_the_newest_page(bob: Api, group: str) -> None:
    answer = page(bob, group, "?limit=3")
    assert seqs(answer["data"]) == [10, 9, 8]
    meta = answer["meta"]
    assert (meta["limit"], meta["prevCursor"]) == (3, None)
    assert (meta["lastSeq"], meta["changeSeq"], meta["lastReadSeq"]) == (10, 0, 0)
    assert numbers(bob, group, "") == list(range(10, 0, -1))
    assert page(bob, group)["meta"]["limit"] == 50


def test_cursors_lead_to_the_end_and_back_whatever_is_sent_meanwhile(alice: Api, bob: Api, group: str) -> None:
    seen: list[list[int]] = []
    cursors: list[str | None] = [None]
    for _ in range(4):
        query = f"?limit=3&cursor={cursors[-1]}" if cursors[-1] else "?limit=3"
        answer = page(bob, group, query)
        seen.append(seqs(answer["data"]))
        cursors.append(answer["meta"]["nextCursor"])
        sent(alice, group)
    assert seen == [[10, 9, 8], [7, 6, 5], [4, 3, 2], [1]]
    assert cursors[-1] is None
    back = []
    cursor = answer["meta"]["prevCursor"]
    while cursor:
        answer = page(bob, group, f"?limit=3&cursor={cursor}")
        back.append(seqs(answer["data"]))
        cursor = answer["meta"]["prevCursor"]
    assert back == [[4, 3, 2], [7, 6, 5], [10, 9, 8], [13, 12, 11], [14]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("before=4", [3, 2, 1]),
        ("before=4&limit=2", [3, 2]),
        ("before=1", []),
        ("before=999999999&limit=1", [10]),
        ("after=8", [9, 10]),
        ("after=0&limit=2", [1, 2]),
        ("after=10", []),
        ("after=999999999", []),
    ],
)
def test_a_number_says_from_where(bob: Api, group: str, query: str, expected: list[int]) -> None:
    assert numbers(bob, group, f"?{query}") == expected


@pytest.mark.parametrize(
    ("seq", "limit", "expected"),
    [
        (5, 3, [6, 5, 4]),
        (5, 4, [7, 6, 5, 4]),
        (5, 1, [5]),
        (10, 3, [10, 9, 8]),
        (1, 3, [3, 2, 1]),
        (5, 200, list(range(10, 0, -1))),
    ],
)
def test_a_message_is_shown_among_its_neighbours(
    bob: Api, group: str, seq: int, limit: int, expected: list[int]
) -> None:
    with bind(bob.tenant.ref):
        message_id = Message.objects.get(channel_id=group, seq=seq).id
    assert numbers(bob, group, f"?around={message_id}&limit={limit}") == expected


def test_there_is_nothing_around_of_what_one_does_not_see(alice: Api, bob: Api, group: str) -> None:
    elsewhere = sent(alice, group_of(alice, bob))["id"]
    with bind(bob.tenant.ref):
        hidden = Message.objects.get(channel_id=group, seq=3).id
        Member.objects.filter(user=bob.user, channel_id=group).update(hidden_seq=3)
    for message_id in (elsewhere, hidden, UNKNOWN):
        assert error(bob.get(f"/chat/channels/{group}/messages?around={message_id}")) == (404, "not_found")


@pytest.mark.parametrize("column", ["hidden_seq", "purged_seq"])
def test_what_is_hidden_or_gone_is_beyond_the_end(bob: Api, group: str, column: str) -> None:
    with bind(bob.tenant.ref):
        if column == "hidden_seq":
            Member.objects.filter(user=bob.user, channel_id=group).update(hidden_seq=8)
        else:
            Channel.objects.filter(id=group).update(purged_seq=8)
    answer = page(bob, group)
    assert (seqs(answer["data"]), answer["meta"]["nextCursor"]) == ([10, 9], None)
    assert numbers(bob, group, "?after=0&limit=1") == [9]
    assert numbers(bob, group, "?before=9") == []


def test_a_deleted_message_keeps_its_place(alice: Api, bob: Api, group: str) -> None:
    message = sent(alice, group)
    delete(alice, message)
    first = page(bob, group, "?limit=2")["data"][0]
    assert (first["seq"], first["content"], first["deletedAt"] is not None) == (11, "", True)


def test_who_was_deleted_for_good_is_nobody(alice: Api, bob: Api, group: str) -> None:
    sent(bob, group)
    with bind(bob.tenant.ref):
        type(bob.user).objects.filter(id=bob.user.id).update(status="erased", first_name="", email="")
    message = page(alice, group, "?limit=1")["data"][0]
    assert (message["sender"], message["senderName"]) == (None, "Deleted user")
    assert message["content"] == "Hello team!"


def test_who_is_only_deactivated_is_shown_as_that(alice: Api, bob: Api, group: str) -> None:
    sent(bob, group)
    with bind(bob.tenant.ref):
        type(bob.user).objects.filter(id=bob.user.id).update(status="inactive")
    message = page(alice, group, "?limit=1")["data"][0]
    assert (message["sender"]["active"], message["senderName"]) == (False, "Bob")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("before=0", "before"),
        ("before=-1", "before"),
        ("after=1e3", "after"),
        ("after=9999999999", "after"),
        ("around=5", "around"),
        ("around=", "around"),
        ("before=5&after=3", "after"),
        (f"cursor=x&around={UNKNOWN}", "around"),
        ("after=1&after=2", "after"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(bob: Api, group: str, query: str, name: str) -> None:
    answer = bob.get(f"/chat/channels/{group}/messages?{query}")
    assert error(answer) == (400, "validation_failed")
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == [name]


def test_a_cursor_is_of_one_channel_and_of_one_tenant(alice: Api, bob: Api, mallory: Api, group: str) -> None:
    cursor = page(bob, group, "?limit=3")["meta"]["nextCursor"]
    other = group_of(alice, bob)
    assert error(bob.get(f"/chat/channels/{other}/messages?cursor={cursor}")) == (400, "invalid_cursor")
    with bind(mallory.tenant.ref):
        foreign = seal_cursor(f"chat_messages:{group.replace('-', '')}", [5])
    assert error(bob.get(f"/chat/channels/{group}/messages?cursor={foreign}")) == (400, "invalid_cursor")
    assert error(mallory.get(f"/chat/channels/{group}/messages?cursor={foreign}")) == (404, "not_found")


def test_no_forged_cursor_is_more_than_a_wrong_one(bob: Api, group: str) -> None:
    real = page(bob, group, "?limit=3")["meta"]["nextCursor"]
    payload, _, signature = real.partition(".")
    kid, backward, values = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))

    def sealed(content: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode() + f".{signature}"

    chance = random.Random(7)
    forged = [sealed([kid, backward, [["v", 1]]]), sealed([kid, True, values]), sealed(["k9", backward, values])]
    odd: list[Any] = [[], {}, None, 5, [kid], [kid, backward, [["v", 10**40]]], [[[[[]]]]]]
    forged += [sealed(one) for one in odd]
    forged += ["", ".", payload, f"{payload}.", f".{signature}", "x" * 2000, "%00", "%F0%9F%98%80", signature * 3]
    for _ in range(150):
        place = chance.randrange(len(real))
        forged.append(real[:place] + chance.choice("AZaz09-_.") + real[place + 1 :])
    for cursor in forged:
        answer = bob.get(f"/chat/channels/{group}/messages?cursor={cursor}")
        assert cursor == real or error(answer) == (400, "invalid_cursor"), cursor


def test_nobody_reads_where_one_is_not(alice: Api, bob: Api, mallory: Api, tenant: Any, group: str) -> None:
    (outsider,) = people(tenant, 1)
    alice.call("DELETE", f"/chat/channels/{group}/members/{bob.user.id}")
    for somebody, channel in ((outsider, group), (mallory, group), (bob, group), (alice, UNKNOWN), (alice, "5")):
        assert error(somebody.get(f"/chat/channels/{channel}/messages")) == (404, "not_found")


def test_a_page_costs_the_same_for_one_and_for_a_hundred(alice: Api, bob: Api) -> None:
    few, much = group_of(alice, bob), group_of(alice, bob)
    said_before(alice, few, 1)
    said_before(alice, much, 100, mentioned=[0, alice.user.id, bob.user.id])
    with bind(bob.tenant.ref):
        rows = list(Message.objects.filter(channel_id=much))
        Reaction.objects.bulk_create(
            Reaction(message=row, emoji=emoji, user=person)
            for row in rows
            for emoji in "👍🎉"
            for person in (alice.user, bob.user)
        )
        Mention.objects.bulk_create(Mention(user=bob.user, channel_id=much, seq=row.seq) for row in rows)
    answers: dict[str, Any] = {}

    def load(group: str) -> None:
        answers[group] = page(bob, group, "?limit=100")["data"]

    assert queries_of_chat(lambda: load(few)) == queries_of_chat(lambda: load(much)) == 2
    assert (len(answers[few]), len(answers[much])) == (1, 100)
    both = [alice.user.id, bob.user.id]
    for message in answers[much]:
        assert [person["userId"] for person in message["mentions"]] == both
        assert message["mentionsEveryone"] is True
        shown = {one["emoji"]: (one["count"], one["userIds"]) for one in message["reactions"]}
        assert shown == {"👍": (2, both), "🎉": (2, both)}


class TestWindows:
    """The arithmetic, compared with looking for it."""

    pytestmark = pytest.mark.no_django

    def test_every_window_is_what_a_search_would_find(self) -> None:
        chance = random.Random(11)
        for _ in range(3000):
            last = chance.randrange(12)
            floor, limit, at = chance.randint(0, last), chance.randint(1, 6), chance.randint(0, 14)
            seen = list(range(floor + 1, last + 1))
            place = Place(last, 0, 0, floor, at if at in seen else None)
            assert _range(place.newest(limit)) == seen[-limit:]
            assert _range(place.before(max(at, 1), limit)) == [seq for seq in seen if seq < max(at, 1)][-limit:]
            assert _range(place.after(at, limit)) == [seq for seq in seen if seq > at][:limit]
            if at in seen:
                around = _range(place.around(limit))
                assert at in around
                assert len(around) == min(limit, len(seen))
                older, newer = around.index(at), len(around) - around.index(at) - 1
                # As much on both sides as there is.
                assert abs(older - newer) <= 1 or around[0] == seen[0] or around[-1] == seen[-1]

    def test_a_page_without_messages_leads_nowhere(self) -> None:
        place = Place(5, 0, 0, 5, None)
        cursor: Any = type("Cursor", (), {"limit": 3})
        meta = Asked(cursor).meta(uuid4(), place, [])
        assert (meta["nextCursor"], meta["prevCursor"]) == (None, None)


def _range(window: Window) -> list[int]:
    return list(range(window.first, window.last + 1))
