"""``/profiles``: permission profiles, and the catalogue of permissions they are made of."""

from typing import Any

import pytest

from accounts.models import CustomProfile, User
from accounts.profiles import SYSTEM_PROFILES
from accounts.roles import Role
from accounts.services.custom_profiles import MOST, profile_create
from accounts.services.people import user_create
from accounts.tests.people import (
    complaints,
    identity,
    journal,
    key_of,
    queries_of,
    refusal,
    somebody,
    user_again,
)
from platform_site.binding import bind
from platform_site.permissions import permissions
from tenancy.models import Tenant
from tests.support import Api, at_once, signed_in

SALES = {"name": "Sales Manager", "description": "Full sales access with approval", "permissions": [1, 2, 3, 4]}
WRITES = [
    ("PATCH", "", {"name": "X"}),
    ("PUT", "", {"name": "X"}),
    ("DELETE", "", None),
    ("POST", "/activate", {}),
    ("PUT", "/activate", {}),
    ("PATCH", "/activate", {}),
]


@pytest.fixture
def carol(tenant: Tenant) -> Api:
    """A manager."""
    return somebody(tenant, "carol", Role.MANAGER)


def make(admin: Api, name: str = "Sales", numbers: tuple[int, ...] = (1, 5), description: str = "") -> int:
    """The number of a new profile."""
    body = {"name": name, "permissions": list(numbers), "description": description}
    answer = admin.post("/profiles", body)
    assert answer.status_code == 201, answer.content
    return int(answer.json()["data"]["id"])


def shown(client: Api, profile_id: int) -> dict[str, Any]:
    return dict(client.get(f"/profiles/{profile_id}").json()["data"])


def give(admin: Api, person: Api, profile_id: int) -> None:
    assert admin.call("PATCH", f"/users/{person.user.id}", {"profileId": profile_id}).status_code == 200


def held(client: Api) -> list[str]:
    return list(client.get("/permissions/me").json()["data"]["permissions"])


def rows(tenant: Tenant) -> list[dict[str, Any]]:
    with bind(tenant.ref):
        return [dict(row) for row in CustomProfile.objects.order_by("id").values()]


class TestListing:
    def test_system_profiles_come_first_and_say_what_they_grant(self, alice: Api) -> None:
        found = alice.get("/profiles").json()["data"]
        assert [(one["id"], one["name"]) for one in found] == [
            (1, "Administrator"),
            (2, "Manager"),
            (3, "Member"),
            (4, "Read only"),
        ]
        assert all((one["isSystem"], one["isActive"], one["version"]) == (True, True, 1) for one in found)
        assert found[0]["permissions"] == sorted(one.number for one in permissions)
        assert set(found[2]["permissions"]) < set(found[1]["permissions"]) < set(found[0]["permissions"])
        assert (found[0]["createdAt"], found[0]["updatedAt"]) == (None, None)

    def test_the_tenant_s_own_follow_by_name_and_retired_ones_stay(self, alice: Api) -> None:
        make(alice, "zebra")
        retired = make(alice, "Apes")
        alice.call("DELETE", f"/profiles/{retired}")
        found = alice.get("/profiles").json()["data"][4:]
        assert [(one["name"], one["isSystem"], one["isActive"]) for one in found] == [
            ("Apes", False, False),
            ("zebra", False, True),
        ]

    def test_people_who_are_active_or_invited_are_counted(self, alice: Api, bob: Api, carol: Api) -> None:
        profile = make(alice)
        assert shown(alice, profile)["userCount"] == 0
        give(alice, bob, profile)
        alice.post("/users", {"email": "new@company.test", "profileId": profile})
        give(alice, carol, profile)
        alice.call("DELETE", f"/users/{carol.user.id}")
        assert shown(alice, profile)["userCount"] == 2
        counts = {one["id"]: one["userCount"] for one in alice.get("/profiles").json()["data"]}
        assert counts == {1: 1, 2: 0, 3: 0, 4: 0, profile: 2}

    def test_it_costs_the_same_for_one_and_for_many(self, alice: Api, tenant: Tenant) -> None:
        def fill(numbers: range) -> None:
            with bind(tenant.ref):
                CustomProfile.objects.bulk_create(
                    CustomProfile(id=101 + n, name=f"P{n}", name_key=f"p{n}", permissions=[1]) for n in numbers
                )
                for n in numbers:
                    user_create(email=f"p{n}@acme.test", profile_id=101 + n)

        fill(range(1))
        one = queries_of(alice, "/profiles")
        fill(range(1, MOST))
        # The people by profile, and the tenant's own profiles.
        assert queries_of(alice, "/profiles") == one == 2
        assert len(alice.get("/profiles").json()["data"]) == 4 + MOST

    def test_everybody_may_look(self, bob: Api, carol: Api, alice: Api) -> None:
        profile = make(alice)
        for client in (bob, carol):
            assert [one["id"] for one in client.get("/profiles").json()["data"]] == [1, 2, 3, 4, profile]
            assert client.get(f"/profiles/{profile}").status_code == 200

    def test_whose_profile_does_not_say_so_may_not(self, alice: Api, bob: Api) -> None:
        give(alice, bob, make(alice, numbers=(1,)))
        for path in ("/profiles", "/profiles/permissions", "/profiles/1"):
            assert refusal(bob.get(path)) == (403, "permission_denied")


