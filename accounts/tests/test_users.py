"""Inviting, listing, changing, deactivating and activating people, and who may not."""

from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import CustomProfile, User
from accounts.roles import Role
from accounts.services.people import user_create
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from tests.support import COMPANY, Api, signed_in

NO_ID = "0193a5c2-7d1e-7000-8000-000000000000"
NEW = {"email": "newuser@company.com", "firstName": "Jane", "lastName": "Doe", "role": "user", "profileId": 1}


@pytest.fixture
def carol(tenant: Any) -> Api:
    """A manager."""
    with bind(tenant.ref), transaction.atomic():
        user_create(email=f"carol@{COMPANY}.test", first_name="Carol", role=Role.MANAGER)
    return signed_in(tenant, f"carol@{COMPANY}.test")


def error(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def journal(person: Api, key: str) -> list[JournalEntry]:
    with bind(person.tenant.ref):
        return list(JournalEntry.objects.filter(key=key).order_by("id"))


class TestInviting:
    def test_the_contract_s_own_example(self, alice: Api) -> None:
        response = alice.post("/users", NEW)
        data = response.json()["data"]
        assert response.status_code == 201
        assert response["Location"] == f"/api/v1/users/{data['id']}"
        assert (data["email"], data["displayName"], data["role"]) == ("newuser@company.com", "Jane Doe", "user")
        assert (data["status"], data["emailVerified"], data["profile"]["id"]) == ("pending", False, 1)
        assert alice.get(f"/users/{data['userId']}").json()["data"] == data

    def test_the_mail_carries_a_link_that_signs_in(self, alice: Api, api: Api) -> None:
        alice.post("/users", NEW)
        mail.outbox.clear()
        dispatcher.drain()
        (sent,) = (one for one in mail.outbox if one.to == ["newuser@company.com"])
        assert sent.subject == "Alice invites you to Acme Corp"
        token = sent.body.split("/accept-invitation/")[1].split()[0]
        answer = api.post("/users/accept-invitation", {"token": token, "password": "quite another sentence"})
        assert answer.status_code == 200
        data = answer.json()["data"]
        assert (data["user"]["status"], data["user"]["emailVerified"]) == ("active", True)
        assert Api(token=data["accessToken"]).get("/auth/me").json()["data"]["email"] == "newuser@company.com"

    @pytest.mark.parametrize("address", ["USER@ACME.TEST", " user@acme.test ", "user@acme.test"])
    def test_an_address_that_is_here_already_in_any_case(self, alice: Api, address: str) -> None:
        assert error(alice.post("/users", {"email": address})) == (409, "user_exists")

    def test_one_that_is_invited_or_deactivated_says_who_it_is(self, alice: Api, bob: Api) -> None:
        invited = alice.post("/users", NEW).json()["data"]["userId"]
        again = alice.post("/users", {"email": "NewUser@company.com"})
        assert error(again) == (409, "invitation_pending")
        assert again.json()["error"]["context"] == {"userId": invited}
        alice.call("DELETE", f"/users/{bob.user.id}")
        out = alice.post("/users", {"email": "user@acme.test"})
        assert error(out) == (409, "user_deactivated")
        assert out.json()["error"]["context"] == {"userId": bob.user.id}

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"email": "no address"},
            {"email": "a@b.test", "role": "owner"},
            {"email": "a@b.test", "role": ["user"]},
            {"email": "a@b.test", "profileId": "1"},
            {"email": "a@b.test", "profileId": True},
            {"email": "a@b.test", "profileId": 0},
            {"email": "a@b.test", "profileId": 77},
            {"email": "a@b.test", "status": "active"},
            {"email": "a@b.test", "tenantId": str(uuid4())},
            {"email": "a@b.test", "uuid": str(uuid4())},
            {"email": "a@b.test", "isSuperuser": True},
            {"email": "a@b.test", "password": "x" * 12},
            {"email": "a@b.test", "firstName": "x" * 101},
            {"email": "a@b.test\r\nBcc: all@b.test"},
        ],
    )
    def test_what_makes_no_sense_or_was_smuggled_in(self, alice: Api, body: dict[str, Any]) -> None:
        assert alice.post("/users", body).status_code == 400
        assert journal(alice, "accounts.user_invited") == []

    def test_a_repeat_with_an_idempotency_key_invites_once(self, alice: Api) -> None:
        first, again = (alice.post("/users", NEW, idempotency_key="k") for _ in range(2))
        assert first.json()["data"] == again.json()["data"]
        assert len(journal(alice, "accounts.user_invited")) == 1

    def test_the_journal_holds_no_address(self, alice: Api) -> None:
        alice.post("/users", NEW)
        (entry,) = journal(alice, "accounts.user_invited")
        assert entry.actor_id == alice.user.uuid
        assert "company.com" not in str(entry.data)


