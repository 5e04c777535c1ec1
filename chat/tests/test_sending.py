"""``POST /chat/channels/:id/messages``: what is sent, what is refused, and what races."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from chat.models import Channel, Member, Message
from chat.tests.message_support import delete, direct_of, edit, group_of, page, people, send, sent, seqs, while_locked
from chat.tests.support import UNKNOWN, channel, channels, error, listening
from platform_site import valkey
from platform_site.binding import bind
from platform_site.local.server import Profile
from tests.servers import private_valkey
from tests.support import Api, at_once, scaled

WRITERS = 64


@pytest.fixture
def unlimited(settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "chat_send_user": (1_000_000, 10)}


def field(answer: Any) -> tuple[int, str, str]:
    (detail,) = answer.json()["error"]["details"]
    return answer.status_code, detail["field"], detail["code"]


def test_what_was_sent_is_answered_whole_and_is_there_for_the_others(alice: Api, bob: Api) -> None:
    group = group_of(alice, bob)
    message = sent(alice, group, clientMessageId="k1")
    assert message == {
        "id": message["id"],
        "channelId": group,
        "seq": 1,
        "changeSeq": 0,
        "sender": {
            "id": str(alice.user.uuid),
            "userId": alice.user.id,
            "displayName": "Alice",
            "avatarUrl": None,
            "active": True,
        },
        "senderName": "Alice",
        "content": "Hello team!",
        "contentType": "text/plain",
        "clientMessageId": "k1",
        "replyTo": None,
        "mentions": [],
        "mentionsEveryone": False,
        "reactions": [],
        "createdAt": message["createdAt"],
        "editedAt": None,
        "deletedAt": None,
    }
    assert page(bob, group)["data"] == [message]
    assert sent(bob, group, replyTo=message["id"])["replyTo"] == message["id"]


SAID = {
    "space": "  indented\n\tand tabbed ",
    "right to left": "مرحبا \u202eabc\u202c",
    "emoji": "👩‍👩‍👧‍👦👍🏽",
    "combining": "e\u0301 is not é",
    "markup": "<b>&amp;</b>",
    "longest": "😀" * 10_000,
    "invisible": "\u200b",
}


@pytest.mark.parametrize("content", SAID.values(), ids=SAID)
def test_what_was_said_comes_back_as_it_was_said(alice: Api, bob: Api, content: str) -> None:
    group = group_of(alice, bob)
    assert sent(alice, group, content)["content"] == content
    assert page(bob, group)["data"][0]["content"] == content


def test_line_ends_are_one_kind_and_control_characters_are_left_out(alice: Api, bob: Api) -> None:
    group = group_of(alice, bob)
    assert sent(alice, group, "a\r\nb\rc\x07\x1b[31md\x85e\x7f")["content"] == "a\nb\nc[31mde"


@pytest.mark.parametrize(
    ("content", "code"),
    [("", "blank"), (" \n\t ", "blank"), ("\x07\x08", "blank"), ("x" * 10_001, "max_length"), (5, "not_text")],
    ids=["nothing", "space", "control", "10,001", "number"],
)
def test_a_text_that_cannot_be_sent_names_its_field(alice: Api, bob: Api, content: Any, code: str) -> None:
    group = group_of(alice, bob)
    assert field(send(alice, group, content)) == (400, "content", code)
    assert page(alice, group)["data"] == []


@pytest.mark.parametrize("content", [b'{"content": "a\\u0000"}', b'{"content": "a\\ud800"}'], ids=["NUL", "surrogate"])
def test_what_no_database_could_keep_is_refused_by_the_parser(alice: Api, bob: Api, content: bytes) -> None:
    group = group_of(alice, bob)
    assert error(alice.post(f"/chat/channels/{group}/messages", content)) == (400, "malformed_json")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"clientMessageId": ""}, "clientMessageId"),
        ({"clientMessageId": "x" * 65}, "clientMessageId"),
        ({"clientMessageId": "a\nb"}, "clientMessageId"),
        ({"replyTo": "5"}, "replyTo"),
        ({"senderId": 2}, "senderId"),
    ],
)
def test_other_fields_are_read_strictly(alice: Api, bob: Api, body: dict[str, Any], name: str) -> None:
    assert field(send(alice, group_of(alice, bob), **body))[:2] == (400, name)


class TestRepetition:
    def test_the_same_key_is_the_same_message(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        first, again = send(alice, group, clientMessageId="k"), send(alice, group, clientMessageId="k")
        assert (first.status_code, again.status_code) == (201, 200)
        assert "Idempotency-Replayed" not in first
        assert again["Idempotency-Replayed"] == "true"
        assert again.json() == first.json()
        assert seqs(page(alice, group)["data"]) == [1]
        assert sent(alice, group, "more")["seq"] == 2

    def test_the_same_key_for_something_else_is_a_conflict(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        first = sent(alice, group, clientMessageId="k")
        assert error(send(alice, group, "Other", clientMessageId="k")) == (409, "idempotency_conflict")
        answer = send(alice, group, clientMessageId="k", replyTo=first["id"])
        assert error(answer) == (409, "idempotency_conflict")

    def test_keys_are_the_senders_own_and_the_channels(self, alice: Api, bob: Api) -> None:
        group, other = group_of(alice, bob), group_of(alice, bob)
        assert sent(alice, group, clientMessageId="k")["seq"] == 1
        assert sent(bob, group, "Mine", clientMessageId="k")["seq"] == 2
        assert sent(alice, other, "Another", clientMessageId="k")["seq"] == 1

    def test_a_message_that_was_changed_meanwhile_is_given_as_it_is(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        message = sent(alice, group, clientMessageId="k")
        assert edit(alice, message, "Changed").status_code == 200
        assert send(alice, group, clientMessageId="k").json()["data"]["content"] == "Changed"
        assert delete(alice, message).status_code == 200
        answer = send(alice, group, clientMessageId="k")
        assert (answer.status_code, answer.json()["data"]["deletedAt"] is not None) == (200, True)

    def test_it_is_answered_also_where_nothing_could_be_sent_any_more(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        sent(alice, group, clientMessageId="k")
        assert alice.call("PATCH", f"/chat/channels/{group}", {"archived": True}).status_code == 200
        assert send(alice, group, clientMessageId="k").status_code == 200

    def test_an_idempotency_key_works_as_everywhere(self, alice: Api, bob: Api) -> None:
        path, body = f"/chat/channels/{group_of(alice, bob)}/messages", {"content": "Once"}
        first = alice.post(path, body, idempotency_key="once")
        again = alice.post(path, body, idempotency_key="once")
        assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (201, 201, "true")
        assert again.json() == first.json()
        assert error(alice.post(path, {"content": "Twice"}, idempotency_key="once")) == (422, "idempotency_key_reused")


class TestRefused:
    def test_nobody_speaks_where_one_is_not(self, alice: Api, bob: Api, mallory: Api, tenant: Any) -> None:
        (outsider,) = people(tenant, 1)
        group = group_of(alice, bob)
        for somebody, channel_id in ((outsider, group), (mallory, group), (alice, UNKNOWN)):
            assert error(send(somebody, channel_id)) == (404, "not_found")
        assert alice.call("DELETE", f"/chat/channels/{group}/members/{bob.user.id}").status_code == 200
        assert error(send(bob, group)) == (404, "not_found")
        assert page(alice, group)["meta"]["lastSeq"] == 0

    def test_an_archived_channel_is_closed(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        alice.call("PATCH", f"/chat/channels/{group}", {"archived": True})
        assert error(send(alice, group)) == (422, "channel_archived")

    def test_nobody_is_written_to_who_is_not_active(self, alice: Api, bob: Api, tenant: Any) -> None:
        (third,) = people(tenant, 1)
        direct, group = direct_of(alice, bob), group_of(alice, bob, third)
        _set_status(bob, User.Status.INACTIVE)
        assert error(send(alice, direct)) == (422, "recipient_inactive")
        # One of the others is there to read it.
        assert send(alice, group).status_code == 201
        _set_status(third, User.Status.PENDING)
        assert error(send(alice, group)) == (422, "recipient_inactive")
        _set_status(bob, User.Status.ACTIVE)
        assert send(alice, direct).status_code == send(alice, group).status_code == 201

    def test_who_is_alone_in_a_group_may_go_on(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        assert bob.post(f"/chat/channels/{group}/leave").status_code == 200
        assert send(alice, group).status_code == 201

    def test_an_answer_is_to_a_message_that_one_sees(self, alice: Api, bob: Api) -> None:
        group, other = group_of(alice, bob), group_of(alice, bob)
        elsewhere, hidden = sent(alice, other), sent(alice, group)
        with bind(bob.tenant.ref):
            Member.objects.filter(user=bob.user, channel_id=group).update(hidden_seq=1)
        for message_id in (elsewhere["id"], hidden["id"], UNKNOWN):
            answer = send(bob, group, replyTo=message_id)
            assert error(answer) == (422, "reply_not_found")
            assert field(answer)[1] == "replyTo"
        assert send(alice, group, replyTo=hidden["id"]).status_code == 201

    def test_sixty_in_ten_seconds_and_no_more(self, alice: Api, bob: Api, settings: Any) -> None:
        assert settings.RATE_LIMITS["chat_send_user"] == (60, 10)
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "chat_send_user": (2, 10)}
        group = group_of(alice, bob)
        assert [send(alice, group).status_code for _ in range(3)] == [201, 201, 429]
        # Each has an allowance of one's own, and a change is a use of it as well.
        message = sent(bob, group)
        assert edit(bob, message, "x").status_code == 200
        assert error(edit(bob, message, "y")) == (429, "rate_limited")


class TestAround:
    def test_who_speaks_has_read_and_the_others_have_not(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        sent(bob, group)
        sent(alice, group)
        assert (channel(alice, group)["lastReadSeq"], channel(alice, group)["unreadCount"]) == (2, 0)
        assert (channel(bob, group)["lastReadSeq"], channel(bob, group)["unreadCount"]) == (1, 1)

    def test_a_channel_of_two_that_was_put_away_comes_back_and_a_group_does_not(self, alice: Api, bob: Api) -> None:
        direct, group = direct_of(alice, bob), group_of(alice, bob)
        for person, there in ((alice, direct), (bob, direct), (alice, group), (bob, group)):
            assert person.call("PATCH", f"/chat/channels/{there}", {"hidden": True}).status_code == 200
        sent(alice, direct)
        sent(alice, group)
        # To who speaks in it a group comes back as well.
        assert {one["id"] for one in channels(alice)} == {direct, group}
        assert {one["id"] for one in channels(bob)} == {direct}

    def test_it_takes_two_statements_and_four_with_everything_around(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        sent(alice, group)
        with CaptureQueriesContext(connection) as captured:
            sent(alice, group, clientMessageId="k")
        texts = [one["sql"] for one in captured if not one["sql"].startswith(("SAVEPOINT", "RELEASE", "SET"))]
        assert sum("chat_" in text for text in texts) == 2
        assert len(texts) <= 4, texts


def _set_status(person: Api, status: User.Status) -> None:
    with bind(person.tenant.ref):
        User.objects.filter(id=person.user.id).update(status=status)


@pytest.mark.commits
class TestForReal:
    def test_one_envelope_goes_to_all_members_with_what_rest_answers(
        self, alice: Api, bob: Api, tenant: Any, mallory: Api, other_tenant: Any
    ) -> None:
        (third,) = people(tenant, 1)
        group, direct = group_of(alice, bob, third), direct_of(alice, bob)
        with listening(other_tenant) as foreign, listening(tenant) as frames:
            message = sent(alice, group, "Hello <@all>", clientMessageId="k")
            send(alice, group, "Hello <@all>", clientMessageId="k")
            private = sent(bob, direct)
            send(alice, group, "")
            send(mallory, group)
        assert foreign == []
        told = [(header["k"], header["to"], header["c"], header["n"], frame) for header, frame in frames]
        both, all_of_them = sorted([alice.user.id, bob.user.id]), sorted([alice.user.id, bob.user.id, third.user.id])
        assert told == [
            ("message", all_of_them, group, 1, {"t": "message.created", "c": group, "seq": 1, "d": message}),
            ("message", both, direct, 1, {"t": "message.created", "c": direct, "seq": 1, "d": private}),
        ]

    @pytest.mark.timeout(600)
    @pytest.mark.usefixtures("unlimited")
    def test_many_writers_leave_no_hole_and_a_reader_misses_nothing(self, alice: Api, bob: Api) -> None:
        group, each = group_of(alice, bob), scaled(2, 40)
        total = WRITERS * each
        seen: list[int] = []

        def write(number: int) -> list[int]:
            if number == WRITERS:
                deadline = time.monotonic() + 500
                while len(seen) < total and time.monotonic() < deadline:
                    after = seen[-1] if seen else 0
                    seen.extend(seqs(page(Api(bob.token), group, f"?after={after}&limit=200")["data"]))
                return []
            person = Api((alice, bob)[number % 2].token)
            return [sent(person, group, f"{number} {turn}")["seq"] for turn in range(each)]

        done = at_once(WRITERS + 1, write)
        assert done.most_at_once == WRITERS + 1
        assert sorted(seq for numbers in done.results for seq in numbers) == list(range(1, total + 1))
        # A reader that asks for what is behind the last that it has: nothing turns up behind its back.
        assert seen == list(range(1, total + 1))
        with bind(alice.tenant.ref):
            rows = list(Message.objects.filter(channel_id=group).order_by("seq").values_list("seq", "created_at"))
            assert Channel.objects.get(id=group).last_seq == total
        assert [seq for seq, _ in rows] == list(range(1, total + 1))
        assert [at for _, at in rows] == sorted(at for _, at in rows)

    @pytest.mark.usefixtures("unlimited")
    def test_the_same_key_from_many_at_once_is_one_message(self, alice: Api, bob: Api, tenant: Any) -> None:
        group = group_of(alice, bob)
        with listening(tenant) as frames:
            done = at_once(32, lambda number: send(Api(alice.token), group, clientMessageId="k"))
        assert done.most_at_once == 32
        assert sorted(answer.status_code for answer in done.results) == [200] * 31 + [201]
        assert len({answer.json()["data"]["id"] for answer in done.results}) == 1
        assert len(frames) == 1
        # What lost the race has given its number back.
        assert sent(alice, group, "next")["seq"] == 2

    def test_who_is_taken_out_while_waiting_is_out(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        answer = while_locked(
            group,
            alice,
            lambda: send(bob, group),
            lambda: Member.objects.filter(user=bob.user).update(left_at=timezone.now()),
        )
        assert error(answer) == (404, "not_found")
        assert page(alice, group)["meta"]["lastSeq"] == 0
        assert sent(alice, group)["seq"] == 1

    def test_what_is_archived_while_waiting_is_closed(self, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        answer = while_locked(
            group,
            alice,
            lambda: send(bob, group),
            lambda: Channel.objects.filter(id=group).update(archived_at=timezone.now()),
        )
        assert error(answer) == (422, "channel_archived")
        assert page(alice, group)["meta"]["lastSeq"] == 0

    @pytest.mark.usefixtures("unlimited")
    def test_who_is_taken_out_hears_and_says_nothing_more(self, alice: Api, bob: Api, tenant: Any) -> None:
        group = group_of(alice, bob)
        sent(bob, group)

        def work(number: int) -> list[tuple[int, int]]:
            if number == 0:
                assert alice.call("DELETE", f"/chat/channels/{group}/members/{bob.user.id}").status_code == 200
                return []
            person = Api((alice, bob)[number % 2].token)
            answers = [send(person, group) for _ in range(4)]
            return [(answer.status_code, number % 2) for answer in answers]

        with listening(tenant) as frames:
            done = at_once(9, work)
            sent(alice, group, "among ourselves")
        assert done.most_at_once == 9
        messages = [(header, frame["d"]) for header, frame in frames if header["k"] == "message"]
        with_bob = [header["n"] for header, _ in messages if bob.user.id in header["to"]]
        without = [header["n"] for header, _ in messages if bob.user.id not in header["to"]]
        assert without
        assert max(with_bob, default=0) < min(without)
        assert {said["sender"]["userId"] for header, said in messages if header["n"] in without} == {alice.user.id}
        answers = [one for some in done.results for one in some]
        assert {status for status, who in answers if who == 0} == {201}
        assert {status for status, who in answers if who == 1} <= {201, 404}
        assert error(send(bob, group)) == (404, "not_found")


@pytest.mark.commits
class TestValkeyAway:
    @pytest.fixture
    def server(self, tmp_path: Path, settings: Any) -> Iterator[Any]:
        with private_valkey(tmp_path, Profile.DEVELOPMENT) as own:
            settings.REDIS_URL = own.url
            valkey.close()
            yield own
            valkey.close()

    def test_messages_are_sent_changed_and_read_all_the_same(self, server: Any, alice: Api, bob: Api) -> None:
        group = group_of(alice, bob)
        server.stop()
        message = sent(alice, group)
        assert edit(alice, message, "Changed").status_code == 200
        assert [one["content"] for one in page(bob, group)["data"]] == ["Changed"]
