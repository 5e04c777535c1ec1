"""``/chat/channels``: the list, channels of two, groups, and changing one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from chat.models import Channel, DirectPair, Member, Message
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
from tests.support import Api, at_once, scaled

THREADS = 32


def set_status(somebody: Any, tenant: Any, status: User.Status) -> None:
    with bind(tenant.ref):
        User.objects.filter(id=somebody.id).update(status=status)


def setting(alice: Api, key: str, value: Any) -> None:
    data(alice.call("PUT", f"/org-settings/{key}", {"value": value}))


class TestDirect:
    def test_two_people_have_one_whoever_asks(self, alice: Api, bob: Api) -> None:
        made = direct(alice, bob.user)
        assert (made["type"], made["created"], made["role"], made["canPost"]) == ("direct", True, "member", True)
        again = direct(bob, alice.user, status=200)
        assert (again["id"], again["created"]) == (made["id"], False)

    def test_each_sees_the_other_by_name(self, alice: Api, bob: Api) -> None:
        made = direct(alice, bob.user)
        assert made["name"] == "Bob"
        assert made["otherUser"] == {
            "id": str(bob.user.uuid), "userId": bob.user.id, "displayName": "Bob", "avatarUrl": None, "active": True,
        }  # fmt: skip
        assert channel(bob, made["id"])["name"] == "Alice"
        assert made["memberCount"] == 2
        assert [one["userId"] for one in made["members"]] == sorted([alice.user.id, bob.user.id])

    def test_a_person_is_named_by_number_or_uuid(self, alice: Api, bob: Api) -> None:
        first = data(alice.post("/chat/channels/direct", {"userId": str(bob.user.uuid)}), 201)
        assert direct(alice, bob.user, status=200)["id"] == first["id"]

    def test_the_answer_says_where_it_is(self, alice: Api, bob: Api) -> None:
        answer = alice.post("/chat/channels/direct", {"userId": bob.user.id})
        assert answer["Location"] == f"/api/v1/chat/channels/{data(answer, 201)['id']}"

    @pytest.mark.parametrize("ref", [999_999, UNKNOWN])
    def test_nobody_is_not_found(self, alice: Api, ref: Any) -> None:
        assert error(alice.post("/chat/channels/direct", {"userId": ref})) == (404, "user_not_found")

    def test_somebody_of_another_tenant_is_nobody(self, alice: Api, mallory: Api) -> None:
        there = alice.post("/chat/channels/direct", {"userId": str(mallory.user.uuid)}).json()["error"]
        nowhere = alice.post("/chat/channels/direct", {"userId": UNKNOWN}).json()["error"]
        assert {**there, "requestId": ""} == {**nowhere, "requestId": ""}

    @pytest.mark.parametrize("ref", [0, -1, 2**31, "5", "x" * 36, True, None, 1.5, [1], {}])
    def test_what_names_nobody_is_refused(self, alice: Api, ref: Any) -> None:
        assert error(alice.post("/chat/channels/direct", {"userId": ref})) == (400, "validation_failed")

    def test_nobody_writes_to_oneself(self, alice: Api) -> None:
        assert error(alice.post("/chat/channels/direct", {"userId": alice.user.id})) == (422, "cannot_message_self")

    @pytest.mark.parametrize("status", [User.Status.INACTIVE, User.Status.PENDING])
    def test_somebody_who_is_not_active_gets_no_new_one(self, alice: Api, tenant: Any, status: User.Status) -> None:
        gone = person(tenant, "carol", status=status)
        assert error(alice.post("/chat/channels/direct", {"userId": gone.id})) == (422, "user_inactive")
        with bind(tenant.ref):
            assert not Channel.objects.exists()

    def test_somebody_who_was_deleted_gets_none_either(self, alice: Api, tenant: Any) -> None:
        gone = person(tenant, "carol", status=User.Status.ERASED)
        assert error(alice.post("/chat/channels/direct", {"userId": gone.id})) == (404, "user_not_found")

    def test_an_old_one_stays_readable_when_the_other_is_gone(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = direct(alice, bob.user)
        set_status(bob.user, tenant, User.Status.INACTIVE)
        again = direct(alice, bob.user, status=200)
        assert (again["id"], again["canPost"], again["otherUser"]["active"]) == (made["id"], False, False)
        set_status(bob.user, tenant, User.Status.ERASED)
        erased = channel(alice, made["id"])
        assert (erased["name"], erased["canPost"]) == (f"Deleted user {bob.user.id}", False)

    def test_opening_it_brings_it_back_for_the_caller_alone(self, alice: Api, bob: Api) -> None:
        made = direct(alice, bob.user)
        for somebody in (alice, bob):
            data(somebody.call("PATCH", f"/chat/channels/{made['id']}", {"hidden": True}))
        direct(alice, bob.user, status=200)
        assert [one["id"] for one in channels(alice)] == [made["id"]]
        assert channels(bob) == []
        assert [one["hidden"] for one in channels(bob, "?includeHidden=true")] == [True]

    @pytest.mark.commits
    def test_of_many_at_once_in_both_directions_one_makes_it(self, alice: Api, bob: Api) -> None:
        def work(number: int) -> tuple[int, str]:
            me, other = (alice, bob) if number % 2 else (bob, alice)
            answer = Api(token=me.token).post("/chat/channels/direct", {"userId": other.user.id})
            return answer.status_code, answer.json()["data"]["id"]

        for _ in range(scaled(1, 20)):
            done = at_once(THREADS, work)
            assert done.most_at_once > THREADS // 2
            assert sorted(status for status, _ in done.results) == [200] * (THREADS - 1) + [201]
            assert len({channel_id for _, channel_id in done.results}) == 1
            with bind(alice.tenant.ref):
                assert (Channel.objects.count(), DirectPair.objects.count(), Member.objects.count()) == (1, 1, 2)
                Channel.objects.all().delete()

    @pytest.mark.commits
    def test_both_are_told_each_with_the_other_s_name(self, alice: Api, bob: Api) -> None:
        with listening(alice.tenant) as frames:
            made = direct(alice, bob.user)
            direct(alice, bob.user, status=200)
        assert len(frames) == 2
        for header, frame in frames:
            (to,) = header["to"]
            me, other = (alice, bob) if to == alice.user.id else (bob, alice)
            assert (header["k"], header["c"]) == ("plain", made["id"])
            assert (frame["t"], frame["c"], frame["seq"], frame["ch"]) == ("channel.added", made["id"], 0, 0)
            assert frame["d"] == channel(me, made["id"])
            assert frame["d"]["otherUser"]["userId"] == other.user.id


class TestGroup:
    def test_the_caller_owns_it_and_is_in_it(self, alice: Api, bob: Api, tenant: Any) -> None:
        carol = person(tenant, "carol")
        made = group(alice, bob.user, carol, bob.user, alice.user)
        assert (made["type"], made["name"], made["role"]) == ("group", "Project Alpha", "owner")
        assert (made["memberCount"], made["otherUser"], made["lastMessage"]) == (3, None, None)
        assert [one["userId"] for one in made["members"]] == [alice.user.id, bob.user.id, carol.id]
        assert channel(bob, made["id"])["role"] == "member"

    def test_members_are_named_by_number_or_uuid(self, alice: Api, bob: Api, tenant: Any) -> None:
        carol = person(tenant, "carol")
        body = {"name": "A", "memberIds": [bob.user.id, str(bob.user.uuid), str(carol.uuid)]}
        assert data(alice.post("/chat/channels/group", body), 201)["memberCount"] == 3

    def test_one_who_is_not_here_or_not_active_and_nothing_is_made(
        self, alice: Api, bob: Api, mallory: Api, tenant: Any
    ) -> None:
        gone = person(tenant, "carol", status=User.Status.INACTIVE)
        invalid = [999_999, gone.id, str(mallory.user.uuid)]
        answer = alice.post("/chat/channels/group", {"name": "A", "memberIds": [bob.user.id, *invalid]})
        assert error(answer) == (422, "invalid_members")
        assert answer.json()["error"]["context"] == {"invalidMemberIds": invalid}
        with bind(tenant.ref):
            assert not Channel.objects.exists()
            assert not Member.objects.exists()

    def test_a_group_of_oneself_is_none(self, alice: Api) -> None:
        body = {"name": "A", "memberIds": [alice.user.id]}
        assert error(alice.post("/chat/channels/group", body)) == (422, "invalid_members")

    @pytest.mark.parametrize(
        "body",
        [
            {"name": "A"},
            {"memberIds": [2]},
            {"name": "A", "memberIds": []},
            {"name": "", "memberIds": [2]},
            {"name": "   ", "memberIds": [2]},
            {"name": "x" * 101, "memberIds": [2]},
            {"name": 5, "memberIds": [2]},
            {"name": "a\nb", "memberIds": [2]},
            {"name": "A", "memberIds": 2},
            {"name": "A", "memberIds": ["2"]},
            {"name": "A", "memberIds": [2] * 501},
            {"name": "A", "memberIds": [2], "archived": True},
        ],
    )
    def test_a_body_that_makes_no_sense_is_refused(self, alice: Api, body: Any) -> None:
        assert error(alice.post("/chat/channels/group", body)) == (400, "validation_failed")

    @pytest.mark.parametrize("character", [b"\\ud800", b"\\u0000"])
    def test_half_a_character_and_none_are_no_text(self, alice: Api, character: bytes) -> None:
        body = b'{"name": "a' + character + b'", "memberIds": [2]}'
        assert error(alice.call("POST", "/chat/channels/group", body)) == (400, "malformed_json")

    def test_a_name_is_trimmed_and_may_have_a_hundred_characters(self, alice: Api, bob: Api) -> None:
        assert group(alice, bob.user, name=f"  {'🎉' * 100} ")["name"] == "🎉" * 100

    def test_two_groups_may_have_one_name(self, alice: Api, bob: Api) -> None:
        assert group(alice, bob.user)["id"] != group(alice, bob.user)["id"]

    def test_the_same_key_makes_one(self, alice: Api, bob: Api) -> None:
        body = {"name": "A", "memberIds": [bob.user.id]}
        first, again = (alice.post("/chat/channels/group", body, idempotency_key="k1") for _ in range(2))
        assert data(first, 201) == data(again, 201)
        assert again["Idempotency-Replayed"] == "true"
        assert len(channels(alice)) == 1

    def test_the_organisation_says_how_many_may_be_in_one(self, alice: Api, bob: Api, tenant: Any) -> None:
        setting(alice, "chat.max_group_members", 2)
        group(alice, bob.user)
        body = {"name": "A", "memberIds": [bob.user.id, person(tenant, "carol").id]}
        answer = alice.post("/chat/channels/group", body)
        assert error(answer) == (422, "too_many_members")
        assert answer.json()["error"]["context"] == {"maxMembers": 2}

    def test_nobody_says_anything_where_nobody_would_read_it(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        set_status(bob.user, tenant, User.Status.INACTIVE)
        assert channel(alice, made)["canPost"] is False
        body = {"content": "Hello?"}
        assert error(alice.post(f"/chat/channels/{made}/messages", body)) == (422, "recipient_inactive")
        data(alice.call("DELETE", f"/chat/channels/{made}/members/{bob.user.id}"))
        # Alone, one keeps notes.
        assert channel(alice, made)["canPost"] is True
        assert alice.post(f"/chat/channels/{made}/messages", body).status_code == 201

    @pytest.mark.commits
    def test_everybody_in_it_is_told_and_the_journal_has_ids_only(self, alice: Api, bob: Api, tenant: Any) -> None:
        carol = person(tenant, "carol")
        with listening(tenant) as frames:
            made = group(alice, bob.user, carol, name="Secret plan")
        told = {tuple(header["to"]): frame for header, frame in frames}
        assert set(told) == {(alice.user.id,), (bob.user.id, carol.id)}
        assert told[alice.user.id,]["d"] == channel(alice, made["id"])
        assert told[bob.user.id, carol.id]["d"] == channel(bob, made["id"])
        (entry,) = [one for one in data(alice.get("/audit")) if one["key"].startswith("chat.")]
        assert (entry["key"], entry["subject"]["id"]) == ("chat.group_created", made["id"])
        assert entry["data"] == {"memberIds": [str(bob.user.uuid), str(carol.uuid)]}
        assert "Secret" not in str(entry)


class TestList:
    def test_the_last_active_comes_first(self, alice: Api, bob: Api, tenant: Any) -> None:
        first, second, third = (group(alice, bob.user, name=name)["id"] for name in "abc")
        assert [one["id"] for one in channels(alice)] == [third, second, first]
        say(tenant, bob.user, first)
        assert [one["id"] for one in channels(alice)] == [first, third, second]

    def test_it_says_what_was_said_last_in_one_line(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        say(tenant, alice.user, made, "first")
        seq = say(tenant, bob.user, made, "  Hello\n\n team!\t" + "é" * 200)
        (one,) = channels(alice)
        assert one["lastMessage"]["preview"] == "Hello team! " + "é" * 128
        assert len(one["lastMessage"]["preview"]) == 140
        assert (one["lastSeq"], one["lastMessage"]["seq"], one["lastMessage"]["deleted"]) == (2, seq, False)
        assert one["lastMessage"]["id"] == str(message_id(tenant, made, seq))
        assert one["lastMessage"]["sender"]["userId"] == bob.user.id

    def test_of_a_deleted_message_nothing_is_left_to_read(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        delete(tenant, made, say(tenant, bob.user, made, "secret"))
        (one,) = channels(alice)
        assert (one["lastMessage"]["preview"], one["lastMessage"]["deleted"]) == ("", True)
        assert (one["lastSeq"], one["unreadCount"]) == (1, 0)

    def test_who_was_deleted_is_nobody_and_a_purged_message_is_none(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        seq = say(tenant, bob.user, made)
        set_status(bob.user, tenant, User.Status.ERASED)
        assert channels(alice)[0]["lastMessage"]["sender"] is None
        with bind(tenant.ref):
            Message.objects.all().delete()
            Channel.objects.update(purged_seq=seq)
        (one,) = channels(alice)
        assert (one["lastMessage"], one["lastSeq"], one["unreadCount"]) == (None, 1, 0)

    def test_it_shows_the_first_five_and_counts_all(self, alice: Api, bob: Api, tenant: Any) -> None:
        more = [person(tenant, f"p{number}") for number in range(6)]
        made = group(alice, bob.user, *more)
        assert made["memberCount"] == 8
        assert [one["userId"] for one in made["members"]] == sorted(
            [alice.user.id, bob.user.id, *(one.id for one in more)]
        )[:5]

    def test_what_was_put_away_or_archived_is_asked_for(self, alice: Api, bob: Api) -> None:
        shown, hidden, archived = (group(alice, bob.user, name=name)["id"] for name in "abc")
        data(alice.call("PATCH", f"/chat/channels/{hidden}", {"hidden": True}))
        data(alice.call("PATCH", f"/chat/channels/{archived}", {"archived": True}))
        assert [one["id"] for one in channels(alice)] == [shown]
        assert [one["id"] for one in channels(alice, "?includeHidden=true")] == [hidden, shown]
        assert [one["id"] for one in channels(alice, "?archived=true")] == [archived]
        assert [one["id"] for one in channels(alice, "?archived=false&includeHidden=false")] == [shown]

    def test_nobody_sees_what_one_is_not_in(self, alice: Api, bob: Api, mallory: Api, tenant: Any) -> None:
        carol, dave = client(tenant, "carol"), person(tenant, "dave")
        made = group(carol, dave)["id"]
        for other in (alice, mallory):
            assert channels(other) == []
            for method, path, body in (
                ("GET", "", None),
                ("PATCH", "", {"name": "Mine"}),
                ("PATCH", "", {"hidden": True}),
                ("GET", "/members", None),
                ("POST", "/members", {"memberIds": [other.user.id]}),
                ("DELETE", f"/members/{dave.id}", None),
                ("POST", "/leave", None),
                ("POST", "/read", None),
            ):
                answer = other.call(method, f"/chat/channels/{made}{path}", body)
                nothing = other.call(method, f"/chat/channels/{UNKNOWN}{path}", body)
                assert error(answer) == error(nothing) == (404, "not_found"), (method, path)

    @pytest.mark.parametrize("name", ["1", "x", f"{UNKNOWN}0", "%00"])
    def test_what_is_no_id_is_no_path(self, alice: Api, name: str) -> None:
        assert alice.get(f"/chat/channels/{name}").status_code == 404

    def test_pages_hold_together_while_channels_move(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = [group(alice, bob.user, name=f"g{number}")["id"] for number in range(5)]
        answer = alice.get("/chat/channels?limit=2").json()
        assert [one["id"] for one in answer["data"]] == [made[4], made[3]]
        say(tenant, bob.user, made[0])
        following = alice.get(f"/chat/channels?limit=2&cursor={answer['meta']['nextCursor']}").json()
        assert [one["id"] for one in following["data"]] == [made[2], made[1]]
        assert following["meta"]["nextCursor"] is None
        assert following["meta"]["unreadCount"] == 1
        back = alice.get(f"/chat/channels?limit=2&cursor={following['meta']['prevCursor']}").json()
        assert [one["id"] for one in back["data"]] == [made[4], made[3]]

    def test_two_of_one_moment_share_no_place(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = {group(alice, bob.user, name=f"g{number}")["id"] for number in range(5)}
        with bind(tenant.ref):
            Channel.objects.update(last_message_at=timezone.now())
        seen, cursor = [], ""
        while True:
            answer = alice.get(f"/chat/channels?limit=1{cursor}").json()
            seen += [one["id"] for one in answer["data"]]
            if answer["meta"]["nextCursor"] is None:
                break
            cursor = f"&cursor={answer['meta']['nextCursor']}"
        assert (len(seen), set(seen)) == (5, made)

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("limit=0", "validation_failed"),
            ("limit=201", "validation_failed"),
            ("includeHidden=1", "validation_failed"),
            ("archived=", "validation_failed"),
            ("cursor=x", "invalid_cursor"),
            ("page=2", "unknown_parameter"),
        ],
    )
    def test_a_query_that_makes_no_sense_is_refused(self, bob: Api, query: str, code: str) -> None:
        assert error(bob.get(f"/chat/channels?{query}")) == (400, code)

    def test_a_cursor_of_another_tenant_is_refused(self, alice: Api, bob: Api, mallory: Api) -> None:
        for name in "ab":
            group(alice, bob.user, name=name)
        cursor = alice.get("/chat/channels?limit=1").json()["meta"]["nextCursor"]
        assert error(mallory.get(f"/chat/channels?cursor={cursor}")) == (400, "invalid_cursor")

    def test_it_costs_the_same_for_one_and_for_a_hundred(self, alice: Api, bob: Api, tenant: Any) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                channels(alice)
            return sum('"chat_' in one["sql"] or " chat_" in one["sql"] for one in captured)

        first = group(alice, bob.user)["id"]
        say(tenant, bob.user, first, mentioned=(alice.user.id,))
        channels(alice)
        few = queries()
        with bind(tenant.ref):
            people = [person(tenant, f"p{number}") for number in range(5)]
            rows = [Channel(kind="group", name=f"c{number}", created_by=bob.user, last_seq=1) for number in range(99)]
            Channel.objects.bulk_create(rows)
            Member.objects.bulk_create(
                Member(user=somebody, channel=row) for row in rows for somebody in (alice.user, bob.user, *people)
            )
            Message.objects.bulk_create(Message(channel=row, seq=1, sender=bob.user, content="x") for row in rows)
        many = channels(alice)
        assert (len(many), sum(one["lastMessage"] is not None for one in many)) == (100, 100)
        # Places with their channels, last messages, members, and the total.
        assert queries() == few == 4

    def test_no_index_has_what_every_message_changes(self, in_tenant: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexdef FROM pg_indexes WHERE tablename = 'chat_channel' AND schemaname = current_schema()"
            )
            found = [row[0] for row in cursor.fetchall()]
        assert found
        assert not [one for one in found if "last_seq" in one or "last_message_at" in one or "change_seq" in one]


class TestChange:
    @pytest.mark.parametrize("method", ["PATCH", "PUT"])
    def test_an_owner_names_and_archives_it(self, bob: Api, alice: Api, method: str) -> None:
        made = group(bob, alice.user)["id"]
        changed = data(bob.call(method, f"/chat/channels/{made}", {"name": " Beta ", "archived": True}))
        assert (changed["name"], changed["archived"], changed["canPost"]) == ("Beta", True, False)
        back = data(bob.call(method, f"/chat/channels/{made}", {"archived": False}))
        assert (back["name"], back["archived"], back["canPost"]) == ("Beta", False, True)

    @pytest.mark.parametrize("change", [{"name": "Beta"}, {"archived": True}])
    def test_a_manager_in_it_may_and_a_plain_member_may_not(self, alice: Api, tenant: Any, change: Any) -> None:
        owner, manager, plain = (
            client(tenant, "olga"),
            client(tenant, "mona", Role.MANAGER),
            client(tenant, "paul"),
        )
        made = group(owner, manager.user, plain.user)["id"]
        assert error(plain.call("PATCH", f"/chat/channels/{made}", change)) == (403, "permission_denied")
        data(manager.call("PATCH", f"/chat/channels/{made}", change))
        # An administrator who is not in it does not know of it.
        assert error(alice.call("PATCH", f"/chat/channels/{made}", change)) == (404, "not_found")

    def test_what_is_refused_changes_nothing(self, alice: Api, tenant: Any) -> None:
        owner, plain = client(tenant, "olga"), client(tenant, "paul")
        made = group(owner, plain.user)["id"]
        assert plain.call("PATCH", f"/chat/channels/{made}", {"muted": True, "name": "Beta"}).status_code == 403
        seen = channel(plain, made)
        assert (seen["muted"], seen["name"]) == (False, "Project Alpha")

    @pytest.mark.parametrize("change", [{"name": "Beta"}, {"archived": True}])
    def test_a_channel_of_two_has_no_name_and_is_not_archived(self, alice: Api, bob: Api, change: Any) -> None:
        made = direct(alice, bob.user)["id"]
        assert error(alice.call("PATCH", f"/chat/channels/{made}", change)) == (422, "not_a_group")

    @pytest.mark.parametrize(
        ("changes", "muted", "until"),
        [
            ([{"muted": True}], True, None),
            ([{"mutedUntil": "2099-01-01T00:00:00Z"}], True, "2099-01-01T00:00:00.000Z"),
            ([{"muted": True, "mutedUntil": "2099-01-01T01:00:00+01:00"}], True, "2099-01-01T00:00:00.000Z"),
            ([{"mutedUntil": "2099-01-01T00:00:00Z"}, {"muted": True}], True, None),
            ([{"mutedUntil": "2099-01-01T00:00:00Z"}, {"hidden": True}], True, "2099-01-01T00:00:00.000Z"),
            ([{"muted": True}, {"muted": False}], False, None),
            ([{"muted": True}, {"muted": False, "mutedUntil": None}], False, None),
            ([{"mutedUntil": "2020-01-01T00:00:00Z"}], False, None),
            ([{"muted": True, "mutedUntil": "9999-12-31T23:59:59Z"}], True, None),
        ],
    )
    def test_one_mutes_it_for_oneself(
        self, alice: Api, bob: Api, changes: list[Any], muted: bool, until: str | None
    ) -> None:
        made = group(alice, bob.user)["id"]
        for change in changes:
            seen = data(bob.call("PATCH", f"/chat/channels/{made}", change))
        assert (seen["muted"], seen["mutedUntil"]) == (muted, until)
        assert channel(alice, made)["muted"] is False

    @pytest.mark.parametrize(
        "body",
        [{"muted": "yes"}, {"mutedUntil": "tomorrow"}, {"mutedUntil": "2099-01-01"}, {"name": None}, {"role": 1}],
    )
    def test_a_change_that_makes_no_sense_is_refused(self, alice: Api, bob: Api, body: Any) -> None:
        made = group(alice, bob.user)["id"]
        assert error(alice.call("PATCH", f"/chat/channels/{made}", body)) == (400, "validation_failed")

    @pytest.mark.commits
    def test_what_is_everybody_s_is_told_to_all_and_what_is_one_s_own_to_oneself(self, alice: Api, bob: Api) -> None:
        made = group(alice, bob.user)["id"]
        with listening(alice.tenant) as frames:
            for change in ({"name": "Beta"}, {"archived": True}, {"hidden": True}):
                for _ in range(2):
                    data(alice.call("PATCH", f"/chat/channels/{made}", change))
        both, own = [alice.user.id, bob.user.id], [alice.user.id]
        assert [(header["to"], frame["t"], frame["d"]) for header, frame in frames] == [
            (both, "channel.updated", {"name": "Beta"}),
            (both, "channel.updated", {"archived": True}),
            (own, "channel.updated", {"muted": False, "mutedUntil": None, "hidden": True}),
        ]
        keys = [one["key"] for one in data(alice.get("/audit")) if one["key"].startswith("chat.")]
        assert keys == ["chat.channel_archived", "chat.channel_renamed", "chat.group_created"]