class TestRoles:
    def test_a_user_changes_nobody(self, bob: Api, carol: Api) -> None:
        for method, path, body in (
            ("POST", "/users", NEW),
            ("PATCH", f"/users/{carol.user.id}", {"firstName": "X"}),
            ("PATCH", f"/users/{bob.user.id}", {"role": "tenant_admin"}),
            ("DELETE", f"/users/{carol.user.id}", None),
            ("POST", f"/users/{carol.user.id}/activate", None),
            ("POST", f"/users/{carol.user.id}/resend-invitation", None),
            ("DELETE", f"/users/{carol.user.id}/permanent", None),
        ):
            assert error(bob.call(method, path, body)) == (403, "permission_denied")

    def test_a_manager_invites_plain_users_only(self, carol: Api) -> None:
        assert carol.post("/users", {"email": "a@b.test"}).status_code == 201
        for role in ("manager", "tenant_admin"):
            assert error(carol.post("/users", {"email": "c@b.test", "role": role})) == (403, "role_not_assignable")

    def test_a_manager_gives_no_profile_that_is_worth_more_than_the_own(self, carol: Api) -> None:
        with bind(carol.tenant.ref):
            CustomProfile.objects.create(id=101, name="Narrow", name_key="narrow", permissions=[1, 2, 3])
            User.objects.filter(pk=carol.user.id).update(profile_id=101)
        narrow = signed_in(carol.tenant, carol.user.email)
        # A member sees profiles as well, which this manager does not.
        refused = narrow.post("/users", {"email": "a@b.test", "profileId": 3})
        assert error(refused) == (403, "profile_not_assignable")
        assert narrow.post("/users", {"email": "a@b.test", "profileId": 101}).status_code == 201

    def test_a_manager_touches_plain_users_only(self, alice: Api, bob: Api, carol: Api) -> None:
        assert carol.call("PATCH", f"/users/{bob.user.id}", {"firstName": "Robert"}).status_code == 200
        assert carol.call("PATCH", f"/users/{carol.user.id}", {"firstName": "Caroline"}).status_code == 200
        refused = carol.call("PATCH", f"/users/{alice.user.id}", {"firstName": "X"})
        assert error(refused) == (403, "cannot_modify_superior")
        with bind(carol.tenant.ref):
            other = user_create(email="dan@acme.test", role=Role.MANAGER)
        assert error(carol.call("PATCH", f"/users/{other.id}", {"lastName": "X"})) == (403, "cannot_modify_superior")

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"role": "manager"}, (403, "role_not_assignable")),
            ({"role": "tenant_admin"}, (403, "role_not_assignable")),
            ({"status": "inactive"}, (403, "permission_denied")),
            ({"email": "new@acme.test"}, (403, "permission_denied")),
        ],
    )
    def test_a_manager_gives_nothing_away(
        self, carol: Api, bob: Api, body: dict[str, Any], expected: tuple[int, str]
    ) -> None:
        assert error(carol.call("PATCH", f"/users/{bob.user.id}", body)) == expected
        with bind(bob.tenant.ref):
            user = User.objects.get(pk=bob.user.id)
        assert (user.role, user.status, user.email) == ("user", "active", "user@acme.test")

    def test_nobody_lifts_oneself(self, alice: Api, carol: Api) -> None:
        refused = carol.call("PATCH", f"/users/{carol.user.id}", {"role": "tenant_admin"})
        assert error(refused) == (409, "cannot_change_own_role")
        refused = carol.call("PATCH", f"/users/{carol.user.id}", {"profileId": 1})
        assert error(refused) == (403, "profile_not_assignable")
        refused = alice.call("PATCH", f"/users/{alice.user.id}", {"role": "user"})
        assert error(refused) == (409, "cannot_change_own_role")


