"""``/api-keys``: making, listing and revoking keys, and what one opens and does not."""

import io
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import ApiKey, Session, User
from accounts.roles import Role
from accounts.seats import seats_used
from accounts.services.api_keys import MOST, api_key_create
from accounts.services.people import UserChanges, user_deactivate, user_update
from accounts.tests.people import complaints, identity, journal, key_of, queries_of, refusal, somebody
from accounts.tests.second_factors import proved_long_ago
from accounts.tokens import OpaqueToken, make_token, parse_token
from platform_site import session_cache, valkey
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.keys import fingerprint
from platform_site.local.server import Profile
from platform_site.logs import formatter
from platform_site.permissions import permissions
from tenancy.models import Tenant
from tests.servers import private_valkey
from tests.support import PASSWORD, Api, at_once

CRM = {"name": "CRM import", "permissions": [1, 2]}
NO_ID = "0193a5c2-7d1e-7000-8000-000000000000"

# What a member may do, and so whoever invites one has to hold.
EVERYBODYS = [one.key for one in permissions if one.min_role == "user"]


@pytest.fixture
def dora(tenant: Tenant) -> Api:
    """A second administrator."""
    return somebody(tenant, "dora", Role.TENANT_ADMIN)


@pytest.fixture
def carol(tenant: Tenant) -> Api:
    """A manager."""
    return somebody(tenant, "carol", Role.MANAGER)


