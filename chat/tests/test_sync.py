"""``POST /chat/sync``: what a client missed, exactly, after any time; and the statements behind it and the sockets."""

import asyncio
import random
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from chat import statements
from chat.catching_up import MOST_IN_ALL, MOST_OF_A_CHANNEL, plan
from chat.models import Channel, Member, Message
from chat.presenting_messages import message_from_row
from chat.selectors.messages import rows_of
from chat.tests.message_support import (
    delete,
    direct_of,
    edit,
    group_of,
    page,
    queries_of_chat,
    react,
    said_before,
    sent,
    seqs,
)
from chat.tests.support import UNKNOWN, error
from platform_site.async_binding import abind, close_pool
from platform_site.binding import bind
from tests.support import Api

PATH = "/chat/sync"


@pytest.fixture
def group(alice: Api, bob: Api) -> str:
    return group_of(alice, bob)


def sync(person: Api, since: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = person.post(PATH, {"since": since, **more})
    assert answer.status_code == 200, answer.content
    return dict(answer.json()["data"])


NOTHING: dict[str, Any] = {"channels": [], "messages": [], "changed": [], "gaps": [], "left": []}


def test_who_knows_nothing_gets_positions_and_loads_the_rest(alice: Api, bob: Api, group: str) -> None:
    sent(alice, group)
    message = sent(bob, group)
    edit(bob, message, "Changed")
    direct = direct_of(alice, bob)
    found = sync(alice, {})
    # The one in which something happened last comes first.
    assert found == {**NOTHING, "channels": [[group, 2, 1, 1], [direct, 0, 0, 0]]}


def test_what_was_missed_is_given_whole_and_once(alice: Api, bob: Api, group: str) -> None:
    known = [sent(alice, group, f"old {number}") for number in range(4)]
    bob.post(f"/chat/channels/{group}/read")
    new = [sent(alice, group, f"new {number}") for number in range(3)]
    changed = edit(alice, known[1], "Changed").json()["data"]
    react(alice, known[2], "👍")
    gone = delete(alice, known[2]).json()["data"]
    # This one was not known, so its change comes with it.
    new[1] = edit(alice, new[1], "At once").json()["data"]
    assert sync(bob, {group: [4, 0]}) == {
        **NOTHING,
        "channels": [[group, 7, 4, 4]],
        "messages": new,
        "changed": [changed, gone],
    }
    # Ids in any case of the letters, and 7.0 is 7 in JSON.
    assert seqs(sync(bob, {group.upper(): [7.0, 3]})["changed"]) == [6]
    bob.post(f"/chat/channels/{group}/read")
    assert sync(bob, {group: [7, 4]}) == NOTHING


def test_what_another_device_read_is_noticed(alice: Api, bob: Api, group: str) -> None:
    sent(alice, group)
    sent(alice, group)
    position = {group: [2, 0]}
    assert sync(bob, position) == {**NOTHING, "channels": [[group, 2, 0, 0]]}
    bob.post(f"/chat/channels/{group}/read", {"seq": 1})
    assert sync(bob, position) == {**NOTHING, "channels": [[group, 2, 0, 1]]}
    bob.post(f"/chat/channels/{group}/read")
    assert sync(bob, position) == NOTHING


def test_channels_that_one_is_not_in_are_left(alice: Api, bob: Api, mallory: Api, group: str) -> None:
    sent(alice, group)
    known = {group: [1, 0], UNKNOWN: [5, 5]}
    assert sync(bob, known)["left"] == [UNKNOWN]
    bob.post(f"/chat/channels/{group}/leave")
    sent(alice, group, "among ourselves")
    assert sync(bob, known) == {**NOTHING, "left": sorted([group, UNKNOWN])}
    assert sync(mallory, known) == {**NOTHING, "left": sorted([group, UNKNOWN])}


def test_what_is_hidden_or_gone_is_not_given_back(alice: Api, bob: Api, group: str) -> None:
    messages = [sent(alice, group) for _ in range(4)]
    with bind(bob.tenant.ref):
        Member.objects.filter(user=bob.user, channel_id=group).update(hidden_seq=2)
        Channel.objects.filter(id=group).update(purged_seq=1)
    for message in messages[1:3]:
        edit(alice, message, "Changed")
    assert seqs(sync(bob, {group: [0, 0]})["messages"]) == [3, 4]
    # The second one is hidden from him, and so is its change.
    assert seqs(sync(bob, {group: [4, 0]})["changed"]) == [3]


def test_too_many_messages_are_a_gap_that_is_read_by_number(alice: Api, bob: Api, group: str) -> None:
    said_before(alice, group, MOST_OF_A_CHANNEL + 1)
    assert len(sync(bob, {group: [1, 0]})["messages"]) == MOST_OF_A_CHANNEL
    found = sync(bob, {group: [0, 0]})
    gap: dict[str, Any] = {"channelId": group, "from": 1, "to": MOST_OF_A_CHANNEL + 1}
    assert (found["messages"], found["gaps"]) == ([], [gap])
    assert found["channels"] == [[group, MOST_OF_A_CHANNEL + 1, 0, 0]]
    rest = page(bob, group, f"?after={gap['from'] - 1}&limit=200")["data"]
    assert seqs(rest) == list(range(gap["from"], gap["to"] + 1))
    assert sync(bob, {group: [98, 0]}, limit=2)["gaps"] == [{**gap, "from": 99}]


def test_changes_are_counted_by_messages_and_not_by_numbers(alice: Api, bob: Api, group: str) -> None:
    said_before(alice, group, 6)
    with bind(bob.tenant.ref):
        rows = list(Message.objects.filter(channel_id=group).order_by("seq"))
        # One was changed five hundred times.
        for row, number in zip(rows, (500, 501, 502, 503), strict=False):
            Message.objects.filter(id=row.id).update(change_seq=number, edited_at=timezone.now())
        Channel.objects.filter(id=group).update(change_seq=503)
    found = sync(bob, {group: [6, 0]}, limit=4)
    assert [message["changeSeq"] for message in found["changed"]] == [500, 501, 502, 503]
    assert found["gaps"] == []
    # What the client has may have changed: from the first that it has it loads again.
    found = sync(bob, {group: [6, 0]}, limit=3)
    assert (found["changed"], found["gaps"]) == ([], [{"channelId": group, "from": 1, "to": 6}])
    found = sync(bob, {group: [5, 0]}, limit=3)
    assert (seqs(found["messages"]), found["gaps"]) == ([6], [{"channelId": group, "from": 1, "to": 5}])


@pytest.mark.parametrize("known", [[9, 0], [0, 9], [2**53 - 1, 2**53 - 1]])
def test_a_position_of_another_history_is_not_trusted(alice: Api, bob: Api, group: str, known: list[int]) -> None:
    sent(alice, group)
    found = sync(bob, {group: known})
    assert found["gaps"] == [{"channelId": group, "from": 1, "to": 1}]
    assert found["messages"] == found["changed"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"since": []},
        {"since": None},
        {"since": {"x": [1, 1]}},
        {"since": {UNKNOWN: 5}},
        {"since": {UNKNOWN: [1]}},
        {"since": {UNKNOWN: [1, 2, 3]}},
        {"since": {UNKNOWN: [-1, 0]}},
        {"since": {UNKNOWN: [2**53, 0]}},
        {"since": {UNKNOWN: [1.5, 0]}},
        {"since": {UNKNOWN: [True, 0]}},
        {"since": {UNKNOWN: ["1", 0]}},
        {"since": {f"{UNKNOWN}\n": [1, 0]}},
        {"since": {}, "limit": 0},
        {"since": {}, "limit": 101},
    ],
)
def test_positions_are_read_strictly(bob: Api, body: dict[str, Any]) -> None:
    assert error(bob.post(PATH, body)) == (400, "validation_failed")


