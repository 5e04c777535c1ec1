"""``POST /auth/login``."""

from unittest.mock import ANY

import pytest
from django.test import Client

from accounts.models import Session, User
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from tenancy.models import Tenant
from tests.support import COMPANY, PASSWORD, Api, at_once

GOOD = {"email": "admin@acme.test", "password": PASSWORD, "tenantSlug": COMPANY}


def test_it_works(api: Api) -> None:
    response = api.post("/auth/login", GOOD)
    assert response.status_code == 200
    body = response.json()
    assert body == {
        "success": True,
        "data": {
            "accessToken": ANY,
            "refreshToken": ANY,
            "expiresIn": 600,
            "user": {
                "id": ANY,
                "userId": 1,
                "email": "admin@acme.test",
                "firstName": "Alice",
                "lastName": "",
                "displayName": "Alice",
                "role": "tenant_admin",
                "profile": {"id": 1, "name": "Administrator"},
                "status": "active",
                "emailVerified": False,
                "avatarUrl": None,
                "timezone": None,
                "locale": None,
                "lastSignInAt": ANY,
                "createdAt": ANY,
            },
            "tenant": {
                "id": ANY,
                "name": "Acme Corp",
                "slug": "acme",
                "status": "active",
                "plan": "trial",
                "timezone": "UTC",
                "locale": "en",
                "logoUrl": None,
                "createdAt": ANY,
            },
        },
    }
    assert response["Cache-Control"] == "no-store"


def test_address_and_slug_are_compared_without_case(api: Api) -> None:
    response = api.post("/auth/login", {**GOOD, "email": " Admin@ACME.test ", "tenantSlug": "Acme"})
    assert response.status_code == 200


def test_signing_in_is_written_in_the_journal(api: Api, tenant: Tenant) -> None:
    api.post("/auth/login", GOOD)
    with bind(tenant.ref):
        entry = JournalEntry.objects.filter(key="accounts.signed_in").latest("id")
        assert entry.origin == api.address
        assert entry.subject_id == str(User.objects.get(pk=1).uuid)


@pytest.mark.parametrize(
    "change",
    [
        {"password": "wrong-password"},
        {"email": "nobody@acme.test"},
        {"tenantSlug": "no-such-workspace"},
        {"tenantSlug": "globex"},
    ],
    ids=["wrong password", "unknown address", "unknown workspace", "another tenant's workspace"],
)
def test_whatever_is_wrong_the_answer_is_the_same(api: Api, change: dict[str, str]) -> None:
    response = api.post("/auth/login", {**GOOD, **change})
    assert response.status_code == 401
    body = response.json()
    body["error"].pop("requestId")
    assert body == {
        "success": False,
        "error": {
            "code": "invalid_credentials",
            "message": "Workspace, e-mail address or password is wrong.",
            "details": [],
            "context": {},
        },
    }
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("status", [User.Status.PENDING, User.Status.INACTIVE])
def test_a_state_is_told_only_after_the_right_password(api: Api, tenant: Tenant, status: str) -> None:
    with bind(tenant.ref):
        User.objects.filter(pk=1).update(status=status)
    assert api.post("/auth/login", {**GOOD, "password": "wrong-password"}).json()["error"]["code"] == (
        "invalid_credentials"
    )
    right = api.post("/auth/login", GOOD)
    assert (right.status_code, right.json()["error"]["code"]) == (403, "account_deactivated")


def test_a_suspended_tenant_is_told_only_after_the_right_password(api: Api, tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status="suspended")
    assert api.post("/auth/login", {**GOOD, "password": "wrong-password"}).status_code == 401
    assert api.post("/auth/login", GOOD).json()["error"]["code"] == "tenant_suspended"


def test_an_unverified_address_can_be_refused_by_setting(api: Api, settings: object) -> None:
    settings.REQUIRE_VERIFIED_EMAIL = True  # type: ignore[attr-defined]
    assert api.post("/auth/login", GOOD).json()["error"]["code"] == "email_not_verified"


def test_a_password_is_compared_in_nfkc(api: Api, tenant: Tenant) -> None:
    from accounts.services.passwords import password_hash

    with bind(tenant.ref):
        User.objects.filter(pk=1).update(password=password_hash("pässwörter sind gut"))
    decomposed = "pa\u0308sswo\u0308rter sind gut"
    assert api.post("/auth/login", {**GOOD, "password": decomposed}).status_code == 200


def test_the_oldest_session_ends_when_there_are_too_many(api: Api, tenant: Tenant, settings: object) -> None:
    settings.SESSIONS_PER_USER = 3  # type: ignore[attr-defined]
    first = Api(token=api.post("/auth/login", GOOD).json()["data"]["accessToken"])
    assert first.get("/auth/me").status_code == 200
    for _ in range(3):
        api.post("/auth/login", GOOD)
    with bind(tenant.ref):
        assert Session.objects.filter(user_id=1, revoked_at=None).count() == 3
    assert first.get("/auth/me").json()["error"]["code"] == "session_revoked"