class TestChanging:
    @pytest.mark.parametrize("method", ["PATCH", "PUT"])
    def test_what_is_not_sent_stays(self, alice: Api, bob: Api, method: str) -> None:
        shown = alice.call(method, f"/users/{bob.user.uuid}", {"lastName": "Builder"}).json()["data"]
        assert (shown["firstName"], shown["lastName"], shown["role"]) == ("Bob", "Builder", "user")

    def test_a_new_role_counts_at_the_next_request(self, alice: Api, bob: Api) -> None:
        assert bob.post("/users", {"email": "a@b.test"}).status_code == 403
        alice.call("PATCH", f"/users/{bob.user.id}", {"role": "manager", "profileId": 2})
        assert bob.post("/users", {"email": "a@b.test"}).status_code == 201
        (entry,) = journal(alice, "accounts.user_updated")
        assert entry.data == {
            "before": {"role": "user", "profileId": 3},
            "after": {"role": "manager", "profileId": 2},
            "changed": ["role", "profileId"],
        }

    def test_names_do_not_get_into_the_journal(self, alice: Api, bob: Api) -> None:
        alice.call("PATCH", f"/users/{bob.user.id}", {"lastName": "Builder"})
        (entry,) = journal(alice, "accounts.user_updated")
        assert entry.data == {"before": {}, "after": {}, "changed": ["lastName"]}

    def test_a_change_that_changes_nothing_is_no_fact(self, alice: Api, bob: Api) -> None:
        alice.call("PATCH", f"/users/{bob.user.id}", {"firstName": "Bob"})
        alice.call("PATCH", f"/users/{bob.user.id}", {})
        assert journal(alice, "accounts.user_updated") == []

    def test_all_of_it_or_nothing(self, alice: Api, bob: Api) -> None:
        refused = alice.call("PATCH", f"/users/{bob.user.id}", {"firstName": "X", "profileId": 77})
        assert error(refused) == (400, "profile_not_found")
        assert bob.get("/auth/me").json()["data"]["firstName"] == "Bob"

    def test_the_address_of_somebody_who_has_accepted_stays(self, alice: Api, bob: Api) -> None:
        refused = alice.call("PATCH", f"/users/{bob.user.id}", {"email": "robert@acme.test"})
        assert error(refused) == (409, "user_not_pending")

    def test_a_typing_mistake_in_an_invitation_can_be_mended(self, alice: Api, api: Api) -> None:
        invited = alice.post("/users", {"email": "jnae@company.com"}).json()["data"]["userId"]
        dispatcher.drain()
        (sent,) = (one for one in mail.outbox if "/accept-invitation/" in one.body)
        old = sent.body.split("/accept-invitation/")[1].split()[0]
        mail.outbox.clear()
        shown = alice.call("PATCH", f"/users/{invited}", {"email": "jane@company.com"}).json()["data"]
        assert (shown["email"], shown["status"]) == ("jane@company.com", "pending")
        dispatcher.drain()
        assert [one.to for one in mail.outbox] == [["jane@company.com"]]
        refused = api.post("/users/accept-invitation", {"token": old, "password": "quite another sentence"})
        assert error(refused) == (400, "link_token_invalid")
        assert error(alice.call("PATCH", f"/users/{invited}", {"email": "user@acme.test"})) == (409, "user_exists")


