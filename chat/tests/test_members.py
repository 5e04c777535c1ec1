"""``/chat/channels/<id>/members``: who is in a channel, coming and going."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.catalog import USER_ERASED
from accounts.models import User
from accounts.roles import Role
from chat.models import Channel, Member
from chat.tests.support import channel, channels, client, data, direct, error, group, listening, person, say
from platform_site.binding import bind
from platform_site.journal.services import record
from platform_site.outbox.dispatcher import drain
from tests.support import Api, at_once, threads_close_connections, until_somebody_waits


def members(somebody: Api, channel_id: Any, query: str = "") -> list[dict[str, Any]]:
    return list(data(somebody.get(f"/chat/channels/{channel_id}/members{query}")))


def roles(somebody: Api, channel_id: Any) -> dict[int, str]:
    return {one["userId"]: one["role"] for one in members(somebody, channel_id)}


def add(somebody: Api, channel_id: Any, *people: Any) -> Any:
    return somebody.post(f"/chat/channels/{channel_id}/members", {"memberIds": [one.id for one in people]})


def remove(somebody: Api, channel_id: Any, ref: Any) -> Any:
    return somebody.call("DELETE", f"/chat/channels/{channel_id}/members/{ref}")


def leave(somebody: Api, channel_id: Any) -> Any:
    return somebody.post(f"/chat/channels/{channel_id}/leave")


def setting(alice: Api, key: str, value: Any) -> None:
    data(alice.call("PUT", f"/org-settings/{key}", {"value": value}))


class TestList:
    def test_it_says_who_is_in_it_and_how_far_each_has_read(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        say(tenant, bob.user, made)
        first, second = members(alice, made)
        assert (first["userId"], first["role"], first["lastReadSeq"]) == (alice.user.id, "owner", 0)
        assert (second["userId"], second["role"], second["lastReadSeq"]) == (bob.user.id, "member", 1)
        assert second["joinedAt"].endswith("Z")

    def test_it_is_cut_and_says_how_many_there_are(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user, *(person(tenant, f"p{number}") for number in range(3)))["id"]
        first = alice.get(f"/chat/channels/{made}/members?limit=3").json()
        second = alice.get(f"/chat/channels/{made}/members?limit=3&cursor={first['meta']['nextCursor']}").json()
        assert (len(first["data"]), len(second["data"])) == (3, 2)
        assert first["meta"]["memberCount"] == second["meta"]["memberCount"] == 5

    def test_in_large_groups_nobody_sees_how_far_others_have_read(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        with bind(tenant.ref):
            people = [person(tenant, f"p{number}") for number in range(49)]
            row = Channel.objects.get(id=made)
            Member.objects.bulk_create(Member(user=one, channel=row) for one in people[:48])
            assert {one["lastReadSeq"] for one in members(alice, made)} == {0}
            Member.objects.create(user=people[48], channel=row)
        assert {one["lastReadSeq"] for one in members(alice, made)} == {None}

    def test_it_costs_the_same_for_one_and_for_a_hundred(self, alice: Api, bob: Api, tenant: Any) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                members(alice, made, "?limit=200")
            return sum("chat_" in one["sql"] or "accounts_user" in one["sql"] for one in captured)

        made = group(alice, bob.user)["id"]
        members(alice, made)
        few = queries()
        add(alice, made, *(person(tenant, f"p{number}") for number in range(100)))
        assert len(members(alice, made, "?limit=200")) == 102
        assert queries() == few == 3


class TestAdding:
    def test_any_member_lets_people_in_once(self, alice: Api, bob: Api, tenant: Any) -> None:
        carol = person(tenant, "carol")
        made = group(alice, bob.user)["id"]
        added = data(add(bob, made, carol, alice.user, carol))["added"]
        assert [one["userId"] for one in added] == [carol.id]
        assert data(add(bob, made, carol))["added"] == []
        assert roles(alice, made) == {alice.user.id: "owner", bob.user.id: "member", carol.id: "member"}

    def test_nothing_is_unread_for_who_comes_and_all_may_be_read(self, alice: Api, bob: Api, tenant: Any) -> None:
        carol = client(tenant, "carol")
        made = group(alice, bob.user)["id"]
        say(tenant, alice.user, made, "before")
        data(add(alice, made, carol.user))
        seen = channel(carol, made)
        assert (seen["lastSeq"], seen["lastReadSeq"], seen["unreadCount"]) == (1, 1, 0)
        assert seen["lastMessage"]["preview"] == "before"
        say(tenant, alice.user, made, "after")
        assert channel(carol, made)["unreadCount"] == 1

    def test_the_organisation_may_keep_from_them_what_was_said_before(self, alice: Api, bob: Api, tenant: Any) -> None:
        setting(alice, "chat.history_for_new_members", False)
        carol = client(tenant, "carol")
        made = group(alice, bob.user)["id"]
        say(tenant, alice.user, made, "before")
        data(add(alice, made, carol.user))
        assert channel(carol, made)["lastMessage"] is None
        assert channel(bob, made)["lastMessage"]["preview"] == "before"
        say(tenant, alice.user, made, "after")
        assert channel(carol, made)["lastMessage"]["preview"] == "after"

    def test_who_comes_back_is_as_new_in_the_old_row(self, alice: Api, tenant: Any) -> None:
        olga, carol = client(tenant, "olga"), client(tenant, "carol")
        made = group(olga, carol.user)["id"]
        data(carol.call("PATCH", f"/chat/channels/{made}", {"muted": True, "hidden": True}))
        say(tenant, olga.user, made)
        data(leave(carol, made))
        say(tenant, olga.user, made)
        data(add(olga, made, carol.user))
        seen = channel(carol, made)
        assert (seen["lastReadSeq"], seen["unreadCount"], seen["muted"], seen["hidden"]) == (2, 0, False, False)
        with bind(tenant.ref):
            assert Member.objects.filter(channel_id=made, user_id=carol.user.id).count() == 1

    def test_one_who_is_not_here_or_not_active_and_nobody_comes(
        self, alice: Api, bob: Api, mallory: Api, tenant: Any
    ) -> None:
        carol, gone = person(tenant, "carol"), person(tenant, "dave", status=User.Status.INACTIVE)
        made = group(alice, bob.user)["id"]
        refs = [carol.id, gone.id, str(mallory.user.uuid)]
        answer = alice.post(f"/chat/channels/{made}/members", {"memberIds": refs})
        assert error(answer) == (422, "invalid_members")
        assert answer.json()["error"]["context"] == {"invalidMemberIds": refs[1:]}
        assert len(members(alice, made)) == 2

    def test_nobody_comes_into_what_is_archived_full_or_of_two(self, alice: Api, bob: Api, tenant: Any) -> None:
        carol = person(tenant, "carol")
        made = group(alice, bob.user)["id"]
        setting(alice, "chat.max_group_members", 2)
        assert error(add(alice, made, carol)) == (422, "too_many_members")
        # Who is in it takes no more room.
        assert data(add(alice, made, bob.user))["added"] == []
        data(alice.call("PATCH", f"/chat/channels/{made}", {"archived": True}))
        assert error(add(alice, made, carol)) == (422, "channel_archived")
        assert error(add(alice, direct(alice, bob.user)["id"], carol)) == (422, "not_a_group")

    @pytest.mark.commits
    def test_a_group_is_not_overfilled_by_many_at_once(self, alice: Api, bob: Api, tenant: Any) -> None:
        setting(alice, "chat.max_group_members", 5)
        people = [person(tenant, f"p{number}") for number in range(8)]
        made = group(alice, bob.user)["id"]
        done = at_once(8, lambda number: add(Api(token=alice.token), made, people[number]).status_code)
        assert done.most_at_once > 1
        assert sorted(done.results) == [200] * 3 + [422] * 5
        assert len(members(alice, made)) == 5

    @pytest.mark.commits
    def test_those_who_come_and_those_who_are_there_are_told(self, alice: Api, bob: Api, tenant: Any) -> None:
        carol = client(tenant, "carol")
        made = group(alice, bob.user)["id"]
        say(tenant, alice.user, made)
        with listening(tenant) as frames:
            data(add(alice, made, carol.user))
            data(add(alice, made, carol.user))
        (to_carol, added), (to_others, updated) = frames
        assert to_carol == {"k": "plain", "to": [carol.user.id], "c": made, "n": 1, "t": to_carol["t"]}
        assert (added["t"], added["seq"], added["ch"], added["d"]) == ("channel.added", 1, 0, channel(carol, made))
        assert (to_others["to"], updated["t"]) == ([alice.user.id, bob.user.id], "channel.updated")
        assert updated["d"]["memberCount"] == 3
        assert [one["userId"] for one in updated["d"]["added"]] == [carol.user.id]
        entries = [one for one in data(alice.get("/audit")) if one["key"] == "chat.member_added"]
        assert [one["data"] for one in entries] == [{"memberIds": [str(carol.user.uuid)]}]


class TestGoing:
    def test_who_leaves_sees_it_no_more(self, alice: Api, bob: Api) -> None:
        made = group(alice, bob.user)["id"]
        assert data(leave(bob, made)) == {"channelId": made, "left": True}
        assert channels(bob) == []
        assert error(bob.get(f"/chat/channels/{made}")) == (404, "not_found")
        assert error(leave(bob, made)) == (404, "not_found")
        assert channel(alice, made)["memberCount"] == 1

    def test_when_the_last_owner_goes_it_is_theirs_who_were_there_longest(self, alice: Api, tenant: Any) -> None:
        olga, carol, dave = client(tenant, "olga"), client(tenant, "carol"), client(tenant, "dave")
        inactive = person(tenant, "gone")
        made = group(olga, inactive)["id"]
        data(add(olga, made, dave.user))
        data(add(olga, made, carol.user))
        with bind(tenant.ref):
            User.objects.filter(id=inactive.id).update(status=User.Status.INACTIVE)
        data(leave(olga, made))
        assert roles(carol, made) == {carol.user.id: "member", dave.user.id: "owner", inactive.id: "member"}
        data(add(dave, made, olga.user))
        assert roles(carol, made)[olga.user.id] == "member"

    def test_who_leaves_as_the_last_one_leaves_nobody_behind(self, alice: Api, bob: Api) -> None:
        made = group(alice, bob.user)["id"]
        for somebody in (alice, bob):
            data(leave(somebody, made))
        assert error(alice.get(f"/chat/channels/{made}")) == (404, "not_found")

    @pytest.mark.parametrize("by", ["id", "uuid"])
    def test_the_owner_takes_somebody_out(self, bob: Api, tenant: Any, by: str) -> None:
        carol = client(tenant, "carol")
        made = group(bob, carol.user)["id"]
        gone = data(remove(bob, made, getattr(carol.user, by)))
        assert gone == {"channelId": made, "id": str(carol.user.uuid), "userId": carol.user.id, "removed": True}
        assert channels(carol) == []
        assert error(remove(bob, made, carol.user.id)) == (404, "not_found")

    def test_a_manager_in_it_may_and_a_plain_member_may_not(self, alice: Api, tenant: Any) -> None:
        owner, manager, plain = client(tenant, "olga"), client(tenant, "mona", Role.MANAGER), client(tenant, "paul")
        made = group(owner, manager.user, plain.user)["id"]
        assert error(remove(plain, made, manager.user.id)) == (403, "permission_denied")
        assert error(remove(alice, made, plain.user.id)) == (404, "not_found")
        data(remove(manager, made, owner.user.id))
        assert roles(manager, made) == {manager.user.id: "owner", plain.user.id: "member"}

    def test_taking_oneself_out_is_leaving(self, alice: Api, bob: Api) -> None:
        made = group(alice, bob.user)["id"]
        data(remove(bob, made, bob.user.id))
        assert list(roles(alice, made)) == [alice.user.id]

    def test_nobody_leaves_a_channel_of_two(self, alice: Api, bob: Api) -> None:
        made = direct(alice, bob.user)["id"]
        assert error(leave(alice, made)) == (422, "not_a_group")
        assert error(remove(alice, made, bob.user.id)) == (422, "not_a_group")

    def test_who_is_not_in_it_cannot_be_taken_out(self, alice: Api, bob: Api, mallory: Api, tenant: Any) -> None:
        carol = person(tenant, "carol")
        made = group(alice, bob.user)["id"]
        for ref in (carol.id, 999_999, 10**17, mallory.user.uuid):
            assert error(remove(alice, made, ref)) == (404, "not_found")

    @pytest.mark.commits
    def test_of_two_owners_to_be_who_leave_at_once_one_group_keeps_an_owner(
        self, alice: Api, bob: Api, tenant: Any
    ) -> None:
        people = [alice, bob, *(client(tenant, f"p{number}") for number in range(4))]
        made = group(alice, *(one.user for one in people[1:]))["id"]
        done = at_once(5, lambda number: leave(Api(token=people[number].token), made).status_code)
        assert (done.results, done.most_at_once > 1) == ([200] * 5, True)
        assert roles(people[5], made) == {people[5].user.id: "owner"}

    @pytest.mark.commits
    @pytest.mark.parametrize("what", ["add", "remove", "leave"])
    def test_who_comes_and_who_goes_is_decided_behind_the_sender(
        self, alice: Api, bob: Api, tenant: Any, what: str
    ) -> None:
        """Sending locks the channel's row; so do these, and a message goes to those who are members at its number."""
        carol = person(tenant, "carol")
        made = group(alice, bob.user)["id"]
        act = {
            "add": lambda api: add(api, made, carol),
            "remove": lambda api: remove(api, made, bob.user.id),
            "leave": lambda api: leave(api, made),
        }[what]

        def work() -> int:
            with threads_close_connections():
                return int(act(Api(token=alice.token)).status_code)

        with ThreadPoolExecutor(1) as pool:
            with bind(tenant.ref), transaction.atomic():
                # As an update locks it.
                Channel.objects.select_for_update(no_key=True).get(id=made)
                answer = pool.submit(work)
                until_somebody_waits()
                assert not answer.done()
            assert answer.result(10) == 200

    @pytest.mark.commits
    def test_who_goes_and_those_who_stay_are_told(self, alice: Api, bob: Api, tenant: Any) -> None:
        made = group(alice, bob.user)["id"]
        with listening(tenant) as frames:
            data(remove(alice, made, bob.user.id))
        assert [(header["to"], frame["t"], frame.get("d")) for header, frame in frames] == [
            ([bob.user.id], "channel.removed", None),
            (
                [alice.user.id],
                "channel.updated",
                {"removed": [{"id": str(bob.user.uuid), "userId": bob.user.id}], "memberCount": 1},
            ),
        ]
        (entry,) = [one for one in data(alice.get("/audit")) if one["key"] == "chat.member_removed"]
        assert entry["data"] == {"memberId": str(bob.user.uuid)}

    @pytest.mark.commits
    def test_who_is_deleted_for_good_is_in_no_group(self, alice: Api, bob: Api, tenant: Any) -> None:
        olga = person(tenant, "olga")
        with bind(tenant.ref):
            row = Channel.objects.create(kind="group", name="A", created_by=olga)
            Member.objects.create(channel=row, user=olga, role="owner")
            Member.objects.create(channel=row, user=bob.user)
        made = direct(bob, olga)["id"]
        with bind(tenant.ref), transaction.atomic():
            User.objects.filter(id=olga.id).update(status=User.Status.ERASED)
            record(USER_ERASED, subject=("user", olga.uuid))
        drain()
        assert roles(bob, row.id) == {bob.user.id: "owner"}
        assert channel(bob, made)["memberCount"] == 2
