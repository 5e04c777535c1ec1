"""Ways around the second factor, each tried. None may give a session that the code did not open."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import LinkToken, SecondFactor, Session, User
from accounts.services.links import link_create, link_token
from accounts.services.mfa_tokens import mfa_token
from accounts.services.passwords import password_hash
from accounts.services.sign_in import MfaPending, finish_sign_in
from accounts.tests.second_factors import (
    App,
    code_of,
    enrolled,
    give_password,
    mfa_required,
    mfa_token_of,
    proved_long_ago,
    verify,
)
from accounts.tokens import make_token
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.keys import current_token_key
from tenancy.models import Tenant
from tests.support import PASSWORD, Api

NEW_PASSWORD = "quite another sentence"


@pytest.fixture
def app(bob: Api) -> App:
    """Bob's authenticator app. His session of before is all that he has."""
    return enrolled(bob)


def sessions(client: Api) -> int:
    with bind(client.tenant.ref):
        return Session.objects.filter(user_id=client.user.id).count()


def has_no_tokens(response: Any) -> bool:
    return b"accessToken" not in response.content and b"refreshToken" not in response.content


class TestWithoutACode:
    def test_the_password_alone(self, bob: Api, app: App) -> None:
        before = sessions(bob)
        for spelling in (bob.user.email, bob.user.email.upper(), f" {bob.user.email} "):
            body = {"email": spelling, "password": PASSWORD, "tenantSlug": "acme"}
            assert has_no_tokens(Api().post("/auth/login", body))
        assert sessions(bob) == before

    def test_a_device_that_signed_in_before(self, bob: Api, app: App) -> None:
        known = Api()
        answer = known.post("/auth/mfa/verify", {"mfaToken": mfa_token_of(bob), "code": app.code()})
        assert "known_device" in answer.cookies
        body = {"email": bob.user.email, "password": PASSWORD, "tenantSlug": "acme"}
        assert has_no_tokens(known.post("/auth/login", body))

    def test_the_mfa_token_as_a_bearer(self, bob: Api, app: App) -> None:
        nobody = Api(token=mfa_token_of(bob))
        for method, path in [("GET", "/auth/me"), ("POST", "/auth/ws-ticket"), ("DELETE", "/auth/mfa/totp")]:
            assert code_of(nobody.call(method, path)) == "token_invalid"

    def test_the_mfa_token_as_a_refresh_token(self, bob: Api, app: App) -> None:
        answer = Api().post("/auth/refresh", {"refreshToken": mfa_token_of(bob)[:200]})
        assert code_of(answer) == "refresh_token_invalid"

    def test_an_access_token_as_an_mfa_token(self, bob: Api, app: App) -> None:
        answer = verify(bob.token[:400], app.code())
        assert code_of(answer) == "mfa_token_invalid"

    def test_an_empty_code(self, bob: Api, app: App) -> None:
        token = mfa_token_of(bob)
        codes: list[Any] = ["", None, 0, [], {}, True]
        for code in codes:
            answer = Api().post("/auth/mfa/verify", {"mfaToken": token, "code": code})
            assert (answer.status_code, code_of(answer)) == (400, "validation_failed")
        assert code_of(Api().post("/auth/mfa/verify", {"mfaToken": token})) == "validation_failed"
        assert code_of(verify(token, " - ")) in {"mfa_invalid", "validation_failed"}

    def test_a_second_factor_without_recovery_codes_has_none_that_is_empty(self, bob: Api, app: App) -> None:
        with bind(bob.tenant.ref):
            SecondFactor.objects.filter(user_id=bob.user.id).update(recovery_hashes=[])
        assert code_of(verify(mfa_token_of(bob), "00000-00000")) == "mfa_invalid"


