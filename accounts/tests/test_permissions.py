"""``GET /permissions/me``: what the caller may do."""

from typing import Any

import pytest

from accounts.roles import Role
from accounts.tests.people import key_of, queries_of, refusal, somebody
from platform_site.permissions import permissions
from tenancy.models import Tenant
from tests.support import Api, signed_in

READER = ["events.view", "org_settings.view", "profiles.view", "registry.view", "users.view"]
MEMBER = sorted([*READER, "events.write", "registry.edit", "registry.merge", "registry.unlink"])
MANAGER = sorted([*MEMBER, "users.edit", "users.invite", "notifications.send", "action_items.write"])
EVERYTHING = sorted(one.key for one in permissions)


@pytest.fixture
def carol(tenant: Tenant) -> Api:
    """A manager."""
    return somebody(tenant, "carol", Role.MANAGER)


def mine(client: Api) -> dict[str, Any]:
    response = client.get("/permissions/me")
    assert response.status_code == 200, response.content
    return dict(response.json()["data"])


def custom(admin: Api, *numbers: int, name: str = "Own") -> int:
    answer = admin.post("/profiles", {"name": name, "permissions": list(numbers)})
    return int(answer.json()["data"]["id"])


def give(admin: Api, person: Api, profile_id: int) -> None:
    assert admin.call("PATCH", f"/users/{person.user.id}", {"profileId": profile_id}).status_code == 200


class TestRoles:
    def test_an_administrator_has_everything(self, alice: Api) -> None:
        found = mine(alice)
        assert set(found) == {"role", "profile", "permissions", "permissionIds", "version"}
        assert (found["role"], found["profile"]) == ("tenant_admin", {"id": 1, "name": "Administrator"})
        assert found["permissions"] == EVERYTHING
        assert found["permissionIds"] == sorted(one.number for one in permissions)

    def test_also_one_whose_profile_says_less(self, alice: Api) -> None:
        give(alice, alice, 4)
        found = mine(alice)
        assert (found["profile"], found["permissions"]) == ({"id": 4, "name": "Read only"}, EVERYTHING)

    def test_a_manager_has_what_managers_may(self, carol: Api) -> None:
        found = mine(carol)
        assert (found["role"], found["profile"]["name"], found["permissions"]) == ("manager", "Manager", MANAGER)
        numbers = {one.key: one.number for one in permissions}
        assert found["permissionIds"] == sorted(numbers[key] for key in MANAGER)

    def test_a_user_has_what_everybody_may(self, bob: Api) -> None:
        found = mine(bob)
        assert (found["role"], found["profile"]["name"], found["permissions"]) == ("user", "Member", MEMBER)


class TestCut:
    @pytest.mark.parametrize("profile_id", [1, 2])
    def test_a_profile_is_cut_to_what_the_role_may_hold(self, alice: Api, bob: Api, profile_id: int) -> None:
        give(alice, bob, profile_id)
        assert mine(bob)["permissions"] == MEMBER
        # And it is not only said so.
        assert refusal(bob.post("/users", {"email": "a@b.test"})) == (403, "permission_denied")

    def test_a_manager_with_every_permission_in_the_profile_stays_a_manager(self, alice: Api, carol: Api) -> None:
        give(alice, carol, custom(alice, *(one.number for one in permissions)))
        assert mine(carol)["permissions"] == MANAGER
        assert refusal(carol.get("/audit")) == (403, "permission_denied")
        assert refusal(carol.get("/api-keys")) == (403, "permission_denied")

    def test_read_only_takes_what_writes(self, alice: Api, carol: Api) -> None:
        give(alice, carol, 4)
        assert mine(carol)["permissions"] == READER

    def test_an_own_profile_is_all_there_is(self, alice: Api, bob: Api, carol: Api) -> None:
        profile = custom(alice, 1, 2)
        give(alice, carol, profile)
        give(alice, bob, profile)
        assert mine(carol)["profile"] == {"id": profile, "name": "Own"}
        assert mine(carol)["permissions"] == ["users.invite", "users.view"]
        assert mine(bob)["permissions"] == ["users.view"]
        assert refusal(carol.get("/profiles")) == (403, "permission_denied")

    def test_promotion_and_demotion_count_at_once(self, alice: Api, bob: Api) -> None:
        assert mine(bob)["permissions"] == MEMBER
        alice.call("PATCH", f"/users/{bob.user.id}", {"role": "tenant_admin"})
        assert mine(bob)["permissions"] == EVERYTHING
        alice.call("PATCH", f"/users/{bob.user.id}", {"role": "user"})
        assert mine(bob)["permissions"] == MEMBER