class TestCatalogue:
    def test_every_permission_is_in_its_module(self, alice: Api) -> None:
        modules = alice.get("/profiles/permissions").json()["data"]
        assert len({module["module"] for module in modules}) == len(modules)
        found = [{"module": module["module"], **one} for module in modules for one in module["permissions"]]
        assert sorted(found, key=lambda one: one["id"]) == [
            {"module": one.module, "id": one.number, "key": one.key, "label": one.label, "minRole": one.min_role}
            for one in sorted(permissions, key=lambda one: one.number)
        ]
        assert found[0]["key"].startswith(f"{modules[0]['module']}.")

    def test_numbers_never_change(self) -> None:
        # They are stored in every tenant's profiles and keys.
        assert {one.key: one.number for one in permissions if one.number < 20} == {
            "users.view": 1,
            "users.invite": 2,
            "users.edit": 3,
            "users.deactivate": 4,
            "profiles.view": 5,
            "profiles.manage": 6,
            "audit.view": 7,
            "api_keys.manage": 8,
        }


class TestOne:
    def test_a_system_profile_has_details_as_well(self, alice: Api) -> None:
        answer = alice.get("/profiles/1")
        assert answer["ETag"] == '"1"'
        assert answer.json()["data"] == alice.get("/profiles").json()["data"][0]

    @pytest.mark.parametrize("reference", ["0", "5", "100", "999999999", "9999999999", "-1", "1.0", "x", "1x", "%00"])
    def test_what_is_not_there_is_404(self, alice: Api, reference: str) -> None:
        assert refusal(alice.get(f"/profiles/{reference}")) == (404, "not_found")
        for method, path, body in WRITES:
            assert alice.call(method, f"/profiles/{reference}{path}", body).status_code == 404, (method, path)

    def test_another_tenant_s_profile_is_not_there_and_stays_as_it_is(
        self, alice: Api, mallory: Api, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        profile = make(alice, numbers=(1, 2))
        before = rows(tenant)
        assert refusal(mallory.get(f"/profiles/{profile}")) == (404, "not_found")
        for method, path, body in WRITES:
            assert refusal(mallory.call(method, f"/profiles/{profile}{path}", body)) == (404, "not_found")
        assert refusal(mallory.post("/users", {"email": "a@b.test", "profileId": profile})) == (
            400,
            "profile_not_found",
        )
        # The same number there is another profile.
        assert make(mallory, "Theirs", (1,)) == profile
        mallory.call("PATCH", f"/profiles/{profile}", {"permissions": [1, 2, 3]})
        mallory.call("DELETE", f"/profiles/{profile}")
        assert rows(tenant) == before
        assert [one["name"] for one in rows(other_tenant)] == ["Theirs"]
        assert [one["name"] for one in alice.get("/profiles").json()["data"][4:]] == ["Sales"]


class TestCreating:
    def test_the_contract_s_own_example(self, alice: Api, tenant: Tenant) -> None:
        answer = alice.post("/profiles", SALES)
        assert (answer.status_code, answer["ETag"]) == (201, '"1"')
        data = answer.json()["data"]
        assert {name: data[name] for name in SALES} == SALES
        assert (data["isSystem"], data["isActive"], data["userCount"], data["version"]) == (False, True, 0, 1)
        assert data["id"] == 101
        assert None not in (data["createdAt"], data["updatedAt"])
        assert alice.get(f"/profiles/{data['id']}").json()["data"] == data
        (entry,) = journal(tenant, "accounts.profile_created")
        assert (entry.actor_id, entry.subject_type, entry.subject_id) == (alice.user.uuid, "profile", "101")
        assert entry.data == {"after": SALES}

    def test_a_description_is_not_needed_and_numbers_count_once(self, alice: Api) -> None:
        data = alice.post("/profiles", {"name": "Twice", "permissions": [5, 1, 5, 1]}).json()["data"]
        assert (data["description"], data["permissions"]) == ("", [1, 5])

    def test_a_profile_of_nothing_is_one(self, alice: Api, bob: Api) -> None:
        give(alice, bob, make(alice, "Nothing", ()))
        assert held(bob) == []

    @pytest.mark.parametrize(
        "name",
        ["Sales Manager", "SALES MANAGER", "  sales manager ", "\uff33ales Manager", "Administrator", "read ONLY"],
    )
    def test_a_name_is_taken_in_any_case_also_by_the_system(self, alice: Api, tenant: Tenant, name: str) -> None:
        alice.post("/profiles", SALES)
        refused = alice.post("/profiles", {**SALES, "name": name})
        assert refusal(refused) == (409, "profile_name_taken")
        assert complaints(refused) == [("name", "profile_name_taken")]
        assert len(rows(tenant)) == 1

    def test_a_retired_profile_keeps_its_name(self, alice: Api) -> None:
        retired = make(alice, "Sales")
        alice.call("DELETE", f"/profiles/{retired}")
        assert refusal(alice.post("/profiles", {**SALES, "name": "sales"})) == (409, "profile_name_taken")

    def test_the_same_name_in_another_tenant_is_another_profile(self, alice: Api, mallory: Api) -> None:
        assert alice.post("/profiles", SALES).status_code == mallory.post("/profiles", SALES).status_code == 201

    def test_a_permission_that_is_not_there_is_named_by_its_place(self, alice: Api, tenant: Tenant) -> None:
        refused = alice.post("/profiles", {"name": "Odd", "permissions": [1, 999, 2, 2147483647]})
        assert refusal(refused) == (400, "unknown_permission")
        assert complaints(refused) == [("permissions.1", "unknown_permission"), ("permissions.3", "unknown_permission")]
        assert rows(tenant) == []

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            ({"permissions": [1]}, ("name", "required")),
            ({"name": "X"}, ("permissions", "required")),
            ({"name": "", "permissions": []}, ("name", "blank")),
            ({"name": " \t ", "permissions": []}, ("name", "blank")),
            ({"name": None, "permissions": []}, ("name", "null")),
            ({"name": 5, "permissions": []}, ("name", "not_text")),
            ({"name": "x" * 101, "permissions": []}, ("name", "max_length")),
            # One letter that becomes eighteen, and one that becomes two in lower case.
            ({"name": "\ufdfa" * 60, "permissions": []}, ("name", "max_length")),
            ({"name": "\u0130" * 100, "permissions": []}, ("name", "max_length")),
            ({"name": "X", "description": "x" * 501, "permissions": []}, ("description", "max_length")),
            ({"name": "X", "description": "a\nb", "permissions": []}, ("description", "control")),
            ({"name": "X", "permissions": None}, ("permissions", "null")),
            ({"name": "X", "permissions": "1"}, ("permissions", "not_a_list")),
            ({"name": "X", "permissions": {"0": 1}}, ("permissions", "not_a_list")),
            ({"name": "X", "permissions": [0]}, ("permissions.0", "min_value")),
            ({"name": "X", "permissions": [2**31]}, ("permissions.0", "max_value")),
            ({"name": "X", "permissions": ["1"]}, ("permissions.0", "invalid")),
            ({"name": "X", "permissions": [True]}, ("permissions.0", "invalid")),
            ({"name": "X", "permissions": [1.5]}, ("permissions.0", "invalid")),
            ({"name": "X", "permissions": [None]}, ("permissions.0", "null")),
            ({"name": "X", "permissions": [[1]]}, ("permissions.0", "invalid")),
            ({"name": "X", "permissions": [1] * 501}, ("permissions", "max_length")),
            ({"name": "X", "permissions": [1], "id": 1}, ("id", "unknown_field")),
            ({"name": "X", "permissions": [1], "isSystem": True}, ("isSystem", "unknown_field")),
            ({"name": "X", "permissions": [1], "isActive": False}, ("isActive", "unknown_field")),
            ({"name": "X", "permissions": [1], "version": 7}, ("version", "unknown_field")),
            ({"name": "X", "permissions": [1], "userCount": 7}, ("userCount", "unknown_field")),
            (
                {"name": "X", "permissions": [1], "uuid": "0193a5c2-7d1e-7000-8000-000000000000"},
                ("uuid", "unknown_field"),
            ),
            (
                {"name": "X", "permissions": [1], "tenantId": "0193a5c2-7d1e-7000-8000-000000000000"},
                ("tenantId", "unknown_field"),
            ),
        ],
    )
    def test_what_makes_no_sense_or_was_smuggled_in(
        self, alice: Api, tenant: Tenant, body: dict[str, Any], complaint: tuple[str, str]
    ) -> None:
        refused = alice.post("/profiles", body)
        assert refusal(refused) == (400, "validation_failed")
        assert complaints(refused) == [complaint]
        assert rows(tenant) == []

    @pytest.mark.parametrize(
        "body",
        [
            rb'{"name": "a\u0000b", "permissions": []}',
            rb'{"name": "X", "description": "\u0000", "permissions": []}',
            rb'{"name": "\ud800", "permissions": []}',
            b'{"name": "X", "permissions": [1], "permissions": [1, 2]}',
            b'{"name": "X", "permissions": [NaN]}',
            b"[]",
            b"null",
            b'"X"',
        ],
    )
    def test_bodies_that_are_no_proper_json(self, alice: Api, tenant: Tenant, body: bytes) -> None:
        assert alice.call("POST", "/profiles", body).status_code == 400
        assert rows(tenant) == []

    def test_five_hundred_numbers_are_not_too_many(self, alice: Api) -> None:
        assert alice.post("/profiles", {"name": "X", "permissions": [1] * 500}).json()["data"]["permissions"] == [1]

    def test_there_are_fifty_at_most_retired_ones_among_them(self, alice: Api, tenant: Tenant) -> None:
        first = make(alice, "First")
        alice.call("DELETE", f"/profiles/{first}")
        with bind(tenant.ref):
            for number in range(MOST - 1):
                profile_create(actor=identity(alice), name=f"P{number}", permission_numbers=[])
        refused = alice.post("/profiles", SALES)
        assert refusal(refused) == (409, "profile_limit_reached")
        assert refused.json()["error"]["context"] == {"limit": 50}
        assert len(rows(tenant)) == MOST

    def test_a_repeat_with_an_idempotency_key_makes_one(self, alice: Api, tenant: Tenant) -> None:
        first, again = (alice.post("/profiles", SALES, idempotency_key="k") for _ in range(2))
        assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (201, 201, "true")
        assert first.json()["data"] == again.json()["data"]
        assert len(rows(tenant)) == len(journal(tenant, "accounts.profile_created")) == 1
        other = alice.post("/profiles", {**SALES, "name": "Other"}, idempotency_key="k")
        assert refusal(other) == (422, "idempotency_key_reused")

    @pytest.mark.commits
    def test_equal_ones_at_once_make_one(self, alice: Api, tenant: Tenant) -> None:
        names = ["Sales Manager", "SALES MANAGER"]
        done = at_once(10, lambda n: Api(token=alice.token).post("/profiles", {**SALES, "name": names[n % 2]}))
        assert done.most_at_once > 2
        assert sorted(answer.status_code for answer in done.results) == [201] + [409] * 9
        assert {refusal(one)[1] for one in done.results if one.status_code == 409} == {"profile_name_taken"}
        assert len(rows(tenant)) == 1

    @pytest.mark.commits
    def test_different_ones_at_once_get_numbers_of_their_own_up_to_the_limit(self, alice: Api, tenant: Tenant) -> None:
        with bind(tenant.ref):
            CustomProfile.objects.bulk_create(
                CustomProfile(id=101 + n, name=f"P{n}", name_key=f"p{n}") for n in range(MOST - 4)
            )
        done = at_once(
            10, lambda n: Api(token=alice.token).post("/profiles", {"name": f"N{n}", "permissions": []}).status_code
        )
        assert done.most_at_once > 2
        assert sorted(done.results) == [201] * 4 + [409] * 6
        assert len({one["id"] for one in rows(tenant)}) == MOST


