"""Who may do what to whom: nobody lifts oneself or anybody above oneself, and somebody is always left to help."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from accounts.roles import Role
from accounts.seats import SeatAllowance, SeatRule, seat_rules
from accounts.services.administrators import keep_an_administrator
from accounts.services.people import UserChanges, user_create, user_deactivate, user_update
from accounts.tests.mailed_links import reset_token
from accounts.tests.people import complaints, identity, journal, refusal, somebody, user_again
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.permissions import permissions
from tenancy.models import Tenant
from tests.support import Api, signed_in

NO_ID = "0193a5c2-7d1e-7000-8000-000000000000"
SMUGGLED: list[dict[str, Any]] = [
    {"id": NO_ID},
    {"uuid": NO_ID},
    {"userId": 1},
    {"tenantId": NO_ID},
    {"tenantSlug": "globex"},
    {"tenant": {"id": NO_ID}},
    {"password": "quite another sentence"},
    {"emailVerified": True},
    {"isSuperuser": True},
    {"isStaff": True},
    {"permissions": [1, 2, 3]},
    {"profile": {"id": 1}},
    {"profile_id": 1},
    {"first_name": "X"},
    {"Role": "tenant_admin"},
    {"role ": "tenant_admin"},
    {"user": {"role": "tenant_admin"}},
    {"__class__": "x"},
]
# A role that is none, however it is written.
ODD_ROLES: list[Any] = [
    "TENANT_ADMIN",
    " tenant_admin",
    "tenant_admin\u200b",
    "owner",
    "",
    None,
    1,
    True,
    ["tenant_admin"],
]


@pytest.fixture
def carol(tenant: Tenant) -> Api:
    """A manager."""
    return somebody(tenant, "carol", Role.MANAGER)


@pytest.fixture
def dora(tenant: Tenant) -> Api:
    """A second administrator."""
    return somebody(tenant, "dora", Role.TENANT_ADMIN)


@pytest.fixture
def allowance() -> Iterator[dict[str, Any]]:
    """What the plan allows, as billing would say it."""
    plan: dict[str, Any] = {"limit": None, "may_exceed": False}
    seat_rules.add(SeatRule("tests", lambda _: SeatAllowance(**plan)))
    yield plan
    del seat_rules._entries["tests"]


def change(client: Api, person: Api, **body: Any) -> Any:
    return client.call("PATCH", f"/users/{person.user.id}", body)


def own_profile(admin: Api, name: str, *numbers: int) -> int:
    answer = admin.post("/profiles", {"name": name, "permissions": list(numbers)})
    return int(answer.json()["data"]["id"])


def standing(person: Api) -> tuple[str, int, str]:
    """Role, profile and state as they are stored."""
    user = user_again(person)
    return str(user.role), user.profile_id, str(user.status)


class TestSmuggling:
    @pytest.mark.parametrize("method", ["PATCH", "PUT"])
    @pytest.mark.parametrize("smuggled", SMUGGLED, ids=lambda body: next(iter(body)))
    def test_a_field_that_is_not_there_is_refused_and_nothing_is_changed(
        self, alice: Api, bob: Api, tenant: Tenant, method: str, smuggled: dict[str, Any]
    ) -> None:
        before = user_again(bob)
        refused = alice.call(method, f"/users/{bob.user.id}", {"lastName": "Builder", **smuggled})
        assert refusal(refused) == (400, "validation_failed")
        assert complaints(refused) == [(name, "unknown_field") for name in smuggled]
        after = user_again(bob)
        assert (after.uuid, after.role, after.profile_id, after.password) == (
            before.uuid,
            before.role,
            before.profile_id,
            before.password,
        )
        assert after.last_name == ""

    @pytest.mark.parametrize("role", ODD_ROLES, ids=repr)
    def test_a_role_that_is_none_is_refused_however_it_is_written(self, alice: Api, bob: Api, role: Any) -> None:
        assert refusal(change(alice, bob, role=role)) == (400, "validation_failed")
        assert refusal(alice.post("/users", {"email": "a@b.test", "role": role})) == (400, "validation_failed")
        assert standing(bob) == ("user", 3, "active")

    @pytest.mark.parametrize(
        "body",
        [
            b'{"role": "user", "role": "tenant_admin"}',
            b'{"role": "tenant_admin", "role": "user"}',
            b'[{"role": "tenant_admin"}]',
            b'"tenant_admin"',
            rb'{"firstName": "\u0000"}',
            rb'{"firstName": "\ud800"}',
        ],
    )
    def test_bodies_that_two_readers_could_read_differently(self, alice: Api, bob: Api, body: bytes) -> None:
        assert alice.call("PATCH", f"/users/{bob.user.id}", body).status_code == 400
        assert standing(bob) == ("user", 3, "active")

    @pytest.mark.parametrize("field", ["firstName", "lastName", "role", "profileId", "status", "email"])
    def test_null_is_no_value(self, alice: Api, bob: Api, field: str) -> None:
        refused = change(alice, bob, **{field: None})
        assert complaints(refused) == [(field, "null")]


class TestManagers:
    """A manager gives away only what the manager has: at the invitation, and whenever later."""

    def test_who_lacks_something_gives_no_profile_that_has_it(self, alice: Api, bob: Api, carol: Api) -> None:
        narrow, wide = own_profile(alice, "Narrow", 1, 2, 3), own_profile(alice, "Wide", 1, 5)
        change(alice, carol, profileId=narrow)
        for profile in (wide, 1, 2, 3, 4):
            refused = change(carol, bob, profileId=profile)
            if profile == 3:
                # That is what bob has already: nothing is given.
                assert refused.status_code == 200
                continue
            assert refusal(refused) == (403, "profile_not_assignable")
            assert complaints(refused) == [("profileId", "profile_not_assignable")]
        assert standing(bob) == ("user", 3, "active")
        assert change(carol, bob, profileId=narrow).status_code == 200
        # And having taken it away, the manager cannot give it back.
        assert refusal(change(carol, bob, profileId=3)) == (403, "profile_not_assignable")

    def test_what_a_profile_is_worth_to_the_person_counts_and_not_its_name(
        self, alice: Api, bob: Api, carol: Api
    ) -> None:
        # A plain user has of the administrators' profile no more than a member has.
        assert change(carol, bob, profileId=1).status_code == 200
        everybodys = sorted(one.key for one in permissions if one.min_role == "user")
        assert bob.get("/permissions/me").json()["data"]["permissions"] == everybodys

    def test_a_person_whom_the_manager_invited_is_not_lifted_later(
        self, alice: Api, carol: Api, tenant: Tenant
    ) -> None:
        guest = carol.post("/users", {"email": "guest@company.test"}).json()["data"]
        for body, code in (
            ({"role": "manager"}, "role_not_assignable"),
            ({"role": "tenant_admin"}, "role_not_assignable"),
            ({"role": "manager", "firstName": "X"}, "role_not_assignable"),
        ):
            assert refusal(carol.call("PATCH", f"/users/{guest['id']}", body)) == (403, code)
        assert refusal(carol.call("PATCH", f"/users/{guest['id']}", {"email": "other@company.test"})) == (
            403,
            "permission_denied",
        )
        with bind(tenant.ref):
            user = User.objects.get(pk=guest["userId"])
        assert (user.role, user.email, user.first_name) == ("user", "guest@company.test", "")

    def test_a_profile_that_is_retired_or_not_there_is_given_by_nobody(self, alice: Api, bob: Api, carol: Api) -> None:
        retired = own_profile(alice, "Retired", 1)
        alice.call("DELETE", f"/profiles/{retired}")
        for client in (alice, carol):
            for profile in (retired, 5, 100, 101 + 50, 2**31 - 1):
                assert refusal(change(client, bob, profileId=profile)) == (400, "profile_not_found")
        assert standing(bob) == ("user", 3, "active")

    @pytest.mark.parametrize("role", [Role.MANAGER, Role.TENANT_ADMIN])
    def test_administrators_and_other_managers_are_out_of_reach(self, carol: Api, tenant: Tenant, role: Role) -> None:
        other = somebody(tenant, "other", role)
        before = standing(other)
        bodies: list[dict[str, Any]] = [
            {"firstName": "X"},
            {"role": "user"},
            {"profileId": 4},
            {"status": "inactive"},
            {"email": "x@y.test"},
            {},
        ]
        for body in bodies:
            assert refusal(change(carol, other, **body)) == (403, "cannot_modify_superior")
        for method, path in (
            ("DELETE", ""),
            ("POST", "/activate"),
            ("POST", "/resend-invitation"),
            ("DELETE", "/permanent"),
            ("DELETE", "/mfa"),
        ):
            answer = carol.call(method, f"/users/{other.user.id}{path}", {})
            assert answer.status_code == 403, path
        assert standing(other) == before
        assert user_again(other).first_name == "Other"

    def test_an_invited_administrator_is_out_of_reach_as_well(self, alice: Api, carol: Api) -> None:
        invited = alice.post("/users", {"email": "boss@company.test", "role": "tenant_admin"}).json()["data"]
        refused = carol.call("PATCH", f"/users/{invited['id']}", {"firstName": "X"})
        assert refusal(refused) == (403, "cannot_modify_superior")

    def test_one_who_was_demoted_a_moment_ago_is_none_any_more(self, alice: Api, carol: Api) -> None:
        assert carol.post("/users", {"email": "a@b.test"}).status_code == 201
        change(alice, carol, role="user")
        assert refusal(carol.post("/users", {"email": "b@b.test"})) == (403, "permission_denied")

    def test_a_manager_keeps_the_own_role_and_profile(self, alice: Api, carol: Api) -> None:
        for body in ({"role": "tenant_admin"}, {"role": "user"}):
            assert refusal(change(carol, carol, **body)) == (409, "cannot_change_own_role")
        for profile in (1, 3, 4):
            assert refusal(change(carol, carol, profileId=profile)) == (403, "profile_not_assignable")
        assert refusal(change(carol, carol, status="inactive")) == (403, "permission_denied")
        assert refusal(change(carol, carol, email="x@y.test")) == (403, "permission_denied")
        assert standing(carol) == ("manager", 2, "active")


class TestAdministrators:
    @pytest.mark.parametrize("role", ["manager", "user"])
    def test_nobody_steps_down_alone(self, alice: Api, dora: Api, role: str) -> None:
        assert refusal(change(alice, alice, role=role)) == (409, "cannot_change_own_role")
        assert standing(alice)[0] == "tenant_admin"
        # Somebody else does it.
        assert change(dora, alice, role=role).status_code == 200

    def test_nobody_leaves_alone(self, alice: Api, dora: Api) -> None:
        for refused in (alice.call("DELETE", f"/users/{alice.user.uuid}"), change(alice, alice, status="inactive")):
            assert refusal(refused) == (409, "cannot_deactivate_self")
        assert refusal(alice.call("DELETE", f"/users/{alice.user.id}/permanent")) == (409, "cannot_delete_self")
        assert alice.get("/auth/me").status_code == 200

    def test_the_last_one_who_is_active_stays_one(self, alice: Api, dora: Api, tenant: Tenant) -> None:
        with bind(tenant.ref):
            user_create(email="invited@acme.test", role=Role.TENANT_ADMIN, status=User.Status.PENDING)
            keep_an_administrator(User.objects.get(pk=alice.user.id))
        # Who is invited or out does not count.
        alice.call("DELETE", f"/users/{dora.user.id}")
        with bind(tenant.ref):
            with pytest.raises(PlatformError) as refused:
                keep_an_administrator(User.objects.get(pk=alice.user.id))
            assert (refused.value.code.key, refused.value.code.status) == ("last_admin", 409)
            keep_an_administrator(User.objects.get(pk=dora.user.id))

    @pytest.mark.parametrize("taken_out", [{"role": "user"}, {"status": "inactive"}])
    def test_one_who_was_taken_out_a_moment_ago_takes_nobody_out(
        self, alice: Api, dora: Api, tenant: Tenant, taken_out: dict[str, str]
    ) -> None:
        # The request was let in before; what follows is what it finds when it comes to the writing.
        let_in = identity(dora)
        assert change(alice, dora, **taken_out).status_code == 200
        with bind(tenant.ref):
            for attempt in (
                lambda: user_deactivate(actor=let_in, ref=alice.user.id),
                lambda: user_update(actor=let_in, ref=alice.user.id, changes=UserChanges(role=Role.USER)),
            ):
                with pytest.raises(PlatformError) as refused:
                    attempt()
                assert refused.value.code.key == "cannot_modify_superior"
        assert standing(alice) == ("tenant_admin", 1, "active")

    def test_a_new_administrator_is_one_at_the_next_request(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        assert refusal(bob.get("/audit")) == (403, "permission_denied")
        change(alice, bob, role="tenant_admin")
        assert bob.get("/audit").status_code == 200
        (entry,) = journal(tenant, "accounts.user_updated")
        assert (entry.actor_id, entry.subject_id) == (alice.user.uuid, str(bob.user.uuid))

    def test_of_another_tenant_nobody_is_changed(self, alice: Api, bob: Api, mallory: Api) -> None:
        for ref in (bob.user.uuid, alice.user.uuid):
            for body in ({"role": "tenant_admin"}, {"status": "inactive"}, {"firstName": "X"}):
                assert refusal(mallory.call("PATCH", f"/users/{ref}", body)) == (404, "not_found")
        # The same numbers are other people there.
        assert mallory.call("PATCH", f"/users/{bob.user.id}", {"firstName": "Mob"}).status_code == 200
        assert bob.get("/auth/me").json()["data"]["firstName"] == "Bob"
        assert standing(bob) == ("user", 3, "active")


class TestAddresses:
    @pytest.mark.parametrize("address", ["CAROL@ACME.TEST", "Carol@Acme.Test", " carol@acme.test\t"])
    def test_one_address_is_one_person_in_any_case(self, alice: Api, carol: Api, address: str) -> None:
        refused = alice.post("/users", {"email": address})
        assert refusal(refused) == (409, "user_exists")
        assert "userId" not in refused.json()["error"]["context"]

    def test_also_when_an_invitation_is_mended(self, alice: Api, carol: Api) -> None:
        first = alice.post("/users", {"email": "first@company.test"}).json()["data"]
        alice.post("/users", {"email": "second@company.test"})
        for address, code in (
            ("CAROL@acme.test", "user_exists"),
            ("Second@Company.test", "invitation_pending"),
        ):
            refused = alice.call("PATCH", f"/users/{first['id']}", {"email": address, "firstName": "X"})
            assert refusal(refused) == (409, code)
        with bind(alice.tenant.ref):
            user = User.objects.get(pk=first["userId"])
        assert (user.email, user.first_name) == ("first@company.test", "")

    def test_the_same_address_in_another_tenant_is_another_person(self, alice: Api, mallory: Api) -> None:
        assert mallory.post("/users", {"email": "user@acme.test"}).status_code == 201


class TestSeats:
    def test_coming_back_takes_a_seat_by_every_path(self, alice: Api, bob: Api, allowance: dict[str, Any]) -> None:
        invited = alice.post("/users", {"email": "guest@company.test"}).json()["data"]["userId"]
        for person in (bob.user.id, invited):
            alice.call("DELETE", f"/users/{person}")
        allowance["limit"] = 1
        for person in (bob.user.id, invited):
            for answer in (
                alice.post(f"/users/{person}/activate"),
                alice.call("PATCH", f"/users/{person}", {"status": "active"}),
            ):
                assert refusal(answer) == (402, "seat_limit_reached")
                assert answer.json()["error"]["context"] == {"limit": 1, "used": 1}
        assert standing(bob)[2] == "inactive"
        assert len(journal(alice.tenant, "accounts.user_activated")) == 0
        allowance["limit"] = 2
        assert alice.call("PATCH", f"/users/{bob.user.id}", {"status": "active"}).status_code == 200
        assert refusal(alice.post(f"/users/{invited}/activate")) == (402, "seat_limit_reached")

    def test_what_takes_no_seat_works_in_a_full_house(self, alice: Api, bob: Api, allowance: dict[str, Any]) -> None:
        invited = alice.post("/users", {"email": "guest@company.test"}).json()["data"]["userId"]
        allowance["limit"] = 1
        assert change(alice, bob, role="manager").status_code == 200
        assert alice.post(f"/users/{bob.user.id}/activate").status_code == 200
        assert alice.post(f"/users/{invited}/resend-invitation").status_code == 202

    def test_deleting_somebody_who_is_out_frees_nothing_twice(
        self, alice: Api, bob: Api, allowance: dict[str, Any]
    ) -> None:
        allowance["limit"] = 2
        alice.call("DELETE", f"/users/{bob.user.id}")
        alice.call("DELETE", f"/users/{bob.user.id}/permanent")
        assert alice.post("/users", {"email": "one@company.test"}).status_code == 201
        assert refusal(alice.post("/users", {"email": "two@company.test"})) == (402, "seat_limit_reached")


def test_somebody_who_came_back_has_the_role_and_no_session_of_before(alice: Api, tenant: Tenant) -> None:
    carol = somebody(tenant, "carol", Role.MANAGER)
    alice.call("DELETE", f"/users/{carol.user.id}")
    alice.post(f"/users/{carol.user.id}/activate")
    assert carol.get("/auth/me").status_code == 401
    assert standing(carol) == ("manager", 2, "active")
    assert signed_in(tenant, carol.user.email).get("/auth/me").status_code == 200


def test_a_link_from_before_somebody_left_is_dead_when_they_are_back(alice: Api, bob: Api, tenant: Tenant) -> None:
    token = reset_token(tenant, bob.user.id)
    alice.call("DELETE", f"/users/{bob.user.id}")
    alice.post(f"/users/{bob.user.id}/activate")
    refused = Api().post("/auth/password/reset", {"token": token, "password": "quite another sentence"})
    assert refusal(refused) == (400, "link_token_invalid")
    again = {"token": reset_token(tenant, bob.user.id), "password": "quite another sentence"}
    assert Api().post("/auth/password/reset", again).status_code == 200