class TestByAnotherDoor:
    def test_a_reset_of_the_password(self, bob: Api, app: App) -> None:
        with bind(bob.tenant.ref), transaction.atomic():
            user = User.objects.get(pk=bob.user.id)
            token = str(link_token(link_create(user=user, kind=LinkToken.Kind.RESET_PASSWORD)))
        before = sessions(bob)
        reset = Api().post("/auth/password/reset", {"token": token, "password": NEW_PASSWORD})
        assert reset.status_code == 200
        assert has_no_tokens(reset)
        body = {"email": bob.user.email, "password": NEW_PASSWORD, "tenantSlug": "acme"}
        answer = Api().post("/auth/login", body)
        assert answer.json()["data"]["mfaRequired"] is True
        assert sessions(bob) == before
        assert code_of(verify(answer.json()["data"]["mfaToken"], app.wrong_code())) == "mfa_invalid"

    def test_a_token_from_before_that_reset(self, bob: Api, app: App) -> None:
        token = mfa_token_of(bob)
        with bind(bob.tenant.ref):
            User.objects.filter(pk=bob.user.id).update(password=password_hash(NEW_PASSWORD))
        assert code_of(verify(token, app.code())) == "mfa_token_invalid"

    def test_a_refresh_makes_no_session_and_keeps_how_it_was_opened(self, bob: Api, app: App) -> None:
        data = verify(mfa_token_of(bob), app.code()).json()["data"]
        before = sessions(bob)
        assert Api().post("/auth/refresh", {"refreshToken": data["refreshToken"]}).status_code == 200
        assert sessions(bob) == before
        with bind(bob.tenant.ref):
            assert Session.objects.filter(user_id=bob.user.id).latest("created_at").methods == "pwd otp"

    def test_a_mailed_link_of_any_kind_as_an_mfa_token(self, bob: Api, app: App) -> None:
        with bind(bob.tenant.ref), transaction.atomic():
            user = User.objects.get(pk=bob.user.id)
            tokens = [str(link_token(link_create(user=user, kind=kind))) for kind in LinkToken.Kind]
        for token in tokens:
            assert code_of(verify(token, app.code())) == "mfa_token_invalid"
            assert code_of(Api().post("/auth/mfa/enroll", {"mfaToken": token})) == "mfa_token_invalid"

    def test_verifying_the_address_signs_nobody_in(self, bob: Api, app: App) -> None:
        with bind(bob.tenant.ref), transaction.atomic():
            user = User.objects.get(pk=bob.user.id)
            token = str(link_token(link_create(user=user, kind=LinkToken.Kind.VERIFY_EMAIL)))
        before = sessions(bob)
        assert has_no_tokens(Api().post(f"/auth/verify-email/{token}"))
        assert sessions(bob) == before

    def test_accepting_an_invitation_goes_through_the_same_gate(self, bob: Api, app: App) -> None:
        before = sessions(bob)
        with bind(bob.tenant.ref), transaction.atomic():
            outcome = finish_sign_in(tenant=bob.tenant.ref, user=User.objects.get(pk=bob.user.id))
        assert isinstance(outcome, MfaPending)
        assert not outcome.must_enroll
        assert sessions(bob) == before

    def test_accepting_an_invitation_where_everybody_needs_one(self, bob: Api, tenant: Tenant) -> None:
        mfa_required(tenant)
        with bind(tenant.ref), transaction.atomic():
            User.objects.filter(pk=bob.user.id).update(status=User.Status.PENDING, password="", email_verified_at=None)
            user = User.objects.get(pk=bob.user.id)
            token = str(link_token(link_create(user=user, kind=LinkToken.Kind.INVITATION)))
        before = sessions(bob)
        answer = Api().post("/users/accept-invitation", {"token": token, "password": NEW_PASSWORD})
        assert (answer.status_code, code_of(answer)) == (403, "mfa_enrollment_required")
        assert has_no_tokens(answer)
        assert sessions(bob) == before
        # What was done stays done: the person is in, and signs in by setting one up.
        mfa = answer.json()["error"]["context"]["mfaToken"]
        app = App(Api().post("/auth/mfa/enroll", {"mfaToken": mfa}).json()["data"]["secret"])
        done = Api().post("/auth/mfa/enroll/confirm", {"mfaToken": mfa, "code": app.code()})
        assert done.status_code == 200

    def test_a_ticket_for_a_socket_needs_a_session(self, bob: Api, app: App) -> None:
        assert code_of(Api().post("/auth/ws-ticket")) == "not_authenticated"
        assert code_of(Api().post("/auth/ws-ticket", {"mfaToken": mfa_token_of(bob)})) == "not_authenticated"

    def test_an_api_key_is_nobody(self, bob: Api, app: App, tenant: Tenant) -> None:
        key = str(make_token("ak", tenant.id, uuid7(), key_id=current_token_key()))
        for method, path in [("GET", "/auth/mfa"), ("POST", "/auth/ws-ticket"), ("DELETE", "/auth/mfa/totp")]:
            assert Api(token=key).call(method, path).status_code == 401
        assert code_of(verify(key, app.code())) == "mfa_token_invalid"

    def test_signing_out_with_it_opens_nothing(self, bob: Api, app: App) -> None:
        assert code_of(Api(token=mfa_token_of(bob)).post("/auth/logout")) == "token_invalid"