class TestChanging:
    @pytest.mark.parametrize("method", ["PATCH", "PUT"])
    def test_what_is_not_sent_stays(self, alice: Api, tenant: Tenant, method: str) -> None:
        profile = make(alice, numbers=(1, 2), description="Before")
        answer = alice.call(method, f"/profiles/{profile}", {"description": "After"})
        assert (answer.status_code, answer["ETag"]) == (200, '"2"')
        data = answer.json()["data"]
        assert (data["name"], data["description"], data["permissions"]) == ("Sales", "After", [1, 2])
        assert data["version"] == 2
        assert shown(alice, profile) == data
        (entry,) = journal(tenant, "accounts.profile_updated")
        assert entry.data == {"before": {"description": "Before"}, "after": {"description": "After"}}

    def test_the_same_again_is_no_fact_and_no_version(self, alice: Api, tenant: Tenant) -> None:
        profile = make(alice, numbers=(1, 2))
        for body in ({}, {"name": "Sales"}, {"permissions": [2, 1, 1]}, {"description": ""}):
            assert alice.call("PATCH", f"/profiles/{profile}", body).json()["data"]["version"] == 1
        assert journal(tenant, "accounts.profile_updated") == []

    def test_what_it_gives_and_takes_counts_at_the_next_request(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        profile = make(alice, numbers=(1,))
        # Made with it, so that nothing else than the profile's change makes the session look again.
        carol = somebody(tenant, "carol", Role.MANAGER, profile_id=profile)
        assert held(bob) == sorted(one.key for one in permissions if one.min_role == "user")
        assert held(carol) == ["users.view"]
        tag = carol.get("/permissions/me")["ETag"]
        assert refusal(carol.post("/users", {"email": "a@b.test"})) == (403, "permission_denied")
        alice.call("PATCH", f"/profiles/{profile}", {"permissions": [1, 2]})
        assert held(carol) == ["users.invite", "users.view"]
        assert carol.get("/permissions/me", if_none_match=tag).status_code == 200
        assert carol.post("/users", {"email": "a@b.test", "profileId": profile}).status_code == 201
        alice.call("PUT", f"/profiles/{profile}", {"permissions": []})
        assert held(carol) == []
        assert refusal(carol.get("/users")) == (403, "permission_denied")
        # Who has another profile is not concerned.
        assert held(bob) == sorted(one.key for one in permissions if one.min_role == "user")

    def test_a_new_name_is_shown_beside_its_people(self, alice: Api, bob: Api) -> None:
        profile = make(alice)
        give(alice, bob, profile)
        alice.call("PATCH", f"/profiles/{profile}", {"name": " Field Sales "})
        assert bob.get("/auth/me").json()["data"]["profile"] == {"id": profile, "name": "Field Sales"}
        assert bob.get("/permissions/me").json()["data"]["profile"]["name"] == "Field Sales"

    def test_another_s_name_is_taken_and_the_own_in_another_case_is_not(self, alice: Api) -> None:
        first, second = make(alice, "First"), make(alice, "Second")
        for name in ("FIRST", "member"):
            assert refusal(alice.call("PATCH", f"/profiles/{second}", {"name": name})) == (409, "profile_name_taken")
        assert shown(alice, second)["name"] == "Second"
        assert alice.call("PATCH", f"/profiles/{first}", {"name": "fIRST"}).json()["data"]["name"] == "fIRST"

    def test_all_of_it_or_nothing(self, alice: Api, tenant: Tenant) -> None:
        profile = make(alice)
        refused = alice.call("PATCH", f"/profiles/{profile}", {"name": "New", "permissions": [999]})
        assert refusal(refused) == (400, "unknown_permission")
        assert (shown(alice, profile)["name"], shown(alice, profile)["version"]) == ("Sales", 1)

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            ({"id": 1}, ("id", "unknown_field")),
            ({"isSystem": True}, ("isSystem", "unknown_field")),
            ({"isActive": False}, ("isActive", "unknown_field")),
            ({"uuid": "0193a5c2-7d1e-7000-8000-000000000000"}, ("uuid", "unknown_field")),
            ({"tenantId": "0193a5c2-7d1e-7000-8000-000000000000"}, ("tenantId", "unknown_field")),
            ({"nameKey": "x"}, ("nameKey", "unknown_field")),
            ({"name": ""}, ("name", "blank")),
            ({"name": None}, ("name", "null")),
            ({"name": "x" * 101}, ("name", "max_length")),
            ({"name": "\u0130" * 100}, ("name", "max_length")),
            ({"permissions": [1] * 501}, ("permissions", "max_length")),
            ({"permissions": None}, ("permissions", "null")),
            ({"version": 0}, ("version", "min_value")),
            ({"version": "1"}, ("version", "invalid")),
        ],
    )
    def test_what_makes_no_sense_or_was_smuggled_in(
        self, alice: Api, tenant: Tenant, body: dict[str, Any], complaint: tuple[str, str]
    ) -> None:
        profile = make(alice)
        before = rows(tenant)
        refused = alice.call("PATCH", f"/profiles/{profile}", {"description": "New", **body})
        assert refusal(refused) == (400, "validation_failed")
        assert complaints(refused) == [complaint]
        assert rows(tenant) == before

    def test_a_nul_is_refused(self, alice: Api, tenant: Tenant) -> None:
        profile = make(alice)
        before = rows(tenant)
        assert alice.call("PATCH", f"/profiles/{profile}", rb'{"name": "a\u0000"}').status_code == 400
        assert rows(tenant) == before


