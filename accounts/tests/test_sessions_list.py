"""``/auth/sessions``, how long sessions live, and the mail about a new device."""

from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Session, User
from accounts.tests.mailed_links import code_of, mails
from accounts.tests.second_factors import enrolled, mfa_token_of, verify
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tenancy.org_settings.models import OrgSetting
from tests.support import COMPANY, PASSWORD, Api, signed_in

SIGN_IN = {"email": "user@acme.test", "password": PASSWORD, "tenantSlug": COMPANY}


@pytest.fixture(autouse=True)
def _nothing_waits(database: None) -> None:
    """The sign-ups of the cast left work in the outbox."""
    OutboxRow.objects.all().delete()


def shown(client: Api) -> list[dict[str, Any]]:
    response = client.get("/auth/sessions")
    assert response.status_code == 200
    data: list[dict[str, Any]] = response.json()["data"]
    return data


def sign_in(client: Api, **headers: str) -> Api:
    client.token = client.post("/auth/login", SIGN_IN, **headers).json()["data"]["accessToken"]
    return client


class TestTheList:
    def test_it_says_where_one_is_signed_in(self, api: Api, tenant: Tenant) -> None:
        client = sign_in(api, user_agent="a browser")
        assert shown(client) == [
            {
                "id": ANY,
                "current": True,
                "createdAt": ANY,
                "lastUsedAt": ANY,
                "expiresAt": ANY,
                "ip": api.address,
                "userAgent": "a browser",
                "methods": ["pwd"],
                "impersonator": None,
            }
        ]

    def test_the_one_that_asks_comes_first_then_by_last_use(self, tenant: Tenant) -> None:
        clients = [sign_in(Api()) for _ in range(3)]
        assert [(item["ip"], item["current"]) for item in shown(clients[1])] == [
            (clients[1].address, True),
            (clients[2].address, False),
            (clients[0].address, False),
        ]

    def test_only_live_ones(self, bob: Api, tenant: Tenant) -> None:
        ended, idle, over = (signed_in(tenant, "user@acme.test") for _ in range(3))
        ended.post("/auth/logout")
        past = timezone.now() - timedelta(seconds=1)
        with bind(tenant.ref):
            others = list(Session.objects.filter(revoked_at=None).order_by("-created_at", "-id")[:2])
            Session.objects.filter(pk=others[0].pk).update(idle_expires_at=past)
            Session.objects.filter(pk=others[1].pk).update(absolute_expires_at=past)
        assert [item["current"] for item in shown(bob)] == [True]
        assert idle.token != over.token

    def test_only_ones_own(self, bob: Api, alice: Api, mallory: Api) -> None:
        ids = [{item["id"] for item in shown(client)} for client in (bob, alice, mallory)]
        assert [len(each) for each in ids] == [1, 1, 1]
        assert len(set.union(*ids)) == 3

    def test_a_second_factor_is_among_the_methods(self, bob: Api) -> None:
        app = enrolled(bob)
        data = verify(mfa_token_of(bob), app.code()).json()["data"]
        assert shown(Api(token=data["accessToken"]))[0]["methods"] == ["pwd", "otp"]

    def test_it_takes_as_many_queries_for_one_as_for_twenty(self, bob: Api, tenant: Tenant) -> None:
        shown(bob)
        counts = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as queries:
                length = len(shown(bob))
            counts.append(len(queries))
            for _ in range(19):
                signed_in(tenant, "user@acme.test")
        assert length == 20
        assert counts[0] == counts[1]

    def test_nobody_sees_nothing(self, api: Api) -> None:
        assert code_of(api.get("/auth/sessions")) == "not_authenticated"

    def test_it_knows_no_parameters(self, bob: Api) -> None:
        assert code_of(bob.get("/auth/sessions?userId=1")) == "unknown_parameter"