def test_it_costs_the_same_for_one_and_for_a_hundred_channels(alice: Api, bob: Api) -> None:
    def missed_in(count: int) -> dict[str, Any]:
        known: dict[str, Any] = {}
        with bind(bob.tenant.ref):
            for _ in range(count):
                row = Channel.objects.create(
                    kind="group", name="x", created_by=alice.user, last_seq=2, change_seq=1, active_at=timezone.now()
                )
                for person in (alice.user, bob.user):
                    Member.objects.create(user=person, channel=row)
                for seq, number in ((1, 1), (2, 0)):
                    Message.objects.create(channel=row, seq=seq, change_seq=number, sender=alice.user, content="x")
                known[str(row.id)] = [1, 0]
        return known

    one, hundred = missed_in(1), missed_in(99)
    for known, count in ((one, 1), ({**one, **hundred}, 100)):
        assert queries_of_chat(partial(sync, bob, known)) == 3
        found = sync(bob, known)
        assert (len(found["messages"]), len(found["changed"])) == (count, count)


@pytest.mark.no_django
class TestPlan:
    def row(self, **more: Any) -> dict[str, Any]:
        usual = {"last_seq": 10, "change_seq": 0, "last_read_seq": 10, "floor_seq": 0, "known_seq": 10}
        return {"channel_id": uuid4(), "known_change": 0, **usual, **more}

    def test_what_is_sent_of_all_channels_together_has_an_end(self) -> None:
        rows = [self.row(known_seq=0) for _ in range(300)]
        made = plan(rows, {})
        assert len(made.messages) == MOST_IN_ALL // 10
        assert len(made.gaps) == 300 - len(made.messages)
        # Those that come first are served first.
        assert [channel for channel, _, _ in made.messages] == [row["channel_id"] for row in rows[:200]]

    def test_changes_are_a_part_of_that(self) -> None:
        rows = [self.row(known_seq=9, change_seq=500, floor_seq=floor) for floor in (0, 0, 5, 9)]
        # Of nine messages that are known no more than six can be sent, and of four that are shown no more than four.
        made = plan(rows, {}, limit=6, most=7 + 7 + 5)
        assert made.messages == [(row["channel_id"], 10, 10) for row in rows[:3]]
        assert [channel for channel, *_ in made.changes] == [row["channel_id"] for row in rows[:3]]
        assert made.gaps == {rows[3]["channel_id"]: (10, 10)}
        assert plan(rows[2:3], {}, limit=6, most=4).gaps == {rows[2]["channel_id"]: (6, 9)}

    def test_whatever_is_missed_is_sent_or_said_to_be_missing(self) -> None:
        chance = random.Random(3)
        for _ in range(2000):
            last, change = chance.randint(0, 12), chance.randint(0, 6)
            known, floor = chance.randint(0, last), chance.randint(0, last)
            before = chance.randint(0, change)
            row = self.row(last_seq=last, change_seq=change, known_seq=known, known_change=before, floor_seq=floor)
            made = plan([row], {}, limit=chance.randint(1, 8), most=chance.randint(0, 10))
            given = [seq for _, first, to in made.messages for seq in range(first, to + 1)]
            for first, to in made.gaps.values():
                given += range(first, to + 1)
            assert set(given) >= set(range(max(known, floor) + 1, last + 1))
            told = [number for _, first, to, _, _ in made.changes for number in range(first, to + 1)]
            held = range(floor + 1, known + 1)
            missed = before < change and len(held) > 0
            again = made.gaps.get(row["channel_id"], (last + 1, 0))
            assert not missed or told == list(range(before + 1, change + 1)) or again[0] == floor + 1