class TestVersions:
    def test_a_version_that_is_not_the_present_one_is_stale(self, alice: Api) -> None:
        profile = make(alice)
        assert alice.call("PATCH", f"/profiles/{profile}", {"name": "One", "version": 1}).status_code == 200
        refused = alice.call("PATCH", f"/profiles/{profile}", {"name": "Two", "version": 1})
        assert refusal(refused) == (409, "stale_version")
        assert refused.json()["error"]["context"] == {"version": 2}
        assert shown(alice, profile)["name"] == "One"

    @pytest.mark.parametrize("condition", ['"1"', '"7", "1"', "*"])
    def test_if_match_names_the_present_one(self, alice: Api, condition: str) -> None:
        profile = make(alice)
        assert alice.call("PATCH", f"/profiles/{profile}", {"name": "One"}, if_match=condition).status_code == 200

    @pytest.mark.parametrize("condition", ['"2"', "1", 'W/"1"', "x", '"11"'])
    @pytest.mark.parametrize(
        ("method", "body"), [("PATCH", {"name": "One"}), ("PUT", {"name": "One"}), ("DELETE", None)]
    )
    def test_another_if_match_fails(self, alice: Api, method: str, body: Any, condition: str) -> None:
        profile = make(alice)
        refused = alice.call(method, f"/profiles/{profile}", body, if_match=condition)
        assert refusal(refused) == (412, "precondition_failed")
        assert refused.json()["error"]["context"] == {"version": 1}
        assert (shown(alice, profile)["name"], shown(alice, profile)["isActive"]) == ("Sales", True)

    @pytest.mark.commits
    def test_of_two_who_saw_the_same_version_one_wins(self, alice: Api) -> None:
        profile = make(alice)
        for seen in range(1, 6):
            sent = [({"name": f"A{seen}", "version": seen}, {}), ({"name": f"B{seen}"}, {"if_match": f'"{seen}"'})]

            def change(number: int, sent: Any = sent) -> int:
                body, headers = sent[number]
                status: int = Api(token=alice.token).call("PATCH", f"/profiles/{profile}", body, **headers).status_code
                return status

            done = at_once(2, change)
            assert sorted(done.results) in ([200, 409], [200, 412])
        assert shown(alice, profile)["version"] == 6