class TestEndingOne:
    def test_another_device_is_signed_out(self, bob: Api, tenant: Tenant) -> None:
        elsewhere = signed_in(tenant, "user@acme.test")
        assert elsewhere.get("/auth/me").status_code == 200
        (other,) = [item["id"] for item in shown(bob) if not item["current"]]
        response = bob.call("DELETE", f"/auth/sessions/{other}")
        assert (response.status_code, response.json()["data"]) == (200, {"revoked": 1})
        assert code_of(elsewhere.get("/auth/me")) == "session_revoked"
        assert len(shown(bob)) == 1
        with bind(tenant.ref):
            entry = JournalEntry.objects.get(key="accounts.signed_out")
        assert (entry.subject_id, entry.actor_id) == (str(bob.user.uuid), bob.user.uuid)

    def test_ones_own_is_a_sign_out(self, bob: Api) -> None:
        (mine,) = shown(bob)
        assert bob.call("DELETE", f"/auth/sessions/{mine['id']}").status_code == 200
        assert code_of(bob.get("/auth/me")) == "session_revoked"

    def test_one_that_has_ended_is_not_there(self, bob: Api, tenant: Tenant) -> None:
        signed_in(tenant, "user@acme.test")
        (other,) = [item["id"] for item in shown(bob) if not item["current"]]
        statuses = [bob.call("DELETE", f"/auth/sessions/{other}").status_code for _ in range(2)]
        assert statuses == [200, 404]

    def test_somebody_elses_is_not_there(self, alice: Api, bob: Api, mallory: Api) -> None:
        (his,) = shown(bob)
        for client in (alice, mallory):
            response = client.call("DELETE", f"/auth/sessions/{his['id']}")
            assert (response.status_code, code_of(response)) == (404, "not_found")
        assert bob.get("/auth/me").status_code == 200

    @pytest.mark.parametrize("session_id", ["0193a5c2-7d1e-7000-8000-000000000000", "1", "x", "%00"])
    def test_what_is_no_session(self, bob: Api, session_id: str) -> None:
        assert bob.call("DELETE", f"/auth/sessions/{session_id}").status_code == 404

    def test_nobody_ends_nothing(self, api: Api, bob: Api) -> None:
        (his,) = shown(bob)
        assert code_of(api.call("DELETE", f"/auth/sessions/{his['id']}")) == "not_authenticated"


class TestLifetimes:
    """A tenant may let sessions end earlier than the platform does."""

    def lives(self, tenant: Tenant) -> tuple[timedelta, timedelta]:
        with bind(tenant.ref):
            session = Session.objects.get(revoked_at=None)
        return session.idle_expires_at - session.last_used_at, session.absolute_expires_at - session.last_used_at

    def choose(self, tenant: Tenant, **values: int) -> None:
        with bind(tenant.ref):
            for name, value in values.items():
                OrgSetting.objects.update_or_create(key=f"security.{name}", defaults={"value": value})

    def test_the_platforms_when_the_tenant_chose_none(self, bob: Api, tenant: Tenant) -> None:
        assert self.lives(tenant) == (timedelta(days=7), timedelta(days=30))

    def test_the_platforms_to_the_second(self, tenant: Tenant, settings: Any) -> None:
        settings.SESSION_IDLE_SECONDS, settings.SESSION_ABSOLUTE_SECONDS = 90, 100
        signed_in(tenant, "user@acme.test")
        assert self.lives(tenant) == (timedelta(seconds=90), timedelta(seconds=100))

    def test_the_tenants_at_the_start(self, tenant: Tenant) -> None:
        self.choose(tenant, session_idle_minutes=10, session_absolute_hours=2)
        signed_in(tenant, "user@acme.test")
        assert self.lives(tenant) == (timedelta(minutes=10), timedelta(hours=2))

    def test_a_tenant_is_never_laxer(self, tenant: Tenant) -> None:
        self.choose(tenant, session_idle_minutes=10**6, session_absolute_hours=10**6)
        signed_in(tenant, "user@acme.test")
        assert self.lives(tenant) == (timedelta(days=7), timedelta(days=30))

    def test_the_tenants_at_a_refresh(self, bob: Api, tenant: Tenant) -> None:
        self.choose(tenant, session_idle_minutes=10, session_absolute_hours=2)
        assert Api().post("/auth/refresh", {"refreshToken": bob.tokens.refresh_token}).status_code == 200
        idle, absolute = self.lives(tenant)
        assert idle == timedelta(minutes=10)
        assert timedelta(hours=1, minutes=59) < absolute <= timedelta(hours=2)

    @pytest.mark.parametrize(
        "past",
        [{"last_used_at": timedelta(minutes=11)}, {"created_at": timedelta(hours=3)}],
        ids=["not used for too long", "too old"],
    )
    def test_a_stricter_choice_ends_sessions_that_are_there(
        self, bob: Api, tenant: Tenant, past: dict[str, timedelta]
    ) -> None:
        with bind(tenant.ref):
            Session.objects.update(**{name: timezone.now() - ago for name, ago in past.items()})
        self.choose(tenant, session_idle_minutes=10, session_absolute_hours=2)
        refused = Api().post("/auth/refresh", {"refreshToken": bob.tokens.refresh_token})
        assert (refused.status_code, code_of(refused)) == (401, "refresh_token_expired")