@pytest.mark.commits
def test_the_realtime_process_gets_the_same_from_the_same_statements(alice: Api, bob: Api) -> None:
    group = group_of(alice, bob)
    react(bob, sent(alice, group, f"<@{bob.user.id}> <@all>", clientMessageId="k"), "👍")
    delete(alice, sent(alice, group))
    channels = {"channels": [UUID(group)]}
    ranges = {**channels, "firsts": [0], "lasts": [9]}
    asked = [
        (statements.BEHIND, {"user_id": bob.user.id, "since": f'{{"{group}": [0, 1]}}'}),
        (statements.MESSAGES, ranges),
        (statements.CHANGES, {**ranges, "floors": [0], "tops": [9], "limit": 5}),
        (statements.RECIPIENTS, {"channel_id": UUID(group), "seq": 1}),
        (statements.RECIPIENTS_OF_MANY, channels),
        (statements.MESSAGES, {"channels": [], "firsts": [], "lasts": []}),
    ]

    async def fetched() -> list[list[dict[str, Any]]]:
        try:
            async with abind(bob.tenant.ref) as db:
                return [await db.fetch(statement, params) for statement, params in asked]
        finally:
            await close_pool()

    found = asyncio.run(fetched())
    with bind(bob.tenant.ref):
        assert found == [rows_of(statement, params) for statement, params in asked]
    assert [len(rows) for rows in found] == [1, 2, 2, 2, 2, 0]
    assert [message_from_row(row) for row in found[1]] == page(bob, group)["data"][::-1]