class TestRetiring:
    def test_nobody_can_be_given_it_any_more(self, alice: Api, tenant: Tenant) -> None:
        profile = make(alice)
        answer = alice.call("DELETE", f"/profiles/{profile}")
        assert (answer.status_code, answer.json()["data"]["isActive"]) == (200, False)
        refused = alice.post("/users", {"email": "a@b.test", "profileId": profile})
        assert refusal(refused) == (400, "profile_not_found")
        assert [one["id"] for one in alice.get("/users/profiles").json()["data"]] == [1, 2, 3, 4]
        (entry,) = journal(tenant, "accounts.profile_deactivated")
        assert entry.data == {"reassignedTo": None, "people": 0}

    def test_again_is_fine_and_no_fact(self, alice: Api, tenant: Tenant) -> None:
        profile = make(alice)
        for _ in range(2):
            assert alice.call("DELETE", f"/profiles/{profile}").json()["data"]["version"] == 2
        assert len(journal(tenant, "accounts.profile_deactivated")) == 1

    def test_while_people_have_it_it_stays_and_says_how_many(self, alice: Api, bob: Api) -> None:
        profile = make(alice)
        give(alice, bob, profile)
        alice.post("/users", {"email": "new@company.test", "profileId": profile})
        refused = alice.call("DELETE", f"/profiles/{profile}")
        assert refusal(refused) == (409, "profile_in_use")
        assert refused.json()["error"]["context"] == {"userCount": 2}
        assert (shown(alice, profile)["isActive"], shown(alice, profile)["version"]) == (True, 1)
        assert held(bob) == ["profiles.view", "users.view"]

    def test_its_people_can_get_another_one_at_the_same_time(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        old, new = make(alice, "Old", (1,)), make(alice, "New", (1, 2, 5))
        give(alice, bob, old)
        alice.call("DELETE", f"/users/{bob.user.id}")
        carol = somebody(tenant, "carol", Role.MANAGER, profile_id=old)
        assert held(carol) == ["users.view"]
        answer = alice.call("DELETE", f"/profiles/{old}?reassignTo={new}")
        assert (answer.status_code, answer.json()["data"]["userCount"]) == (200, 0)
        assert held(carol) == ["profiles.view", "users.invite", "users.view"]
        # Who is out does not come back with a retired profile either.
        assert user_again(bob).profile_id == new
        assert shown(alice, new)["userCount"] == 1
        (entry,) = journal(tenant, "accounts.profile_deactivated")
        assert entry.data == {"reassignedTo": new, "people": 1}

    def test_a_system_profile_can_take_them(self, alice: Api, bob: Api) -> None:
        profile = make(alice)
        give(alice, bob, profile)
        assert alice.call("DELETE", f"/profiles/{profile}?reassignTo=4").status_code == 200
        assert bob.get("/auth/me").json()["data"]["profile"] == {"id": 4, "name": "Read only"}

    def test_not_to_itself_to_nothing_or_to_a_retired_one(self, alice: Api, bob: Api) -> None:
        profile, retired = make(alice), make(alice, "Retired")
        give(alice, bob, profile)
        alice.call("DELETE", f"/profiles/{retired}")
        for target in (profile, retired, 77, 999999):
            refused = alice.call("DELETE", f"/profiles/{profile}?reassignTo={target}")
            assert refusal(refused) == (400, "profile_not_found")
            assert complaints(refused) == [("reassignTo", "profile_not_found")]
        assert (shown(alice, profile)["isActive"], user_again(bob).profile_id) == (True, profile)

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("reassignTo=", "validation_failed"),
            ("reassignTo=0", "validation_failed"),
            ("reassignTo=x", "validation_failed"),
            ("reassignTo=1&reassignTo=2", "validation_failed"),
            ("reassignTo=99999999999", "validation_failed"),
            ("reassign_to=1", "unknown_parameter"),
            ("force=1", "unknown_parameter"),
        ],
    )
    def test_queries_that_cannot_be_meant(self, alice: Api, query: str, code: str) -> None:
        profile = make(alice)
        assert refusal(alice.call("DELETE", f"/profiles/{profile}?{query}")) == (400, code)
        assert shown(alice, profile)["isActive"] is True

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    def test_it_can_come_back(self, alice: Api, tenant: Tenant, method: str) -> None:
        profile = make(alice)
        alice.call("DELETE", f"/profiles/{profile}")
        for _ in range(2):
            answer = alice.call(method, f"/profiles/{profile}/activate", {})
            assert (answer.status_code, answer.json()["data"]["isActive"]) == (200, True)
        assert len(journal(tenant, "accounts.profile_activated")) == 1
        assert alice.post("/users", {"email": "a@b.test", "profileId": profile}).status_code == 201