class TestNewDevice:
    def signed_in_entries(self, tenant: Tenant) -> list[dict[str, Any]]:
        with bind(tenant.ref):
            return list(
                JournalEntry.objects.filter(key="accounts.signed_in").order_by("id").values_list("data", flat=True)
            )

    def test_the_first_sign_in_of_all_is_no_news(self, api: Api, tenant: Tenant) -> None:
        sign_in(api)
        assert self.signed_in_entries(tenant) == [{}]
        assert mails() == []

    def test_another_device_is(self, api: Api, tenant: Tenant) -> None:
        sign_in(api)
        mails()
        other = sign_in(Api())
        assert self.signed_in_entries(tenant) == [{}, {"newDevice": True}]
        (message,) = mails()
        assert (message.to, message.subject) == (["user@acme.test"], "A new device signed in")
        assert other.address in message.body
        assert f"{timezone.now():%Y}" in message.body

    def test_a_device_that_is_known_is_not(self, api: Api, tenant: Tenant) -> None:
        sign_in(api)
        sign_in(api)
        assert self.signed_in_entries(tenant) == [{}, {}]
        assert mails() == []

    def test_a_device_that_is_known_to_somebody_else_is(self, api: Api, tenant: Tenant) -> None:
        with bind(tenant.ref):
            User.objects.update(last_sign_in_at=timezone.now())
        sign_in(api)
        mails()
        answer = api.post("/auth/login", {**SIGN_IN, "email": "admin@acme.test"})
        assert answer.status_code == 200
        assert [message.to for message in mails()] == [["admin@acme.test"]]

    def test_a_wrong_password_is_no_sign_in(self, api: Api, tenant: Tenant) -> None:
        sign_in(api)
        Api().post("/auth/login", {**SIGN_IN, "password": "wrong-password"})
        assert self.signed_in_entries(tenant) == [{}]

    def test_it_is_remembered_until_the_second_factor_is_given(self, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        with bind(tenant.ref):
            User.objects.update(last_sign_in_at=timezone.now())
        mails()
        token = mfa_token_of(bob)
        assert self.signed_in_entries(tenant) == []
        assert verify(token, app.code()).status_code == 200
        assert self.signed_in_entries(tenant) == [{"newDevice": True}]
        assert [message.subject for message in mails()] == ["A new device signed in"]


def test_a_password_that_was_replaced_meanwhile_starts_no_session(
    api: Api, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.services import sign_in as sign_ins
    from accounts.services.passwords import password_matches

    real = password_matches

    def slow(password: str, encoded: str) -> bool:
        # While the hash is computed, somebody resets the password, which ends all sessions.
        with bind(tenant.ref):
            User.objects.update(password="another")
        return real(password, encoded)

    monkeypatch.setattr(sign_ins, "password_matches", slow)
    assert code_of(api.post("/auth/login", SIGN_IN)) == "invalid_credentials"
    with bind(tenant.ref):
        assert not Session.objects.exists()
