"""``POST /auth/password/change``: one's own password, while signed in."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import LinkToken, Session, User
from accounts.services.passwords import password_hash
from accounts.tests.mailed_links import code_of, mails, reset_token
from accounts.tests.second_factors import enrolled, proved_long_ago
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tenancy.org_settings.models import OrgSetting
from tests.support import COMPANY, PASSWORD, Api, at_once, signed_in

NEW = "another horse battery"
SIGN_IN = {"email": "user@acme.test", "password": NEW, "tenantSlug": COMPANY}


@pytest.fixture(autouse=True)
def _nothing_waits(database: None) -> None:
    """The sign-ups of the cast left work in the outbox."""
    OutboxRow.objects.all().delete()


def change(client: Api, current: str = PASSWORD, new: str = NEW) -> Any:
    return client.post("/auth/password/change", {"currentPassword": current, "newPassword": new})


def test_the_new_password_counts_from_then_on(bob: Api, api: Api) -> None:
    response = change(bob)
    assert response.status_code == 200
    assert set(response.json()["data"]) == {"accessToken", "refreshToken", "expiresIn"}
    assert response["Cache-Control"] == "no-store"
    assert api.post("/auth/login", {**SIGN_IN, "password": PASSWORD}).status_code == 401
    assert api.post("/auth/login", SIGN_IN).status_code == 200


def test_this_session_goes_on_with_the_new_pair(bob: Api) -> None:
    data = change(bob).json()["data"]
    assert data["refreshToken"] != bob.tokens.refresh_token
    assert Api(token=data["accessToken"]).get("/auth/me").status_code == 200
    assert Api().post("/auth/refresh", {"refreshToken": data["refreshToken"]}).status_code == 200


def test_the_refresh_token_before_is_worth_nothing_after_the_grace(bob: Api, tenant: Tenant) -> None:
    change(bob)
    with bind(tenant.ref):
        Session.objects.filter(user_id=bob.user.id).update(previous_until=timezone.now())
    assert code_of(Api().post("/auth/refresh", {"refreshToken": bob.tokens.refresh_token})) == "refresh_token_reused"


def test_every_other_session_ends(bob: Api, tenant: Tenant) -> None:
    elsewhere = signed_in(tenant, "user@acme.test")
    assert elsewhere.get("/auth/me").status_code == 200
    change(bob)
    assert code_of(elsewhere.get("/auth/me")) == "session_revoked"
    assert bob.get("/auth/me").status_code == 200
    with bind(tenant.ref):
        assert Session.objects.get(revoked_at__isnull=False).revoke_reason == "password_changed"


def test_somebody_elses_sessions_do_not(bob: Api, alice: Api) -> None:
    change(bob)
    assert alice.get("/auth/me").status_code == 200


def test_a_reset_link_that_is_out_is_void(bob: Api, tenant: Tenant) -> None:
    token = reset_token(tenant, bob.user.id)
    change(bob)
    with bind(tenant.ref):
        assert LinkToken.objects.get(kind=LinkToken.Kind.RESET_PASSWORD).superseded_at is not None
    refused = Api().post("/auth/password/reset", {"token": token, "password": "a third horse battery"})
    assert code_of(refused) == "link_token_invalid"


def test_it_is_written_down_and_mailed_to_the_owner(bob: Api, tenant: Tenant) -> None:
    signed_in(tenant, "user@acme.test")
    change(bob)
    with bind(tenant.ref):
        entry = JournalEntry.objects.get(key="accounts.password_changed")
    assert (entry.subject_id, entry.actor_id, entry.data) == (str(bob.user.uuid), bob.user.uuid, {"sessions": 1})
    (message,) = mails()
    assert (message.to, message.subject) == (["user@acme.test"], "Your password was changed")
    assert "in your account" in message.body


def test_a_wrong_current_password_is_no_401(bob: Api, tenant: Tenant) -> None:
    response = change(bob, current="wrong-password")
    assert (response.status_code, code_of(response)) == (400, "current_password_invalid")
    assert [detail["field"] for detail in response.json()["error"]["details"]] == ["currentPassword"]
    assert bob.get("/auth/me").status_code == 200
    with bind(tenant.ref):
        assert not JournalEntry.objects.filter(key="accounts.password_changed").exists()


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short", "password_too_short"),
        ("x" * 129, "password_too_long"),
        ("qwertyuiop", "password_common"),
        ("user@acme.test", "password_contains_context"),
        (PASSWORD, "password_same"),
    ],
)
def test_a_refused_password_changes_nothing(bob: Api, api: Api, new: str, code: str) -> None:
    response = change(bob, new=new)
    assert (response.status_code, code_of(response)) == (400, code)
    assert [detail["field"] for detail in response.json()["error"]["details"]] == ["newPassword"]
    assert api.post("/auth/login", {**SIGN_IN, "password": PASSWORD}).status_code == 200


def test_the_same_in_another_unicode_form_is_the_same(bob: Api, tenant: Tenant) -> None:
    with bind(tenant.ref):
        User.objects.filter(pk=bob.user.id).update(password=password_hash("p\u00e4ssw\u00f6rter sind gut"))
    decomposed = "pa\u0308sswo\u0308rter sind gut"
    assert code_of(change(bob, "p\u00e4ssw\u00f6rter sind gut", decomposed)) == "password_same"


def test_the_tenant_says_how_short_is_too_short(bob: Api, tenant: Tenant) -> None:
    with bind(tenant.ref):
        OrgSetting.objects.create(key="security.password_min_length", value=30)
    assert code_of(change(bob)) == "password_too_short"


def test_it_counts_as_a_re_authentication(bob: Api, tenant: Tenant) -> None:
    proved_long_ago(bob)
    assert code_of(bob.post("/auth/mfa/totp")) == "reauth_required"
    change(bob)
    assert bob.post("/auth/mfa/totp").status_code == 200


def test_with_a_second_factor_it_does_not(bob: Api) -> None:
    enrolled(bob)
    proved_long_ago(bob)
    assert change(bob).status_code == 200
    assert code_of(bob.post("/auth/mfa/recovery-codes")) == "reauth_required"


def test_five_a_minute(bob: Api, alice: Api) -> None:
    answers = [change(bob, current="wrong-password") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert code_of(answers[5]) == "too_many_attempts"
    assert 0 < int(answers[5]["Retry-After"]) <= 60
    assert code_of(change(alice, current="wrong-password")) == "current_password_invalid"


def test_nobody_changes_nothing(api: Api) -> None:
    response = change(api)
    assert (response.status_code, code_of(response)) == (401, "not_authenticated")


@pytest.mark.commits
def test_of_several_changes_at_once_one_counts(bob: Api, tenant: Tenant, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "password_change_user": (100, 60)}
    tried = at_once(8, lambda n: change(bob, new=f"{NEW} {n}").status_code)
    assert tried.most_at_once > 1
    assert sorted(tried.results) == [200] + [400] * 7
    winner = f"{NEW} {tried.results.index(200)}"
    assert Api().post("/auth/login", {**SIGN_IN, "password": winner}).status_code == 200


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"currentPassword": PASSWORD}, "newPassword", "required"),
        ({"newPassword": NEW}, "currentPassword", "required"),
        ({"currentPassword": PASSWORD, "newPassword": None}, "newPassword", "null"),
        ({"currentPassword": PASSWORD, "newPassword": NEW, "userId": 1}, "userId", "unknown_field"),
    ],
)
def test_each_field_is_named_with_a_code(bob: Api, body: object, field: str, code: str) -> None:
    response = bob.post("/auth/password/change", body)
    assert (response.status_code, code_of(response)) == (400, "validation_failed")
    assert [(detail["field"], detail["code"]) for detail in response.json()["error"]["details"]] == [(field, code)]