class TestWithACodeOfAnotherKind:
    def test_a_recovery_code_again(self, bob: Api, app: App) -> None:
        code = app.recovery_codes[0]
        assert verify(mfa_token_of(bob), code).status_code == 200
        for again in (code, code.upper(), code.replace("-", ""), f" {code} "):
            assert code_of(verify(mfa_token_of(bob), again)) == "mfa_invalid"

    def test_a_recovery_code_of_a_second_factor_that_is_gone(self, bob: Api, app: App) -> None:
        bob.call("DELETE", "/auth/mfa/totp")
        enrolled(bob)
        assert code_of(verify(mfa_token_of(bob), app.recovery_codes[0])) == "mfa_invalid"

    def test_a_code_of_a_secret_that_was_never_confirmed(self, bob: Api) -> None:
        pending = App(bob.post("/auth/mfa/totp").json()["data"]["secret"])
        with bind(bob.tenant.ref):
            token = mfa_token(user=bob.user, purpose="verify")
        assert code_of(verify(token, pending.code())) == "mfa_invalid"

    def test_the_hash_of_a_recovery_code_is_no_code(self, bob: Api, app: App) -> None:
        with bind(bob.tenant.ref):
            stored = SecondFactor.objects.get(user_id=bob.user.id).recovery_hashes[0]
        for text in (bytes(stored).hex()[:10], bytes(stored).hex()[:20]):
            assert code_of(verify(mfa_token_of(bob), text)) == "mfa_invalid"