class TestLockOut:
    def test_ten_wrong_passwords_and_no_more(self, tenant: Tenant) -> None:
        # Each attempt comes from another address: it is the account that is counted.
        codes = [Api().post("/auth/login", {**GOOD, "password": "wrong-password"}).status_code for _ in range(12)]
        assert codes == [401] * 10 + [429] * 2
        blocked = Api().post("/auth/login", GOOD)
        assert blocked.json()["error"]["code"] == "too_many_attempts"
        assert 800 < int(blocked["Retry-After"]) <= 900

    def test_the_last_attempt_is_written_down_once(self, tenant: Tenant) -> None:
        for _ in range(13):
            Api().post("/auth/login", {**GOOD, "password": "wrong-password"})
        with bind(tenant.ref):
            assert JournalEntry.objects.filter(key="accounts.sign_in_blocked").count() == 1

    def test_an_address_that_does_not_exist_is_counted_alike(self, database: None) -> None:
        wrong = {**GOOD, "email": "nobody@acme.test"}
        codes = [Api().post("/auth/login", wrong).status_code for _ in range(11)]
        assert codes == [401] * 10 + [429]

    def test_a_right_password_gives_the_allowance_back(self, tenant: Tenant) -> None:
        for _ in range(2):
            for _ in range(9):
                assert Api().post("/auth/login", {**GOOD, "password": "wrong-password"}).status_code == 401
            assert Api().post("/auth/login", GOOD).status_code == 200

    def test_a_stranger_cannot_lock_out_a_device_that_is_known(self, api: Api, tenant: Tenant) -> None:
        assert api.post("/auth/login", GOOD).status_code == 200
        for _ in range(11):
            Api().post("/auth/login", {**GOOD, "password": "wrong-password"})
        assert Api().post("/auth/login", GOOD).status_code == 429
        assert api.post("/auth/login", GOOD).status_code == 200

    def test_a_device_known_to_one_account_is_a_stranger_to_another(self, api: Api, tenant: Tenant) -> None:
        api.post("/auth/login", GOOD)
        other = {**GOOD, "email": "user@acme.test"}
        for _ in range(10):
            Api().post("/auth/login", {**other, "password": "wrong-password"})
        assert api.post("/auth/login", other).status_code == 429

    def test_an_address_of_origin_has_a_limit_over_all_accounts(self, settings: object, tenant: Tenant) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sign_in_origin": (5, 3600)}  # type: ignore[attr-defined]
        spray = Api()
        codes = [spray.post("/auth/login", {**GOOD, "email": f"u{n}@acme.test"}).status_code for n in range(6)]
        assert codes == [401] * 5 + [429]

    @pytest.mark.commits
    def test_parallel_guesses_reach_the_hasher_ten_times(self, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        from accounts.services import passwords, sign_in

        reached: list[int] = []
        real = passwords.password_matches

        def counting(password: str, encoded: str) -> bool:
            reached.append(1)
            return real(password, encoded)

        monkeypatch.setattr(sign_in, "password_matches", counting)
        clients = [Api() for _ in range(40)]
        tried = at_once(
            40, lambda n: clients[n].post("/auth/login", {**GOOD, "password": "wrong-password"}).status_code
        )
        assert tried.most_at_once > 5
        assert len(reached) == 10
        assert sorted(tried.results) == [401] * 10 + [429] * 30


class TestBadInput:
    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({"email": "a@b.test", "password": "x"}, "tenantSlug", "required"),
            ({**GOOD, "email": 5}, "email", "not_text"),
            ({**GOOD, "email": None}, "email", "null"),
            ({**GOOD, "password": ""}, "password", "blank"),
            ({**GOOD, "role": "tenant_admin"}, "role", "unknown_field"),
            ({**GOOD, "email": "a" * 300}, "email", "max_length"),
            ({**GOOD, "tenantSlug": "a\x07b"}, "tenantSlug", "control"),
        ],
    )
    def test_each_field_is_named_with_a_code(self, api: Api, body: object, field: str, code: str) -> None:
        response = api.post("/auth/login", body)
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (400, "validation_failed")
        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [(field, code)]

    def test_a_body_that_is_no_object(self, api: Api) -> None:
        assert api.post("/auth/login", [1]).status_code == 400

    def test_another_content_type(self, api: Api) -> None:
        response = api.call("POST", "/auth/login", b"email=a", content_type="application/x-www-form-urlencoded")
        assert response.status_code == 415

    def test_a_get_is_answered_with_the_methods_there_are(self, api: Api) -> None:
        response = api.get("/auth/login")
        assert response.status_code == 405
        assert response["Allow"] == "POST, OPTIONS"


def test_known_and_unknown_addresses_both_pay_for_a_hash(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from accounts.services import passwords

    hashed: list[str] = []

    def make(text: str) -> str:
        hashed.append("made")
        return ""

    def check(text: str, encoded: str) -> bool:
        hashed.append("checked")
        return False

    monkeypatch.setattr(passwords, "make_password", make)
    monkeypatch.setattr(passwords, "check_password", check)
    for change in ({"password": "wrong-password"}, {"email": "nobody@acme.test"}, {"tenantSlug": "nowhere-at-all"}):
        Api().post("/auth/login", {**GOOD, **change})
    assert hashed == ["checked", "made", "made"]


@pytest.mark.real_hasher
def test_passwords_are_hashed_with_argon2id(tenant: Tenant) -> None:
    from accounts.services.passwords import password_hash, password_matches

    encoded = password_hash("a real password")
    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert password_matches("a real password", encoded)
    assert not password_matches("another password", encoded)


def test_the_device_cookie_is_for_the_sign_in_path_only(api: Api) -> None:
    api.post("/auth/login", GOOD)
    assert isinstance(api.client, Client)
    cookie = api.client.cookies["known_device"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/api/v1/auth/login", True, "Lax")