class TestETag:
    @pytest.mark.parametrize("seen", ["{}", "W/{}", '"x", {}', "*"])
    def test_what_is_known_is_not_sent_again(self, bob: Api, seen: str) -> None:
        tag = bob.get("/permissions/me")["ETag"]
        assert tag == f'"{mine(bob)["version"]}"'
        again = bob.get("/permissions/me", if_none_match=seen.format(tag))
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        assert again["Cache-Control"] == "no-store"
        # Not an envelope of which somebody only took the text away.
        assert "Content-Type" not in again

    @pytest.mark.parametrize("seen", ['"x"', "x", "", "{}x"])
    def test_what_is_not_is(self, bob: Api, seen: str) -> None:
        version = mine(bob)["version"]
        again = bob.get("/permissions/me", if_none_match=seen.format(version))
        assert (again.status_code, again.json()["data"]["permissions"]) == (200, MEMBER)

    def test_another_role_profile_name_or_right_is_another_version(self, alice: Api, bob: Api) -> None:
        profile = custom(alice, 1)
        changes = [
            (f"/users/{bob.user.id}", {"profileId": profile}),
            (f"/profiles/{profile}", {"permissions": [1, 5]}),
            (f"/profiles/{profile}", {"name": "New name"}),
            (f"/users/{bob.user.id}", {"role": "manager"}),
        ]
        seen = [bob.get("/permissions/me")["ETag"]]
        for path, body in changes:
            assert alice.call("PATCH", path, body).status_code == 200
            again = bob.get("/permissions/me", if_none_match=", ".join(seen))
            assert again.status_code == 200, path
            seen.append(again["ETag"])
        assert len(set(seen)) == 5
        alice.call("PATCH", f"/users/{bob.user.id}", {"firstName": "Robert"})
        assert bob.get("/permissions/me", if_none_match=seen[-1]).status_code == 304

    def test_who_may_not_ask_is_told_so_also_with_a_tag(self, bob: Api, api: Api) -> None:
        tag = bob.get("/permissions/me")["ETag"]
        bob.post("/auth/logout")
        assert refusal(bob.get("/permissions/me", if_none_match=tag)) == (401, "session_revoked")
        assert refusal(api.get("/permissions/me", if_none_match="*")) == (401, "not_authenticated")


class TestWhoMayAsk:
    def test_a_key_has_no_own(self, alice: Api) -> None:
        assert refusal(key_of(alice, "users.view").get("/permissions/me")) == (403, "person_required")

    def test_people_of_two_tenants_see_their_own(self, alice: Api, mallory: Api) -> None:
        ours, theirs = custom(alice, 1, name="Ours"), custom(mallory, 1, name="Theirs")
        assert ours == theirs
        give(alice, alice, ours)
        give(mallory, mallory, theirs)
        assert (mine(alice)["profile"]["name"], mine(mallory)["profile"]["name"]) == ("Ours", "Theirs")

    def test_no_parameters_and_no_writing(self, bob: Api) -> None:
        assert refusal(bob.get("/permissions/me?userId=1")) == (400, "unknown_parameter")
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert refusal(bob.call(method, "/permissions/me", {})) == (405, "method_not_allowed")
        assert bob.get("/permissions/1").status_code == 404

    def test_it_costs_no_query_but_one_for_the_name_of_an_own_profile(
        self, alice: Api, bob: Api, tenant: Tenant
    ) -> None:
        assert queries_of(bob, "/permissions/me") == 0
        somebody(tenant, "dan", Role.USER, profile_id=custom(alice, 1))
        assert queries_of(signed_in(tenant, "dan@acme.test"), "/permissions/me") == 1