class TestStates:
    def test_who_is_deactivated_is_out_at_once(self, alice: Api, bob: Api, api: Api) -> None:
        shown = alice.call("DELETE", f"/users/{bob.user.id}").json()["data"]
        assert shown["status"] == "inactive"
        assert bob.get("/auth/me").status_code == 401
        refreshed = api.post("/auth/refresh", {"refreshToken": bob.tokens.refresh_token})
        assert error(refreshed) == (401, "session_revoked")
        assert alice.call("DELETE", f"/users/{bob.user.id}").status_code == 200
        assert len(journal(alice, "accounts.user_deactivated")) == 1

    def test_who_is_activated_signs_in_with_the_old_password(self, alice: Api, bob: Api, api: Api) -> None:
        alice.call("DELETE", f"/users/{bob.user.id}")
        for method in ("POST", "PUT", "PATCH"):
            assert alice.call(method, f"/users/{bob.user.id}/activate").json()["data"]["status"] == "active"
        assert bob.get("/auth/me").status_code == 401
        again = {"email": "user@acme.test", "password": "correct horse battery", "tenantSlug": COMPANY}
        assert api.post("/auth/login", again).status_code == 200

    def test_a_status_in_the_body_does_the_same(self, alice: Api, bob: Api) -> None:
        shown = alice.call("PATCH", f"/users/{bob.user.id}", {"status": "inactive"}).json()["data"]
        assert shown["status"] == "inactive"
        assert bob.get("/auth/me").status_code == 401
        assert alice.call("PATCH", f"/users/{bob.user.id}", {"status": "active"}).json()["data"]["status"] == "active"
        for status in ("pending", "erased", "ACTIVE", None):
            assert alice.call("PATCH", f"/users/{bob.user.id}", {"status": status}).status_code == 400

    def test_nobody_deactivates_oneself(self, alice: Api) -> None:
        refused = alice.call("DELETE", f"/users/{alice.user.id}")
        assert error(refused) == (409, "cannot_deactivate_self")
        refused = alice.call("PATCH", f"/users/{alice.user.id}", {"status": "inactive"})
        assert error(refused) == (409, "cannot_deactivate_self")

    def test_who_was_only_invited_is_invited_anew(self, alice: Api) -> None:
        invited = alice.post("/users", NEW).json()["data"]["userId"]
        assert error(alice.post(f"/users/{invited}/activate")) == (409, "user_pending")
        alice.call("DELETE", f"/users/{invited}")
        assert alice.post(f"/users/{invited}/activate").json()["data"]["status"] == "pending"
        assert len(journal(alice, "accounts.invitation_resent")) == 1

    def test_the_invitations_of_who_leaves_die(self, alice: Api, carol: Api, api: Api) -> None:
        carol.post("/users", NEW)
        dispatcher.drain()
        (sent,) = (one for one in mail.outbox if one.to == ["newuser@company.com"])
        token = sent.body.split("/accept-invitation/")[1].split()[0]
        alice.call("DELETE", f"/users/{carol.user.id}")
        refused = api.post("/users/accept-invitation", {"token": token, "password": "quite another sentence"})
        assert error(refused) == (400, "link_token_invalid")


