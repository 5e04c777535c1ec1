"""What is unread, and marking it as read."""

import random
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.models import Channel, Member
from chat.tests.support import (
    UNKNOWN,
    channel,
    channels,
    client,
    data,
    delete,
    direct,
    error,
    group,
    listening,
    message_id,
    person,
    say,
)
from platform_site.binding import bind
from tests.support import Api, at_once


def read(somebody: Api, channel_id: Any, body: Any = None, method: str = "POST") -> dict[str, Any]:
    return dict(data(somebody.call(method, f"/chat/channels/{channel_id}/read", body)))


def unread(somebody: Api) -> tuple[int, int, int]:
    count = data(somebody.get("/chat/unread-count"))
    assert somebody.get("/chat/channels").json()["meta"]["unreadCount"] == count["unreadCount"]
    return count["unreadCount"], count["channelsWithUnread"], count["mentions"]


class TestReading:
    def test_up_to_a_number_a_message_or_the_end(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        for _ in range(5):
            say(tenant, alice.user, made)
        assert read(bob, made, {"seq": 2}) == {
            "channelId": made, "lastReadSeq": 2, "unreadCount": 3, "totalUnread": 3,
        }  # fmt: skip
        assert read(bob, made, {"messageId": str(message_id(tenant, made, 4))})["lastReadSeq"] == 4
        assert read(bob, made) == {"channelId": made, "lastReadSeq": 5, "unreadCount": 0, "totalUnread": 0}

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    def test_it_goes_forward_only_and_not_beyond_the_end(self, alice: Api, bob: Api, tenant: Any, method: str) -> None:
        made = group(alice, bob.user)["id"]
        for _ in range(5):
            say(tenant, alice.user, made)
        seen = [read(bob, made, {"seq": seq}, method)["lastReadSeq"] for seq in (3, 1, 0, 3, 2**53 - 1, 4)]
        assert seen == [3, 3, 3, 3, 5, 5]

    def test_what_one_says_oneself_is_read(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        say(tenant, alice.user, made)
        say(tenant, bob.user, made)
        assert (channel(bob, made)["unreadCount"], channel(alice, made)["unreadCount"]) == (0, 1)

    def test_a_message_of_another_channel_or_nobody_s_is_not_found(
        self, alice: Api, bob: Api, mallory: Api, tenant: Any
    ) -> None:
        made, other = group(alice, bob.user)["id"], group(alice, bob.user)["id"]
        say(tenant, alice.user, made)
        say(tenant, alice.user, other)
        for wrong in (UNKNOWN, str(message_id(tenant, other, 1))):
            answer = bob.post(f"/chat/channels/{made}/read", {"messageId": wrong})
            assert error(answer) == (422, "message_not_found")
        assert channel(bob, made)["lastReadSeq"] == 0

    def test_a_message_that_is_not_shown_is_not_found_either(self, alice: Api, bob: Api, tenant: Any) -> None:
        data(alice.call("PUT", "/org-settings/chat.history_for_new_members", {"value": False}))
        made = group(alice, bob.user)["id"]
        say(tenant, alice.user, made)
        carol = client(tenant, "carol")
        data(alice.post(f"/chat/channels/{made}/members", {"memberIds": [carol.user.id]}))
        answer = carol.post(f"/chat/channels/{made}/read", {"messageId": str(message_id(tenant, made, 1))})
        assert error(answer) == (422, "message_not_found")

    @pytest.mark.parametrize(
        "body",
        [
            {"seq": -1},
            {"seq": 2**53},
            {"seq": "1"},
            {"seq": 1.5},
            {"seq": True},
            {"seq": None},
            {"messageId": "x"},
            {"messageId": 1},
            {"seq": 1, "messageId": UNKNOWN},
            {"upTo": 1},
            [],
        ],
    )
    def test_a_body_that_makes_no_sense_is_refused(self, alice: Api, bob: Api, body: Any) -> None:
        made = group(alice, bob.user)["id"]
        assert error(alice.post(f"/chat/channels/{made}/read", body)) == (400, "validation_failed")

    @pytest.mark.commits
    def test_devices_in_any_order_end_at_the_furthest(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        for _ in range(16):
            say(tenant, alice.user, made)
        seqs = random.Random(7).sample(range(1, 17), 16)
        done = at_once(16, lambda number: read(Api(token=bob.token), made, {"seq": seqs[number]})["lastReadSeq"])
        assert done.most_at_once > 1
        # Nobody is told less than asked for.
        assert all(answer >= asked for answer, asked in zip(done.results, seqs, strict=True))
        assert channel(bob, made)["lastReadSeq"] == 16

    @pytest.mark.commits
    def test_reading_waits_for_no_sender(self, alice: Api, bob: Api, tenant: Any) -> None:
        """The channel's row is locked by a sender; reading touches the reader's own row only."""
        made = group(alice, bob.user)["id"]
        say(tenant, alice.user, made)
        with bind(tenant.ref), transaction.atomic():
            Channel.objects.select_for_update().get(id=made)
            done = at_once(1, lambda _: read(Api(token=bob.token), made)["unreadCount"])
        assert done.results == [0]


class TestTotals:
    def test_they_add_up(self, alice: Api, bob: Api, tenant: Any) -> None:
        one, two = group(alice, bob.user)["id"], direct(alice, bob.user)["id"]
        assert unread(bob) == (0, 0, 0)
        say(tenant, alice.user, one)
        say(tenant, alice.user, one, mentioned=(bob.user.id,))
        say(tenant, alice.user, two)
        assert unread(bob) == (3, 2, 1)
        assert unread(alice) == (0, 0, 0)
        assert [(shown["unreadCount"], shown["mentionCount"]) for shown in channels(bob)] == [(1, 0), (2, 1)]
        assert read(bob, one)["totalUnread"] == 1
        assert unread(bob) == (1, 1, 0)

    def test_what_is_deleted_or_gone_is_not_unread(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        for number in range(6):
            say(tenant, alice.user, made, mentioned=(bob.user.id,) if number % 2 else ())
        delete(tenant, made, 2)
        assert unread(bob) == (5, 1, 2)
        read(bob, made, {"seq": 3})
        assert unread(bob) == (3, 1, 2)
        delete(tenant, made, 1)
        assert unread(bob) == (3, 1, 2)
        with bind(tenant.ref):
            Channel.objects.update(purged_seq=5)
        assert unread(bob) == (1, 1, 1)
        delete(tenant, made, 6)
        assert unread(bob) == (0, 0, 0)

    def test_muted_left_and_archived_ones_do_not_count(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        say(tenant, alice.user, made, mentioned=(bob.user.id,))
        assert unread(bob) == (1, 1, 1)
        for change in ({"muted": True}, {"mutedUntil": "2099-01-01T00:00:00Z"}):
            data(bob.call("PATCH", f"/chat/channels/{made}", change))
            assert unread(bob) == (0, 0, 0)
            assert channel(bob, made)["unreadCount"] == 1
            data(bob.call("PATCH", f"/chat/channels/{made}", {"muted": False}))
            assert unread(bob) == (1, 1, 1)
        data(bob.call("PATCH", f"/chat/channels/{made}", {"mutedUntil": "2020-01-01T00:00:00Z"}))
        assert unread(bob) == (1, 1, 1)
        data(alice.call("PATCH", f"/chat/channels/{made}", {"archived": True}))
        assert unread(bob) == (0, 0, 0)
        data(alice.call("PATCH", f"/chat/channels/{made}", {"archived": False}))
        data(bob.post(f"/chat/channels/{made}/leave"))
        assert unread(bob) == (0, 0, 0)

    def test_another_tenant_s_do_not_count(self, alice: Api, bob: Api, mallory: Api, tenant: Any) -> None:
        made = group(bob, alice.user)["id"]
        say(tenant, bob.user, made)
        assert alice.user.id == mallory.user.id
        assert (unread(alice), unread(mallory)) == ((1, 1, 0), (0, 0, 0))

    def test_the_count_is_one_statement_for_one_and_for_a_hundred(self, alice: Api, bob: Api, tenant: Any) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                data(alice.get("/chat/unread-count"))
            return sum("chat_" in one["sql"] for one in captured)

        group(alice, bob.user)
        few = queries()
        with bind(tenant.ref):
            rows = [Channel(kind="group", name="c", created_by=bob.user, last_seq=3) for _ in range(99)]
            Channel.objects.bulk_create(rows)
            Member.objects.bulk_create(Member(user=alice.user, channel=row) for row in rows)
        assert data(alice.get("/chat/unread-count"))["unreadCount"] == 297
        assert queries() == few == 1

    def test_everything_is_read_at_once(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = [group(alice, bob.user)["id"] for _ in range(3)]
        for one in made[:2]:
            say(tenant, alice.user, one)
        data(bob.call("PATCH", f"/chat/channels/{made[1]}", {"muted": True}))
        with bind(tenant.ref):
            Member.objects.filter(channel_id=made[2], user_id=bob.user.id).update(left_at=timezone.now())
        say(tenant, alice.user, made[2])
        assert data(bob.post("/chat/read-all")) == {"updated": 2, "unreadCount": 0}
        assert data(bob.post("/chat/read-all")) == {"updated": 0, "unreadCount": 0}
        assert [one["lastReadSeq"] for one in channels(bob)] == [1, 1]
        with bind(tenant.ref):
            assert Member.objects.get(channel_id=made[2], user_id=bob.user.id).last_read_seq == 0
            assert Member.objects.get(channel_id=made[0], user_id=alice.user.id).last_read_seq == 1


class TestFrames:
    pytestmark = pytest.mark.commits

    def test_the_reader_hears_what_is_left_and_the_others_how_far(self, alice: Api, bob: Api, tenant: Any) -> None:
        made, other = direct(alice, bob.user)["id"], group(alice, bob.user)["id"]
        for one in (made, made, other):
            say(tenant, alice.user, one)
        with listening(tenant) as frames:
            read(bob, made, {"seq": 1})
            read(bob, made, {"seq": 1})
            read(bob, made, {"seq": 0})
        assert [(header["k"], header["to"], "c" in header, frame) for header, frame in frames] == [
            (
                "plain",
                [bob.user.id],
                False,
                {
                    "t": "channel.read",
                    "c": made,
                    "userId": bob.user.id,
                    "seq": 1,
                    "d": {"unreadCount": 1, "totalUnread": 2},
                },
            ),
            (
                "plain",
                [alice.user.id],
                False,
                {"t": "channel.read", "c": made, "userId": bob.user.id, "seq": 1},
            ),
        ]

    @pytest.mark.parametrize(("members", "told"), [(50, 49), (51, 0)])
    def test_in_large_groups_the_others_hear_nothing(
        self, alice: Api, bob: Api, tenant: Any, members: int, told: int
    ) -> None:
        made = group(alice, bob.user)["id"]
        with bind(tenant.ref):
            row = Channel.objects.get(id=made)
            Member.objects.bulk_create(
                Member(user=person(tenant, f"p{number}"), channel=row) for number in range(members - 2)
            )
        for action in (f"/chat/channels/{made}/read", "/chat/read-all"):
            say(tenant, alice.user, made)
            with listening(tenant) as frames:
                data(bob.post(action))
            assert [len(header["to"]) for header, _ in frames] == [1, told][: 2 if told else 1]

    def test_of_all_channels_that_were_read_each_is_told(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = [group(alice, bob.user)["id"] for _ in range(3)]
        for one in made[:2]:
            say(tenant, alice.user, one)
        with listening(tenant) as frames:
            data(bob.post("/chat/read-all"))
            data(bob.post("/chat/read-all"))
        own = [frame for header, frame in frames if header["to"] == [bob.user.id]]
        assert {frame["c"] for frame in own} == set(made[:2])
        assert {frame["d"]["totalUnread"] for frame in own} == {0}
        assert len(frames) == 4

    def test_of_many_devices_that_read_everything_at_once_none_waits_for_ever(
        self, alice: Api, bob: Api, tenant: Any
    ) -> None:
        made = [group(alice, bob.user)["id"] for _ in range(5)]
        for one in made:
            say(tenant, alice.user, one)
        done = at_once(8, lambda _: data(Api(token=bob.token).post("/chat/read-all"))["updated"])
        assert done.most_at_once > 1
        assert sum(done.results) == 5
        assert unread(bob) == (0, 0, 0)