class TestWhoMay:
    @pytest.mark.parametrize("profile_id", sorted(SYSTEM_PROFILES))
    @pytest.mark.parametrize(("method", "path", "body"), WRITES)
    def test_system_profiles_stay_as_they_are(
        self, alice: Api, method: str, path: str, body: Any, profile_id: int
    ) -> None:
        refused = alice.call(method, f"/profiles/{profile_id}{path}", body)
        assert refusal(refused) == (403, "system_profile_immutable")
        assert shown(alice, profile_id)["name"] == SYSTEM_PROFILES[profile_id].name

    def test_only_administrators_write(self, alice: Api, bob: Api, carol: Api, tenant: Tenant) -> None:
        profile = make(alice)
        before = rows(tenant)
        for client in (bob, carol):
            assert refusal(client.post("/profiles", SALES)) == (403, "permission_denied")
            for method, path, body in WRITES:
                for target in (profile, 1):
                    refused = client.call(method, f"/profiles/{target}{path}", body)
                    assert refusal(refused) == (403, "permission_denied")
        assert rows(tenant) == before

    def test_a_manager_whose_profile_says_so_does_not_either(self, alice: Api, carol: Api, tenant: Tenant) -> None:
        profile = make(alice, "All", tuple(one.number for one in permissions))
        give(alice, carol, profile)
        assert refusal(carol.call("PATCH", f"/profiles/{profile}", {"name": "Mine"})) == (403, "permission_denied")
        with bind(tenant.ref):
            User.objects.filter(pk=carol.user.id).update(profile_id=1)
        again = signed_in(tenant, carol.user.email)
        assert refusal(again.post("/profiles", SALES)) == (403, "permission_denied")