class TestSeeing:
    def test_a_plain_user_sees_less_of_others_and_all_of_oneself(self, alice: Api, bob: Api) -> None:
        shown = bob.get(f"/users/{alice.user.id}").json()["data"]
        for name in ("profile", "emailVerified", "timezone", "locale", "lastSignInAt", "createdAt"):
            assert shown[name] is None
        assert (shown["email"], shown["role"], shown["status"]) == ("admin@acme.test", "tenant_admin", "active")
        me = bob.get("/auth/me").json()["data"]
        assert {**bob.get(f"/users/{bob.user.id}").json()["data"], "impersonatedBy": None} == me
        assert alice.get(f"/users/{bob.user.id}").json()["data"]["profile"] == {"id": 3, "name": "Member"}

    @pytest.mark.parametrize("reference", ["0", "-1", "1.0", "x", "999999", NO_ID, "9" * 30])
    def test_what_is_not_there_is_404(self, alice: Api, reference: str) -> None:
        for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/activate")):
            body: dict[str, Any] | None = {} if method in ("PATCH", "POST") else None
            assert alice.call(method, f"/users/{reference}{path}", body).status_code == 404

    def test_people_of_another_tenant_are_not_there(self, alice: Api, mallory: Api) -> None:
        ref = alice.user.uuid
        for method, path in (
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("POST", "/activate"),
            ("POST", "/resend-invitation"),
            ("DELETE", "/permanent"),
        ):
            assert error(mallory.call(method, f"/users/{ref}{path}", {})) == (404, "not_found")
        assert b"acme" not in mallory.get("/users").content

    def test_the_list_is_newest_first_and_by_state(self, alice: Api, bob: Api) -> None:
        alice.post("/users", NEW)
        alice.call("DELETE", f"/users/{bob.user.id}")

        def names(query: str = "") -> list[str]:
            return [one["email"].partition("@")[0] for one in alice.get(f"/users{query}").json()["data"]]

        assert names() == names("?status=all") == ["newuser", "user", "admin"]
        assert names("?status=active") == ["admin"]
        assert names("?status=inactive") == ["user"]
        assert names("?status=pending") == ["newuser"]
        assert names("?limit=1&page=2") == ["user"]
        for query in ("status=erased", "status=", "status=ACTIVE", "search=" + "x" * 101, "role=user"):
            expected = 200 if query == "status=" else 400
            assert alice.get(f"/users?{query}").status_code == expected

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("jane", ["newuser"]),
            ("JANE doe", ["newuser"]),
            ("doe jan", ["newuser"]),
            ("ewuser@comp", ["newuser"]),
            ("jane%20bob", []),
            ("%25", []),
            ("_", []),
            ("b", ["user"]),
            ("o", ["newuser", "user"]),
            ("", ["newuser", "user", "admin"]),
            ("%F0%9D%90%89ane", ["newuser"]),
        ],
    )
    def test_search_by_any_part_of_any_name(self, alice: Api, search: str, found: list[str]) -> None:
        alice.post("/users", NEW)
        with bind(alice.tenant.ref):
            User.objects.filter(email_key="admin@acme.test").update(email="admin@x.test")
        answer = alice.get(f"/users?search={search.replace(' ', '%20')}").json()["data"]
        assert [one["email"].partition("@")[0] for one in answer] == found

    def test_the_list_costs_the_same_for_twenty_and_for_a_hundred(self, alice: Api) -> None:
        def cost(limit: int) -> int:
            with CaptureQueriesContext(connection) as queries:
                assert len(alice.get(f"/users?limit={limit}").json()["data"]) == limit
            return sum("accounts_" in query["sql"] for query in queries)

        with bind(alice.tenant.ref):
            CustomProfile.objects.bulk_create(
                CustomProfile(id=101 + n, name=f"P{n}", name_key=f"p{n}", permissions=[1]) for n in range(20)
            )
            User.objects.bulk_create(
                User(
                    uuid=uuid4(),
                    email=f"p{n}@a.test",
                    email_key=f"p{n}@a.test",
                    profile_id=101 + n % 20,
                    status="active",
                )
                for n in range(100)
            )
        # The first request of all reads the session as well.
        alice.get("/auth/me")
        # The total, the page, the profiles' names.
        assert cost(20) == cost(100) == 3

    def test_the_list_costs_the_same_for_twenty_and_for_two_thousand_people(self, alice: Api) -> None:
        asked = ("", "status=active", "search=person", "search=person%20test&status=active", "status=all&page=2")

        def costs() -> dict[str, int]:
            return {query: cost(query) for query in asked}

        def cost(query: str) -> int:
            with CaptureQueriesContext(connection) as queries:
                assert len(alice.get(f"/users?limit=10&{query}").json()["data"]) == 10
            return sum("accounts_" in query["sql"] for query in queries)

        people_join(alice, range(20))
        alice.get("/auth/me")
        with_twenty = costs()
        people_join(alice, range(20, 2000))
        # The total, the page, the profiles' names.
        assert with_twenty == costs() == dict.fromkeys(asked, 3)


