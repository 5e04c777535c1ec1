"""``POST /auth/password/reset``: a new password with a mailed link."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import LinkToken, Session, User
from accounts.tests.mailed_links import code_of, mailed_token, mails, reset_token
from accounts.tests.second_factors import enrolled
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tenancy.org_settings.models import OrgSetting
from tests.support import COMPANY, PASSWORD, Api, at_once

NEW = "another horse battery"
SIGN_IN = {"email": "admin@acme.test", "password": NEW, "tenantSlug": COMPANY}


@pytest.fixture(autouse=True)
def _nothing_waits(database: None) -> None:
    """The sign-ups of the cast left work in the outbox."""
    OutboxRow.objects.all().delete()


@pytest.fixture
def token(tenant: Tenant) -> str:
    return reset_token(tenant)


def reset(token: str, password: str = NEW) -> Any:
    return Api().post("/auth/password/reset", {"token": token, "password": password})


def test_the_new_password_counts_from_then_on(api: Api, token: str) -> None:
    response = reset(token)
    assert (response.status_code, response.json()) == (200, {"success": True, "data": {"reset": True}})
    assert response["Cache-Control"] == "no-store"
    assert api.post("/auth/login", {**SIGN_IN, "password": PASSWORD}).status_code == 401
    assert api.post("/auth/login", SIGN_IN).status_code == 200


def test_nobody_is_signed_in_by_it(token: str) -> None:
    response = reset(token)
    assert "accessToken" not in response.json()["data"]
    assert not response.cookies


def test_every_session_ends(alice: Api, token: str, tenant: Tenant) -> None:
    assert alice.get("/auth/me").status_code == 200
    reset(token)
    assert code_of(alice.get("/auth/me")) == "session_revoked"
    assert code_of(Api().post("/auth/refresh", {"refreshToken": alice.tokens.refresh_token})) == "session_revoked"
    with bind(tenant.ref):
        assert Session.objects.get(user_id=1).revoke_reason == "password_reset"


def test_somebody_elses_sessions_do_not(bob: Api, token: str) -> None:
    reset(token)
    assert bob.get("/auth/me").status_code == 200


def test_it_proves_the_address(token: str, tenant: Tenant) -> None:
    reset(token)
    with bind(tenant.ref):
        assert User.objects.get(pk=1).email_verified
        assert JournalEntry.objects.filter(key="accounts.email_verified").count() == 1


def test_an_address_that_was_proved_stays_as_it_was(token: str, tenant: Tenant) -> None:
    before = timezone.now() - timedelta(days=3)
    with bind(tenant.ref):
        User.objects.filter(pk=1).update(email_verified_at=before)
    reset(token)
    with bind(tenant.ref):
        assert User.objects.get(pk=1).email_verified_at == before
        assert not JournalEntry.objects.filter(key="accounts.email_verified").exists()


def test_it_is_written_down_and_mailed_to_the_owner(alice: Api, token: str, tenant: Tenant) -> None:
    reset(token)
    with bind(tenant.ref):
        entry = JournalEntry.objects.get(key="accounts.password_reset")
    assert (entry.subject_id, entry.actor_id, entry.data) == (str(alice.user.uuid), alice.user.uuid, {"sessions": 1})
    (message,) = mails()
    assert (message.to, message.subject) == (["admin@acme.test"], "Your password was changed")
    assert "with a link" in message.body
    assert NEW not in message.body


def test_it_lets_somebody_in_who_was_locked_out(token: str) -> None:
    for _ in range(10):
        Api().post("/auth/login", {**SIGN_IN, "password": "wrong-password"})
    assert Api().post("/auth/login", {**SIGN_IN, "password": PASSWORD}).status_code == 429
    reset(token)
    assert Api().post("/auth/login", SIGN_IN).status_code == 200


def test_it_leads_around_no_second_factor(alice: Api, tenant: Tenant) -> None:
    enrolled(alice)
    assert reset(reset_token(tenant)).status_code == 200
    answer = Api().post("/auth/login", SIGN_IN).json()["data"]
    assert answer["mfaRequired"] is True
    assert "accessToken" not in answer


class TestTheLink:
    def test_it_works_once(self, token: str) -> None:
        assert reset(token).status_code == 200
        again = reset(token, "a third horse battery")
        assert (again.status_code, code_of(again)) == (400, "link_token_invalid")

    def test_a_late_one_is_gone(self, token: str, tenant: Tenant) -> None:
        with bind(tenant.ref):
            LinkToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        late = reset(token)
        assert (late.status_code, code_of(late)) == (410, "link_token_expired")

    def test_using_one_voids_the_others(self, token: str, tenant: Tenant) -> None:
        # Two that are out at once can only come from a race; the newest wins even so.
        other = reset_token(tenant)
        with bind(tenant.ref):
            LinkToken.objects.update(superseded_at=None)
        assert reset(token).status_code == 200
        assert code_of(reset(other, "a third horse battery")) == "link_token_invalid"

    def test_a_link_of_one_tenant_is_unknown_in_another(self, token: str, tenant: Tenant, other_tenant: Tenant) -> None:
        assert code_of(reset(token.replace(tenant.id.hex, other_tenant.id.hex))) == "link_token_invalid"

    def test_a_link_of_another_kind_resets_nothing(self, tenant: Tenant) -> None:
        for kind in (LinkToken.Kind.VERIFY_EMAIL, LinkToken.Kind.INVITATION):
            token = mailed_token(tenant, kind)
            assert code_of(reset(token)) == "link_token_invalid"
            assert code_of(reset(f"rst_{token.partition('_')[2]}")) == "link_token_invalid"

    @pytest.mark.parametrize("text", ["x", "rst_a.b.c", "rst_" + "0" * 32 + "." + "0" * 32 + "." + "A" * 43, "é"])
    def test_what_is_no_link(self, api: Api, text: str) -> None:
        answer = reset(text)
        assert (answer.status_code, code_of(answer)) == (400, "link_token_invalid")

    def test_a_changed_secret_is_refused(self, token: str) -> None:
        assert code_of(reset(token[:-3] + "AAA")) == "link_token_invalid"

    @pytest.mark.parametrize("status", [User.Status.PENDING, User.Status.INACTIVE, User.Status.ERASED])
    def test_whoever_left_meanwhile_resets_nothing(self, token: str, tenant: Tenant, status: str) -> None:
        with bind(tenant.ref):
            before = User.objects.get(pk=1).password
            User.objects.filter(pk=1).update(status=status)
        assert code_of(reset(token)) == "link_token_invalid"
        with bind(tenant.ref):
            assert User.objects.get(pk=1).password == before

    def test_a_suspended_tenants_link_waits(self, token: str, tenant: Tenant) -> None:
        Tenant.objects.filter(pk=tenant.pk).update(status="suspended")
        assert code_of(reset(token)) == "tenant_suspended"
        Tenant.objects.filter(pk=tenant.pk).update(status="active")
        assert reset(token).status_code == 200

    @pytest.mark.commits
    def test_of_fifty_uses_at_once_one_succeeds(self, token: str, tenant: Tenant) -> None:
        tried = at_once(50, lambda n: reset(token, f"{NEW} {n}"))
        assert tried.most_at_once > 5
        statuses = [answer.status_code for answer in tried.results]
        assert sorted(statuses) == [200] + [400] * 49
        assert {code_of(answer) for answer in tried.results if answer.status_code == 400} == {"link_token_invalid"}
        winner = f"{NEW} {statuses.index(200)}"
        assert Api().post("/auth/login", {**SIGN_IN, "password": winner}).status_code == 200
        with bind(tenant.ref):
            assert JournalEntry.objects.filter(key="accounts.password_reset").count() == 1


class TestThePassword:
    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("short", "password_too_short"),
            ("x" * 129, "password_too_long"),
            ("password123", "password_common"),
            ("acme corp 1", "password_contains_context"),
            ("Alice1234567", ""),
            (PASSWORD, "password_same"),
        ],
    )
    def test_a_refused_one_leaves_the_link_usable(self, token: str, password: str, code: str) -> None:
        refused = reset(token, password)
        if code:
            assert (refused.status_code, code_of(refused)) == (400, code)
            assert [detail["field"] for detail in refused.json()["error"]["details"]] == ["password"]
            assert reset(token).status_code == 200
        else:
            assert refused.status_code == 200

    def test_the_tenant_says_how_short_is_too_short(self, token: str, tenant: Tenant) -> None:
        with bind(tenant.ref):
            OrgSetting.objects.create(key="security.password_min_length", value=20)
        refused = reset(token, "nineteen characters")
        assert code_of(refused) == "password_too_short"
        assert "20" in refused.json()["error"]["message"]
        assert reset(token, "these are twenty-one.").status_code == 200

    def test_somebody_without_a_password_gets_one(self, token: str, tenant: Tenant, api: Api) -> None:
        with bind(tenant.ref):
            User.objects.filter(pk=1).update(password="")
        assert reset(token).status_code == 200
        assert api.post("/auth/login", SIGN_IN).status_code == 200


def test_thirty_in_fifteen_minutes_from_one_origin(api: Api) -> None:
    codes = [api.post("/auth/password/reset", {"token": "x", "password": NEW}).status_code for _ in range(31)]
    assert codes == [400] * 30 + [429]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"token": "x"}, "password", "required"),
        ({"token": "x" * 201, "password": NEW}, "token", "max_length"),
        ({"token": "x", "password": 5}, "password", "not_text"),
        ({"token": "x", "password": NEW, "email": "a"}, "email", "unknown_field"),
    ],
)
def test_each_field_is_named_with_a_code(api: Api, body: object, field: str, code: str) -> None:
    response = api.post("/auth/password/reset", body)
    assert (response.status_code, code_of(response)) == (400, "validation_failed")
    assert [(detail["field"], detail["code"]) for detail in response.json()["error"]["details"]] == [(field, code)]
