"""``POST /auth/reauthenticate``, and what asks for a recent proof of presence."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Session
from accounts.services.reauthentication import require_recent_authentication
from accounts.tests.mailed_links import code_of
from accounts.tests.second_factors import enrolled, proved_long_ago
from platform_site.api.identity import Identity
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.journal.models import JournalEntry
from tenancy.models import Tenant
from tests.support import PASSWORD, Api, signed_in


def prove(client: Api, **body: str) -> Any:
    return client.post("/auth/reauthenticate", body)


def session_of(client: Api) -> Session:
    with bind(client.tenant.ref):
        return Session.objects.get(user_id=client.user.id)


def identity(client: Api) -> Identity:
    return Identity(
        tenant=client.tenant.ref,
        session_id=session_of(client).id,
        user_id=client.user.id,
        user_uuid=client.user.uuid,
        role=client.user.role,
        profile_id=client.user.profile_id,
        permissions=frozenset(),
        email_verified=False,
    )


def test_the_password_is_a_proof(bob: Api) -> None:
    proved_long_ago(bob)
    response = prove(bob, password=PASSWORD)
    assert response.status_code == 200
    data = {name: datetime.fromisoformat(value) for name, value in response.json()["data"].items()}
    assert set(data) == {"authenticatedAt", "validUntil"}
    assert data["validUntil"] - data["authenticatedAt"] == timedelta(seconds=300)
    assert timezone.now() - session_of(bob).authenticated_at < timedelta(minutes=1)


def test_it_opens_what_asks_for_it(bob: Api) -> None:
    proved_long_ago(bob)
    refused = bob.post("/auth/mfa/totp")
    assert (refused.status_code, code_of(refused)) == (403, "reauth_required")
    prove(bob, password=PASSWORD)
    assert bob.post("/auth/mfa/totp").status_code == 200


def test_it_is_for_this_session_alone(bob: Api, tenant: Tenant) -> None:
    elsewhere = signed_in(tenant, "user@acme.test")
    proved_long_ago(bob)
    prove(bob, password=PASSWORD)
    assert code_of(elsewhere.post("/auth/mfa/totp")) == "reauth_required"


def test_it_is_written_in_the_journal(bob: Api, tenant: Tenant) -> None:
    prove(bob, password=PASSWORD)
    with bind(tenant.ref):
        entry = JournalEntry.objects.get(key="accounts.reauthenticated")
    assert (entry.subject_id, entry.actor_id) == (str(bob.user.uuid), bob.user.uuid)


@pytest.mark.parametrize("body", [{"password": "wrong-password"}, {"code": "123456"}, {}])
def test_what_is_wrong_is_no_401_and_proves_nothing(bob: Api, body: dict[str, str]) -> None:
    proved_long_ago(bob)
    response = prove(bob, **body)
    assert (response.status_code, code_of(response)) == (400, "current_password_invalid")
    assert code_of(bob.post("/auth/mfa/totp")) == "reauth_required"
    assert bob.get("/auth/me").status_code == 200


def test_a_code_of_no_second_factor_is_wrong_beside_the_password_too(bob: Api) -> None:
    assert code_of(prove(bob, password=PASSWORD, code="123456")) == "mfa_invalid"


class TestWithASecondFactor:
    def test_a_code_is_a_proof(self, bob: Api) -> None:
        app = enrolled(bob)
        proved_long_ago(bob)
        assert prove(bob, code=app.code()).status_code == 200
        assert bob.post("/auth/mfa/recovery-codes").status_code == 200

    def test_a_recovery_code_is_one_and_is_spent(self, bob: Api) -> None:
        app = enrolled(bob)
        proved_long_ago(bob)
        assert prove(bob, code=app.recovery_codes[0]).status_code == 200
        assert code_of(prove(bob, code=app.recovery_codes[0])) == "mfa_invalid"

    def test_the_password_alone_is_not_enough(self, bob: Api) -> None:
        enrolled(bob)
        proved_long_ago(bob)
        refused = prove(bob, password=PASSWORD)
        assert (refused.status_code, code_of(refused)) == (400, "mfa_invalid")
        assert [detail["field"] for detail in refused.json()["error"]["details"]] == ["code"]
        assert code_of(bob.post("/auth/mfa/recovery-codes")) == "reauth_required"

    def test_a_wrong_code_is_refused_beside_the_right_password(self, bob: Api) -> None:
        app = enrolled(bob)
        assert code_of(prove(bob, password=PASSWORD, code=app.wrong_code())) == "mfa_invalid"

    def test_a_wrong_password_is_refused_and_spends_no_code(self, bob: Api) -> None:
        app = enrolled(bob)
        code = app.code()
        assert code_of(prove(bob, password="wrong-password", code=code)) == "current_password_invalid"
        assert prove(bob, password=PASSWORD, code=code).status_code == 200


class TestLimits:
    def test_ten_in_a_quarter_of_an_hour(self, bob: Api, alice: Api) -> None:
        answers = [prove(bob, password="wrong-password") for _ in range(11)]
        assert [answer.status_code for answer in answers] == [400] * 10 + [429]
        assert code_of(answers[10]) == "too_many_attempts"
        assert code_of(prove(bob, password=PASSWORD)) == "too_many_attempts"
        assert prove(alice, password=PASSWORD).status_code == 200

    def test_a_right_password_gives_the_allowance_back(self, bob: Api) -> None:
        for _ in range(2):
            for _ in range(9):
                assert prove(bob, password="wrong-password").status_code == 400
            assert prove(bob, password=PASSWORD).status_code == 200


class TestRequireRecentAuthentication:
    def test_a_fresh_sign_in_is_recent(self, bob: Api, in_tenant: Tenant) -> None:
        require_recent_authentication(identity(bob))

    @pytest.mark.parametrize(("seconds", "fine"), [(290, True), (310, False)])
    def test_until_the_seconds_of_the_setting_are_over(
        self, bob: Api, in_tenant: Tenant, seconds: int, fine: bool
    ) -> None:
        Session.objects.update(authenticated_at=timezone.now() - timedelta(seconds=seconds))
        if fine:
            require_recent_authentication(identity(bob))
            return
        with pytest.raises(PlatformError) as refused:
            require_recent_authentication(identity(bob))
        assert refused.value.code.key == "reauth_required"

    def test_a_key_is_nobody_who_could(self, bob: Api, in_tenant: Tenant) -> None:
        with pytest.raises(PlatformError) as refused:
            require_recent_authentication(replace(identity(bob), is_person=False))
        assert refused.value.code.key == "person_required"

    def test_somebody_elses_session_proves_nothing(self, bob: Api, alice: Api, in_tenant: Tenant) -> None:
        with pytest.raises(PlatformError):
            require_recent_authentication(replace(identity(bob), session_id=session_of(alice).id))


def test_a_session_that_was_ended_meanwhile_proves_nothing(
    bob: Api, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.services import reauthentication
    from accounts.services.passwords import password_matches

    real = password_matches

    def slow(password: str, encoded: str) -> bool:
        # While the hash is computed, somebody resets the password.
        Session.objects.update(revoked_at=timezone.now())
        return real(password, encoded)

    monkeypatch.setattr(reauthentication, "password_matches", slow)
    assert code_of(prove(bob, password=PASSWORD)) == "session_revoked"


def test_nobody_proves_nothing(api: Api) -> None:
    assert code_of(prove(api, password=PASSWORD)) == "not_authenticated"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"password": 5}, "password", "not_text"),
        ({"code": "1" * 21}, "code", "max_length"),
        ({"password": PASSWORD, "userId": 1}, "userId", "unknown_field"),
    ],
)
def test_each_field_is_named_with_a_code(bob: Api, body: object, field: str, code: str) -> None:
    response = bob.post("/auth/reauthenticate", body)
    assert (response.status_code, code_of(response)) == (400, "validation_failed")
    assert [(detail["field"], detail["code"]) for detail in response.json()["error"]["details"]] == [(field, code)]