def people_join(person: Api, numbers: range) -> None:
    """Every second one has a profile of the tenant's own."""
    with bind(person.tenant.ref):
        for number in range(101, 111):
            CustomProfile.objects.get_or_create(
                id=number, defaults={"name": f"P{number}", "name_key": f"p{number}", "permissions": [1]}
            )
        User.objects.bulk_create(
            User(
                uuid=uuid4(),
                first_name=f"Person {n}",
                email=f"p{n}@a.test",
                email_key=f"p{n}@a.test",
                profile_id=101 + n % 10 if n % 2 else 3,
                status="active",
            )
            for n in numbers
        )


class TestProfilesToGive:
    def test_an_administrator_may_give_all_active_ones(self, alice: Api) -> None:
        with bind(alice.tenant.ref):
            CustomProfile.objects.create(id=101, name="Sales", name_key="sales", permissions=[1])
            CustomProfile.objects.create(id=102, name="Old", name_key="old", permissions=[1], is_active=False)
        shown = alice.get("/users/profiles").json()["data"]
        assert [one["name"] for one in shown] == ["Administrator", "Manager", "Member", "Read only", "Sales"]
        assert shown[-1] == {"id": 101, "name": "Sales", "description": "", "isSystem": False}

    def test_a_user_may_give_none(self, bob: Api) -> None:
        assert bob.get("/users/profiles").json()["data"] == []


class TestErasing:
    def test_what_was_personal_is_gone_and_the_address_is_free(self, alice: Api, bob: Api) -> None:
        bob.call("PATCH", "/auth/me/profile", {"phone": "+4915112345678"})
        bob.call("PATCH", "/auth/me/preferences", {"theme": "dark"})
        alice.call("DELETE", f"/users/{bob.user.id}")
        answer = alice.call("DELETE", f"/users/{bob.user.id}/permanent").json()["data"]
        assert answer == {"id": str(bob.user.uuid), "userId": bob.user.id, "erased": True}
        with bind(bob.tenant.ref):
            user = User.objects.get(pk=bob.user.id)
            text = str(User.objects.filter(pk=bob.user.id).values().get()) + str(
                list(JournalEntry.objects.values_list("data", flat=True))
            )
        assert user.display_name == f"Deleted user {bob.user.id}"
        for trace in ("user@acme", "Bob", "+49", "dark"):
            assert trace not in text
        assert alice.get(f"/users/{bob.user.id}").status_code == 410
        assert alice.post("/users", {"email": "user@acme.test"}).status_code == 201
        assert len(journal(alice, "accounts.user_erased")) == 1

    def test_only_who_is_out_or_was_never_in(self, alice: Api, bob: Api) -> None:
        assert error(alice.call("DELETE", f"/users/{bob.user.id}/permanent")) == (409, "must_deactivate_first")
        assert error(alice.call("DELETE", f"/users/{alice.user.id}/permanent")) == (409, "cannot_delete_self")
        invited = alice.post("/users", NEW).json()["data"]["userId"]
        assert alice.call("DELETE", f"/users/{invited}/permanent").status_code == 200

    def test_it_takes_a_fresh_proof_of_presence(self, alice: Api, bob: Api) -> None:
        from datetime import timedelta

        from django.utils import timezone

        from accounts.models import Session

        alice.call("DELETE", f"/users/{bob.user.id}")
        with bind(alice.tenant.ref):
            Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
        assert error(alice.call("DELETE", f"/users/{bob.user.id}/permanent")) == (403, "reauth_required")
        alice.post("/auth/reauthenticate", {"password": "correct horse battery"})
        assert alice.call("DELETE", f"/users/{bob.user.id}/permanent").status_code == 200