class TestWithATokenOfAnotherKind:
    def test_an_enrollment_token_at_verification(self, bob: Api, tenant: Tenant, app: App) -> None:
        with bind(tenant.ref):
            token = mfa_token(user=bob.user, purpose="enroll")
        assert code_of(verify(token, app.code())) == "mfa_token_invalid"

    def test_a_verification_token_at_enrollment(self, bob: Api, app: App) -> None:
        token = mfa_token_of(bob)
        assert code_of(Api().post("/auth/mfa/enroll", {"mfaToken": token})) == "mfa_token_invalid"
        body = {"mfaToken": token, "code": app.code()}
        assert code_of(Api().post("/auth/mfa/enroll/confirm", body)) == "mfa_token_invalid"

    def test_an_enrollment_token_of_before_for_somebody_who_has_one_now(self, bob: Api, tenant: Tenant) -> None:
        mfa_required(tenant)
        token = mfa_token_of(bob)
        enrolled(bob)
        before = sessions(bob)
        answer = Api().post("/auth/mfa/enroll", {"mfaToken": token})
        assert code_of(answer) == "mfa_token_invalid"
        confirm = Api().post("/auth/mfa/enroll/confirm", {"mfaToken": token, "code": "123456"})
        assert code_of(confirm) == "mfa_token_invalid"
        assert sessions(bob) == before

    def test_even_a_fresh_enrollment_token_replaces_no_second_factor(self, bob: Api, tenant: Tenant, app: App) -> None:
        with bind(tenant.ref):
            token = mfa_token(user=bob.user, purpose="enroll")
        assert code_of(Api().post("/auth/mfa/enroll", {"mfaToken": token})) == "mfa_already_enabled"
        assert verify(mfa_token_of(bob), app.code()).status_code == 200

    def test_one_enrollment_token_gives_one_second_factor(self, bob: Api, tenant: Tenant) -> None:
        mfa_required(tenant)
        token = mfa_token_of(bob)
        app = App(Api().post("/auth/mfa/enroll", {"mfaToken": token}).json()["data"]["secret"])
        body = {"mfaToken": token, "code": app.code()}
        assert Api().post("/auth/mfa/enroll/confirm", body).status_code == 200
        assert code_of(Api().post("/auth/mfa/enroll/confirm", body)) == "mfa_token_invalid"

    def test_confirming_with_anothers_token(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        mfa_required(tenant)
        mine, theirs = mfa_token_of(alice), mfa_token_of(bob)
        app = App(Api().post("/auth/mfa/enroll", {"mfaToken": mine}).json()["data"]["secret"])
        Api().post("/auth/mfa/enroll", {"mfaToken": theirs})
        body = {"mfaToken": theirs, "code": app.code()}
        assert code_of(Api().post("/auth/mfa/enroll/confirm", body)) == "mfa_invalid"

    def test_anothers_verification_token_with_ones_own_code(self, alice: Api, bob: Api, app: App) -> None:
        enrolled(alice)
        before = sessions(alice)
        assert code_of(verify(mfa_token_of(alice), app.code())) == "mfa_invalid"
        assert sessions(alice) == before

    def test_somebody_of_another_tenant_with_the_same_number(self, alice: Api, mallory: Api) -> None:
        assert alice.user.id == mallory.user.id
        enrolled(alice)
        theirs = enrolled(mallory)
        assert code_of(verify(mfa_token_of(alice), theirs.code())) == "mfa_invalid"
        assert code_of(verify(mfa_token_of(alice), theirs.recovery_codes[0])) == "mfa_invalid"

    def test_a_bearer_beside_the_token_changes_nothing(self, bob: Api, mallory: Api, app: App) -> None:
        body = {"mfaToken": mfa_token_of(bob), "code": app.wrong_code()}
        assert code_of(mallory.post("/auth/mfa/verify", body)) == "mfa_invalid"


class TestTakingItOff:
    def test_a_session_that_was_stolen_cannot(self, bob: Api, app: App) -> None:
        proved_long_ago(bob)
        assert code_of(bob.call("DELETE", "/auth/mfa/totp")) == "reauth_required"
        assert code_of(bob.post("/auth/mfa/recovery-codes")) == "reauth_required"
        assert "mfaToken" in give_password(bob).json()["data"]

    def test_a_plain_user_cannot_take_off_anybodys(self, alice: Api, bob: Api) -> None:
        enrolled(alice)
        assert alice.call("DELETE", f"/users/{alice.user.id}/mfa").status_code == 409
        assert bob.call("DELETE", f"/users/{alice.user.id}/mfa").status_code == 403
        assert "mfaToken" in give_password(alice).json()["data"]

    def test_where_everybody_needs_one_taking_it_off_leads_to_a_new_one(
        self, alice: Api, bob: Api, tenant: Tenant, app: App
    ) -> None:
        mfa_required(tenant)
        assert alice.call("DELETE", f"/users/{bob.user.id}/mfa").status_code == 200
        assert code_of(give_password(bob)) == "mfa_enrollment_required"


class TestGuessing:
    def test_codes_cannot_be_spread_over_doors(self, bob: Api, tenant: Tenant, app: App) -> None:
        wrong, codes = app.wrong_code(), []
        for _ in range(6):
            codes.append(verify(mfa_token_of(bob), wrong).status_code)
            codes.append(bob.post("/auth/reauthenticate", {"code": wrong}).status_code)
        assert codes[-1] == 429
        assert code_of(verify(mfa_token_of(bob), app.code())) == "too_many_attempts"

    def test_an_old_token_buys_no_more_guesses(self, bob: Api, app: App) -> None:
        token = mfa_token_of(bob)
        for _ in range(12):
            verify(token, app.wrong_code())
        assert code_of(verify(mfa_token_of(bob), app.code())) == "too_many_attempts"
        assert code_of(verify(token, app.recovery_codes[0])) == "too_many_attempts"


def test_a_code_that_was_seen_is_worthless_even_after_its_session_ended(bob: Api, app: App) -> None:
    code = app.code()
    data = verify(mfa_token_of(bob), code).json()["data"]
    Api(token=data["accessToken"]).post("/auth/logout")
    assert code_of(verify(mfa_token_of(bob), code)) == "mfa_invalid"


def test_a_session_of_before_ends_as_it_would_have(bob: Api, app: App) -> None:
    with bind(bob.tenant.ref):
        Session.objects.filter(user_id=bob.user.id).update(idle_expires_at=timezone.now() - timedelta(seconds=1))
    answer = Api().post("/auth/refresh", {"refreshToken": bob.tokens.refresh_token})
    assert code_of(answer) == "refresh_token_expired"