@pytest.fixture
def lines() -> Iterator[Any]:
    """Everything that is logged during the test, as it would be written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter("json"))
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    yield stream.getvalue
    root.setLevel(level)
    root.removeHandler(handler)


def rows(tenant: Tenant) -> list[ApiKey]:
    with bind(tenant.ref):
        return list(ApiKey.objects.order_by("id"))


def parts(client: Api) -> OpaqueToken:
    token = parse_token(client.token, "ak")
    assert token is not None
    return token


def row_of(client: Api) -> ApiKey:
    with bind(client.tenant.ref):
        return ApiKey.objects.get(pk=parts(client).id)


class TestMaking:
    def test_it_holds_what_it_was_given_and_is_shown_once(self, alice: Api, tenant: Tenant) -> None:
        answer = alice.post("/api-keys", CRM)
        assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
        data = answer.json()["data"]
        key = data.pop("key")
        assert (data["name"], data["permissions"], data["createdBy"]) == ("CRM import", [1, 2], "Alice")
        assert (data["expiresAt"], data["lastUsedAt"]) == (None, None)
        assert key.endswith(data["hint"])
        assert abs(datetime.fromisoformat(data["createdAt"]) - datetime.now(UTC)) < timedelta(minutes=1)
        listed = alice.get("/api-keys")
        assert listed.json()["data"] == [data]
        secret = key.rpartition(".")[2]
        for page in (listed, alice.get("/audit")):
            assert secret not in page.content.decode()
        (entry,) = journal(tenant, "accounts.api_key_created")
        assert (entry.actor_id, entry.subject_type, entry.subject_id) == (alice.user.uuid, "api_key", data["id"])
        assert entry.data == {"name": "CRM import", "permissions": ["users.view", "users.invite"]}

    def test_only_its_hash_is_stored(self, alice: Api, tenant: Tenant) -> None:
        robot = key_of(alice, "users.view")
        secret = parts(robot).secret
        (row,) = rows(tenant)
        assert bytes(row.secret_hash) == fingerprint(secret)
        with bind(tenant.ref):
            stored = str(ApiKey.objects.values().get())
        assert secret not in stored
        assert len(row.hint) <= 5

    def test_it_is_in_no_line_of_the_log(self, alice: Api, lines: Any) -> None:
        robot = key_of(alice, "users.view")
        robot.get("/users")
        robot.get("/permissions/me")
        Api(token=robot.token[:-1]).get("/users")
        written = lines()
        assert '"event": "request"' in written
        assert parts(robot).secret[:-1] not in written

    def test_numbers_count_once(self, alice: Api) -> None:
        answer = alice.post("/api-keys", {"name": "X", "permissions": [5, 1, 5]})
        assert answer.json()["data"]["permissions"] == [1, 5]

    def test_it_cannot_be_given_the_making_of_keys(self, alice: Api, tenant: Tenant) -> None:
        refused = alice.post("/api-keys", {"name": "X", "permissions": [1, 8]})
        assert refusal(refused) == (400, "permission_not_grantable")
        assert complaints(refused) == [("permissions.1", "permission_not_grantable")]
        assert rows(tenant) == []

    def test_nor_what_is_not_in_the_catalogue(self, alice: Api, tenant: Tenant) -> None:
        refused = alice.post("/api-keys", {"name": "X", "permissions": [1, 2, 999]})
        assert refusal(refused) == (400, "unknown_permission")
        assert complaints(refused) == [("permissions.2", "unknown_permission")]
        assert rows(tenant) == []

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            ({}, ("name", "required")),
            ({"name": ""}, ("name", "blank")),
            ({"name": "x" * 101}, ("name", "max_length")),
            ({"name": "a\x7fb"}, ("name", "control")),
            ({"name": "X"}, ("permissions", "required")),
            ({"name": "X", "permissions": []}, ("permissions", "min_length")),
            ({"name": "X", "permissions": [1] * 501}, ("permissions", "max_length")),
            ({"name": "X", "permissions": ["1"]}, ("permissions.0", "invalid")),
            ({"name": "X", "permissions": [True]}, ("permissions.0", "invalid")),
            ({"name": "X", "permissions": [-1]}, ("permissions.0", "min_value")),
            ({"name": "X", "permissions": ["users.view"]}, ("permissions.0", "invalid")),
            ({"name": "X", "permissions": [1], "expiresAt": "tomorrow"}, ("expiresAt", "invalid")),
            ({"name": "X", "permissions": [1], "expiresAt": "2027-01-01T00:00:00"}, ("expiresAt", "naive")),
            ({"name": "X", "permissions": [1], "expiresAt": "2020-01-01T00:00:00Z"}, ("expiresAt", "invalid")),
            ({"name": "X", "permissions": [1], "id": NO_ID}, ("id", "unknown_field")),
            ({"name": "X", "permissions": [1], "key": "ak_x"}, ("key", "unknown_field")),
            ({"name": "X", "permissions": [1], "role": "tenant_admin"}, ("role", "unknown_field")),
            ({"name": "X", "permissions": [1], "tenantId": NO_ID}, ("tenantId", "unknown_field")),
            ({"name": "X", "permissions": [1], "createdBy": 2}, ("createdBy", "unknown_field")),
            ({"name": "X", "permissions": [1], "secretHash": "x"}, ("secretHash", "unknown_field")),
        ],
    )
    def test_what_makes_no_sense_or_was_smuggled_in(
        self, alice: Api, tenant: Tenant, body: dict[str, Any], complaint: tuple[str, str]
    ) -> None:
        refused = alice.post("/api-keys", body)
        assert refused.status_code == 400
        assert complaint in complaints(refused)
        assert rows(tenant) == []

    def test_it_takes_a_fresh_proof_of_presence(self, alice: Api, tenant: Tenant) -> None:
        proved_long_ago(alice)
        assert refusal(alice.post("/api-keys", CRM)) == (403, "reauth_required")
        assert rows(tenant) == []
        alice.post("/auth/reauthenticate", {"password": PASSWORD})
        assert alice.post("/api-keys", CRM).status_code == 201

    @pytest.mark.parametrize("change", ["deactivated", "demoted"])
    def test_whoever_is_being_taken_out_at_this_moment_leaves_none(
        self, alice: Api, dora: Api, tenant: Tenant, change: str
    ) -> None:
        # The request was let in before; what follows is what it finds when it comes to the writing.
        let_in = identity(alice)
        with bind(tenant.ref):
            if change == "deactivated":
                user_deactivate(actor=identity(dora), ref=alice.user.id)
            else:
                user_update(actor=identity(dora), ref=alice.user.id, changes=UserChanges(role=Role.USER))
            with pytest.raises(PlatformError) as refused:
                api_key_create(actor=let_in, name="X", permission_numbers=[1])
        assert refused.value.code.key == "permission_denied"
        assert rows(tenant) == []

    def test_fifty_may_work_at_a_time(self, alice: Api, tenant: Tenant) -> None:
        key_of(alice, "users.view")
        (first,) = rows(tenant)
        with bind(tenant.ref):
            for number in range(MOST - 1):
                api_key_create(actor=identity(alice), name=f"K{number}", permission_numbers=[1])
        refused = alice.post("/api-keys", CRM)
        assert refusal(refused) == (409, "api_key_limit_reached")
        assert refused.json()["error"]["context"] == {"limit": 50}
        alice.call("DELETE", f"/api-keys/{first.id}")
        assert alice.post("/api-keys", CRM).status_code == 201

    @pytest.mark.commits
    def test_however_many_are_made_at_once(
        self, alice: Api, dora: Api, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slow(kind: str, tenant_id: UUID, token_id: UUID, *, key_id: str) -> OpaqueToken:
            # Between the counting and the writing.
            time.sleep(0.05)
            return make_token(kind, tenant_id, token_id, key_id=key_id)

        monkeypatch.setattr("accounts.services.api_keys.make_token", slow)
        # By two, because one person's wait for each other anyway.
        with bind(tenant.ref):
            for number in range(MOST - 3):
                api_key_create(actor=identity(alice), name=f"K{number}", permission_numbers=[1])
        tokens = [alice.token, dora.token]
        done = at_once(10, lambda n: Api(token=tokens[n % 2]).post("/api-keys", CRM).status_code)
        assert done.most_at_once > 2
        assert sorted(done.results) == [201] * 3 + [409] * 7
        assert len(rows(tenant)) == MOST

    def test_a_repeat_with_an_idempotency_key_makes_one_and_stores_it_sealed(self, alice: Api, tenant: Tenant) -> None:
        from platform_site.idempotency.models import IdempotencyRecord

        first, again = (alice.post("/api-keys", CRM, idempotency_key="k") for _ in range(2))
        assert again["Idempotency-Replayed"] == "true"
        key = first.json()["data"]["key"]
        assert again.json()["data"]["key"] == key
        assert len(rows(tenant)) == 1
        with bind(tenant.ref):
            assert key.rpartition(".")[2].encode() not in bytes(IdempotencyRecord.objects.get().answer)


class TestWhoMayMakeThem:
    def test_nobody_but_an_administrator(self, alice: Api, bob: Api, carol: Api, api: Api, tenant: Tenant) -> None:
        robot = row_of(key_of(alice, "users.view"))
        for client, expected in (
            (bob, (403, "permission_denied")),
            (carol, (403, "permission_denied")),
            (api, (401, "not_authenticated")),
        ):
            assert refusal(client.get("/api-keys")) == expected
            assert refusal(client.post("/api-keys", CRM)) == expected
            assert refusal(client.call("DELETE", f"/api-keys/{robot.id}")) == expected
        assert [row.revoked_at for row in rows(tenant)] == [None]

    def test_no_key_whatever_it_holds(self, alice: Api, tenant: Tenant) -> None:
        robot = key_of(alice, *(one.key for one in permissions if one.key != "api_keys.manage"))
        # Also one whose row was given more than a key may have.
        with bind(tenant.ref):
            ApiKey.objects.update(permissions=[one.number for one in permissions])
        for answer in (
            robot.get("/api-keys"),
            robot.post("/api-keys", CRM),
            robot.call("DELETE", f"/api-keys/{row_of(robot).id}"),
        ):
            assert refusal(answer) == (403, "person_required")
        assert len(rows(tenant)) == 1
        assert robot.get("/users").status_code == 200


class TestListing:
    def test_newest_first_and_only_those_that_work(self, alice: Api, dora: Api, tenant: Tenant) -> None:
        for name in ("first", "expired", "revoked"):
            key_of(alice, "users.view", name=name)
        key_of(dora, "users.view", name="hers")
        with bind(tenant.ref):
            ApiKey.objects.filter(name="expired").update(expires_at=timezone.now() - timedelta(seconds=1))
            revoked = ApiKey.objects.get(name="revoked").id
        alice.call("DELETE", f"/api-keys/{revoked}")
        found = alice.get("/api-keys").json()["data"]
        assert [(one["name"], one["createdBy"]) for one in found] == [("hers", "Dora"), ("first", "Alice")]
        assert dora.get("/api-keys").json()["data"] == found

    def test_it_costs_the_same_for_one_and_for_many(self, alice: Api, dora: Api, tenant: Tenant) -> None:
        key_of(alice, "users.view")
        one = queries_of(alice, "/api-keys")
        with bind(tenant.ref):
            for number in range(MOST - 1):
                actor = identity(alice if number % 2 else dora)
                api_key_create(actor=actor, name=f"K{number}", permission_numbers=[1])
        assert queries_of(alice, "/api-keys") == one == 1
        assert len(alice.get("/api-keys").json()["data"]) == MOST

    def test_of_another_tenant_nothing_is_seen_or_revoked(self, alice: Api, mallory: Api, tenant: Tenant) -> None:
        robot = key_of(alice, "users.view")
        assert mallory.get("/api-keys").json()["data"] == []
        assert refusal(mallory.call("DELETE", f"/api-keys/{row_of(robot).id}")) == (404, "not_found")
        assert robot.get("/users").status_code == 200

    @pytest.mark.parametrize("reference", ["1", "x", NO_ID, NO_ID.replace("-", ""), "%00"])
    def test_what_is_not_there_is_404(self, alice: Api, reference: str) -> None:
        assert refusal(alice.call("DELETE", f"/api-keys/{reference}")) == (404, "not_found")


class TestUsing:
    def test_it_opens_what_its_permissions_say(self, alice: Api) -> None:
        robot = key_of(alice, "users.view")
        assert len(robot.get("/users").json()["data"]) == 2
        assert robot.get(f"/users/{alice.user.id}").json()["data"]["email"] == "admin@acme.test"
        for method, path, body in (
            ("POST", "/users", {"email": "a@b.test"}),
            ("GET", "/profiles", None),
            ("GET", "/audit", None),
            ("GET", "/org-settings", None),
        ):
            assert refusal(robot.call(method, path, body)) == (403, "permission_denied")

    def test_without_it_the_same_is_refused(self, alice: Api) -> None:
        robot = key_of(alice, "profiles.view")
        refused = robot.get("/users")
        assert refusal(refused) == (403, "permission_denied")
        assert refused.json()["error"]["context"] == {"permission": "users.view"}
        assert robot.get("/profiles").status_code == 200

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/auth/me", None),
            ("GET", "/users/me", None),
            ("GET", "/permissions/me", None),
            ("PATCH", "/auth/me/profile", {"timezone": "Europe/Berlin"}),
            ("POST", "/auth/password/change", {"currentPassword": PASSWORD, "newPassword": "quite another sentence"}),
            ("POST", "/auth/reauthenticate", {"password": PASSWORD}),
            ("POST", "/auth/ws-ticket", {}),
            ("POST", "/auth/logout-all", {}),
            ("GET", "/auth/sessions", None),
            ("POST", "/auth/mfa/totp", {}),
            ("GET", "/api-keys", None),
            ("DELETE", "/users/2/permanent", None),
            ("DELETE", "/users/2/mfa", None),
        ],
    )
    def test_it_is_refused_where_a_person_is_needed(
        self, alice: Api, method: str, path: str, body: dict[str, str] | None
    ) -> None:
        robot = key_of(alice, *(one.key for one in permissions if one.key != "api_keys.manage"))
        assert refusal(robot.call(method, path, body)) == (403, "person_required")

    def test_it_ranks_as_a_manager(self, alice: Api, bob: Api, carol: Api) -> None:
        robot = key_of(alice, "users.view", "users.invite", "users.edit", "users.deactivate")
        for person in (alice, carol):
            for method, path, body in (
                ("PATCH", f"/users/{person.user.id}", {"firstName": "X"}),
                ("DELETE", f"/users/{person.user.id}", None),
            ):
                assert refusal(robot.call(method, path, body)) == (403, "cannot_modify_superior")
        for role in ("manager", "tenant_admin"):
            refused = robot.post("/users", {"email": "a@b.test", "role": role})
            assert refusal(refused) == (403, "role_not_assignable")
            refused = robot.call("PATCH", f"/users/{bob.user.id}", {"role": role})
            assert refusal(refused) == (403, "role_not_assignable")
        assert robot.call("PATCH", f"/users/{bob.user.id}", {"firstName": "Robert"}).status_code == 200
        assert robot.call("DELETE", f"/users/{bob.user.id}").json()["data"]["status"] == "inactive"

    def test_it_gives_only_what_it_holds(self, alice: Api) -> None:
        robot = key_of(alice, "users.view", "users.invite")
        # A member may do what everybody may, which is more than these two.
        refused = robot.post("/users", {"email": "a@b.test"})
        assert refusal(refused) == (403, "profile_not_assignable")
        enough = key_of(alice, "users.invite", *EVERYBODYS)
        assert enough.post("/users", {"email": "a@b.test"}).status_code == 201

    def test_what_it_does_is_written_down_as_its_own(self, alice: Api, tenant: Tenant) -> None:
        robot = key_of(alice, "users.invite", *EVERYBODYS, name="Importer")
        invited = robot.post("/users", {"email": "a@b.test"}).json()["data"]
        key_id = str(row_of(robot).id)
        (found,) = alice.get("/audit?key=accounts.user_invited").json()["data"]
        assert found["actor"] == {"id": key_id, "userId": None, "displayName": "Importer", "kind": "api_key"}
        assert found["subject"]["id"] == invited["id"]
        assert [one["key"] for one in alice.get(f"/audit?actor={key_id}").json()["data"]] == ["accounts.user_invited"]
        # Also after it is gone.
        alice.call("DELETE", f"/api-keys/{key_id}")
        (found,) = alice.get("/audit?key=accounts.user_invited").json()["data"]
        assert found["actor"]["displayName"] == "Importer"

    def test_it_sees_its_own_tenant_only(self, alice: Api, mallory: Api) -> None:
        ours, theirs = key_of(alice, "users.view"), key_of(mallory, "users.view")
        assert b"globex" not in ours.get("/users?limit=100").content
        assert b"acme" not in theirs.get("/users?limit=100").content
        assert refusal(theirs.get(f"/users/{alice.user.uuid}")) == (404, "not_found")

    def test_when_it_was_used_last_is_known_to_the_minute(self, alice: Api, tenant: Tenant) -> None:
        robot = key_of(alice, "users.view")
        assert row_of(robot).last_used_at is None
        robot.get("/users")
        first = row_of(robot).last_used_at
        assert first is not None
        assert abs(first - timezone.now()) < timedelta(minutes=1)
        robot.get("/users")
        assert row_of(robot).last_used_at == first
        session_cache.forget_tenant(tenant.id)
        robot.get("/users")
        last = row_of(robot).last_used_at
        assert last is not None
        assert last > first
        assert alice.get("/api-keys").json()["data"][0]["lastUsedAt"] is not None

    def test_who_knows_its_id_alone_has_not_used_it(self, alice: Api) -> None:
        robot = key_of(alice, "users.view")
        forged = str(robot.token).replace(parts(robot).secret, "x" * 44)
        assert refusal(Api(token=forged).get("/users")) == (401, "api_key_invalid")
        assert row_of(robot).last_used_at is None
        robot.get("/users")
        assert row_of(robot).last_used_at is not None
        assert refusal(Api(token=forged).get("/users")) == (401, "api_key_invalid")


class TestEnds:
    def test_a_revoked_one_is_refused_at_once(self, alice: Api, tenant: Tenant) -> None:
        robot, other = key_of(alice, "users.view"), key_of(alice, "users.view")
        assert robot.get("/users").status_code == 200
        key_id = row_of(robot).id
        answer = alice.call("DELETE", f"/api-keys/{key_id}")
        assert (answer.status_code, answer.json()["data"]) == (200, {"revoked": True})
        assert refusal(robot.get("/users")) == (401, "api_key_invalid")
        assert other.get("/users").status_code == 200
        assert refusal(alice.call("DELETE", f"/api-keys/{key_id}")) == (404, "not_found")
        (entry,) = journal(tenant, "accounts.api_key_revoked")
        assert (entry.actor_id, entry.subject_id, entry.data) == (alice.user.uuid, str(key_id), {"name": "Robot"})

    def test_revoking_needs_no_fresh_proof(self, alice: Api) -> None:
        robot = key_of(alice, "users.view")
        proved_long_ago(alice)
        assert alice.call("DELETE", f"/api-keys/{row_of(robot).id}").status_code == 200

    def test_an_expired_one_is_refused_also_when_its_record_is_cached(
        self, alice: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        end = timezone.now() + timedelta(hours=1)
        made = alice.post("/api-keys", {**CRM, "expiresAt": end.isoformat()}).json()["data"]
        assert datetime.fromisoformat(made["expiresAt"]) - end < timedelta(milliseconds=1)
        robot = Api(token=made["key"])
        assert robot.get("/users").status_code == 200
        monkeypatch.setattr("accounts.services.api_key_records.timezone.now", lambda: end)
        assert refusal(robot.get("/users")) == (401, "api_key_invalid")
        session_cache.forget_tenant(alice.tenant.id)
        assert refusal(robot.get("/users")) == (401, "api_key_invalid")

    def test_it_ends_with_its_maker_s_deactivation(self, alice: Api, dora: Api) -> None:
        hers, ours = key_of(dora, "users.view"), key_of(alice, "users.view")
        assert hers.get("/users").status_code == 200
        alice.call("DELETE", f"/users/{dora.user.id}")
        assert refusal(hers.get("/users")) == (401, "api_key_invalid")
        assert ours.get("/users").status_code == 200
        # And does not come back with the person.
        alice.post(f"/users/{dora.user.id}/activate")
        assert refusal(hers.get("/users")) == (401, "api_key_invalid")

    def test_and_with_its_maker_s_deletion(self, alice: Api, dora: Api) -> None:
        hers = key_of(dora, "users.view")
        alice.call("DELETE", f"/users/{dora.user.id}")
        assert alice.call("DELETE", f"/users/{dora.user.id}/permanent").status_code == 200
        assert refusal(hers.get("/users")) == (401, "api_key_invalid")
        with bind(alice.tenant.ref):
            assert bytes(ApiKey.objects.get().secret_hash) == b""

    def test_not_with_its_maker_s_sessions(self, alice: Api) -> None:
        robot = key_of(alice, "users.view")
        alice.post("/auth/logout-all")
        assert robot.get("/users").status_code == 200

    def test_a_suspended_tenant_is_403_and_works_again_afterwards(self, alice: Api, mallory: Api) -> None:
        from tenancy.services import tenant_reactivate, tenant_suspend

        robot, theirs = key_of(alice, "users.view"), key_of(mallory, "users.view")
        assert robot.get("/users").status_code == 200
        tenant_suspend(tenant_id=alice.tenant.id, reason="a test")
        for _ in range(2):
            assert refusal(robot.get("/users")) == (403, "tenant_suspended")
        # Who has no key learns nothing about the tenant.
        forged = robot.token.replace(parts(robot).secret, "x" * 44)
        assert refusal(Api(token=forged).get("/users")) == (401, "api_key_invalid")
        assert theirs.get("/users").status_code == 200
        tenant_reactivate(tenant_id=alice.tenant.id)
        assert robot.get("/users").status_code == 200


class TestForgeries:
    def test_near_misses(self, alice: Api, bob: Api) -> None:
        robot = key_of(alice, "users.view")
        token, key = robot.token, parts(robot)
        near = [
            token[:-1],
            token[:-2],
            f"{token}0",
            f"{token[:-1]}1",
            f"{token} x",
            token.replace(key.secret, ""),
            token.replace(f".{key.secret}", ""),
            token.replace(key.secret, key.secret.swapcase()),
            token.replace(key.secret, "x" * 43),
            token.replace(key.id.hex, NO_ID.replace("-", "")),
            token.replace(key.id.hex, key.id.hex.upper()),
            token.replace("ak_", "ak_ak_", 1),
            token.replace(".", "_"),
            "ak_",
            "ak_..",
            f"ak_{'0' * 32}.{'0' * 32}.{'A' * 43}0",
            f"ak_{'x' * 5000}",
        ]
        for text in near:
            refused = Api(token=text).get("/users")
            assert refusal(refused) == (401, "api_key_invalid"), text
            assert refused["WWW-Authenticate"].startswith("Bearer")
        assert robot.get("/users").status_code == 200

    def test_tokens_of_other_kinds(self, alice: Api, bob: Api) -> None:
        robot = key_of(alice, "users.view")
        others = [
            robot.token.replace("ak_", "rt_", 1),
            robot.token.replace("ak_", "AK_", 1),
            bob.tokens.refresh_token,
            "Bearer",
        ]
        for text in others:
            assert Api(token=text).get("/users").status_code == 401, text
        for text in (bob.tokens.refresh_token.replace("rt_", "ak_", 1), f"ak_{bob.token}"):
            assert refusal(Api(token=text).get("/users")) == (401, "api_key_invalid"), text
        # Nor does a key refresh a session or sign anybody out.
        assert Api().post("/auth/refresh", {"refreshToken": robot.token}).status_code == 401
        assert robot.post("/auth/logout").status_code == 401

    def test_a_session_s_id_in_a_key_is_none(self, bob: Api) -> None:
        # Its record is in the cache under the same name as a key's would be.
        assert bob.get("/auth/me").status_code == 200
        with bind(bob.tenant.ref):
            session = Session.objects.get(user_id=bob.user.id)
        text = f"ak_{bob.tenant.id.hex}.{session.id.hex}.{'x' * 44}"
        assert refusal(Api(token=text).get("/users")) == (401, "api_key_invalid")
        assert bob.get("/auth/me").status_code == 200

    def test_another_tenant_s_name_in_front_opens_nothing(self, alice: Api, mallory: Api) -> None:
        ours, theirs = key_of(alice, "users.view"), key_of(mallory, "users.view")
        for mine, other in ((ours, theirs), (theirs, ours)):
            assert mine.get("/users").status_code == 200
            swapped = mine.token.replace(parts(mine).tenant_id.hex, parts(other).tenant_id.hex)
            assert refusal(Api(token=swapped).get("/users")) == (401, "api_key_invalid")
        # Not even where a row of the same id lies.
        with bind(mallory.tenant.ref):
            ApiKey.objects.create(
                id=parts(ours).id,
                name="Twin",
                permissions=[1],
                key_id=row_of(theirs).key_id,
                secret_hash=fingerprint("another secret"),
                hint="x",
                created_by_id=mallory.user.id,
            )
        swapped = ours.token.replace(alice.tenant.id.hex, mallory.tenant.id.hex)
        assert refusal(Api(token=swapped).get("/users")) == (401, "api_key_invalid")

    def test_a_wrong_secret_does_not_spoil_the_right_one(self, alice: Api) -> None:
        robot = key_of(alice, "users.view")
        forged = robot.token.replace(parts(robot).secret, "x" * 44)
        for _ in range(3):
            assert Api(token=forged).get("/users").status_code == 401
            assert robot.get("/users").status_code == 200


@pytest.mark.commits
class TestWithoutTheCache:
    @pytest.fixture
    def server(self, tmp_path: Path, settings: Any) -> Iterator[Any]:
        """A Valkey of the test's own that can be stopped and brought back."""
        with private_valkey(tmp_path, Profile.DEVELOPMENT) as own:
            settings.REDIS_URL = own.url
            valkey.close()
            yield own
            valkey.close()

    def test_a_key_works_and_revoking_it_counts(self, server: Any, alice: Api) -> None:
        robot = key_of(alice, "users.view")
        assert robot.get("/users").status_code == 200
        server.stop()
        assert robot.get("/users").status_code == 200
        made_meanwhile = key_of(alice, "users.view")
        assert made_meanwhile.get("/users").status_code == 200
        for client in (robot, made_meanwhile):
            assert alice.call("DELETE", f"/api-keys/{parts(client).id}").status_code == 200
            assert refusal(client.get("/users")) == (401, "api_key_invalid")

    def test_one_that_was_revoked_meanwhile_stays_so_when_the_cache_is_back(
        self, server: Any, alice: Api, dora: Api
    ) -> None:
        robot, hers = key_of(alice, "users.view"), key_of(dora, "users.view")
        for client in (robot, hers):
            assert client.get("/users").status_code == 200
        server.stop()
        alice.call("DELETE", f"/api-keys/{parts(robot).id}")
        alice.call("DELETE", f"/users/{dora.user.id}")
        server.start()
        valkey.close()
        session_cache._epoch.expire()
        for client in (robot, hers):
            assert refusal(client.get("/users")) == (401, "api_key_invalid")


def test_a_key_is_no_person_and_takes_no_seat(alice: Api, tenant: Tenant) -> None:
    with bind(tenant.ref):
        before = seats_used()
    key_of(alice, "users.view")
    with bind(tenant.ref):
        assert seats_used() == before == User.objects.count()
    assert alice.get("/users").json()["meta"]["total"] == before