class TestKeysThatMakeProfiles:
    """A key that may manage profiles still gives nothing that it does not have."""

    def test_it_makes_what_it_holds_itself(self, alice: Api, tenant: Tenant) -> None:
        robot = key_of(alice, "profiles.manage", "profiles.view", "users.view")
        assert robot.post("/profiles", {"name": "X", "permissions": [1, 5]}).status_code == 201
        refused = robot.post("/profiles", {"name": "Y", "permissions": [1, 2, 5, 7]})
        assert refusal(refused) == (400, "permission_not_grantable")
        assert complaints(refused) == [
            ("permissions.1", "permission_not_grantable"),
            ("permissions.3", "permission_not_grantable"),
        ]
        assert [one["name"] for one in rows(tenant)] == ["X"]

    def test_it_adds_nothing_later_and_may_leave_or_take_what_is_there(self, alice: Api) -> None:
        profile = make(alice, numbers=(1, 2))
        robot = key_of(alice, "profiles.manage", "users.view")
        path = f"/profiles/{profile}"
        assert refusal(robot.call("PATCH", path, {"permissions": [1, 2, 3]})) == (400, "permission_not_grantable")
        assert shown(alice, profile)["permissions"] == [1, 2]
        assert robot.call("PATCH", path, {"permissions": [2]}).status_code == 200
        assert robot.call("PATCH", path, {"permissions": [1, 2]}).status_code == 200
        assert robot.call("PATCH", path, {"permissions": [1]}).status_code == 200
        assert refusal(robot.call("PATCH", path, {"permissions": [1, 2]})) == (400, "permission_not_grantable")

    def test_it_moves_nobody_to_a_profile_that_is_worth_more(self, alice: Api, carol: Api) -> None:
        profile = make(alice, numbers=(1,))
        give(alice, carol, profile)
        robot = key_of(alice, "profiles.manage", "users.view")
        refused = robot.call("DELETE", f"/profiles/{profile}?reassignTo=2")
        assert refusal(refused) == (403, "profile_not_assignable")
        assert held(carol) == ["users.view"]
        assert robot.call("DELETE", f"/profiles/{profile}?reassignTo={make(alice, 'Same', (1,))}").status_code == 200
