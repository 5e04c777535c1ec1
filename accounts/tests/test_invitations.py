"""Accepting an invitation, and sending it again."""

from dataclasses import replace
from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from accounts.models import LinkToken, User
from accounts.roles import Role
from accounts.tests.mailed_links import mailed_token as reset_link
from accounts.tests.people import somebody
from accounts.tokens import make_token, parse_token
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.keys import current_token_key
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from setup_hub.services.checking import LOOK
from tenancy.models import Tenant
from tests.support import COMPANY, Api, signed_in

PASSWORD = "quite another sentence"
ADDRESS = "new@company.test"


@pytest.fixture(autouse=True)
def _nothing_waits(database: None) -> None:
    """The sign-ups of the cast left work in the outbox."""
    OutboxRow.objects.all().delete()
    mail.outbox.clear()


def error(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def invite(admin: Api, email: str = ADDRESS) -> dict[str, Any]:
    response = admin.post("/users", {"email": email, "firstName": "Nina"})
    assert response.status_code == 201
    return dict(response.json()["data"])


def mailed_token(email: str = ADDRESS) -> str:
    """The token of the latest mail."""
    dispatcher.drain()
    sent = [one for one in mail.outbox if one.to == [email]][-1]
    return str(sent.body).split("/accept-invitation/")[1].split()[0]


def accept(token: str, password: str = PASSWORD, **names: str) -> Any:
    return Api().post("/users/accept-invitation", {"token": token, "password": password, **names})


class TestAccepting:
    def test_it_signs_in_proves_the_address_and_takes_names(self, alice: Api) -> None:
        invite(alice)
        data = accept(mailed_token(), lastName="Novak").json()["data"]
        assert set(data) == {"accessToken", "refreshToken", "expiresIn", "user", "tenant"}
        user = data["user"]
        assert (user["status"], user["emailVerified"], user["displayName"]) == ("active", True, "Nina Novak")
        again = {"email": ADDRESS, "password": PASSWORD, "tenantSlug": COMPANY}
        assert Api().post("/auth/login", again).status_code == 200

    def test_the_link_works_once(self, alice: Api) -> None:
        invite(alice)
        token = mailed_token()
        assert accept(token).status_code == 200
        assert error(accept(token)) == (400, "link_token_invalid")

    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("short", "password_too_short"),
            ("x" * 129, "password_too_long"),
            ("password1", "password_common"),
            ("new@company.test", "password_contains_context"),
        ],
    )
    def test_a_password_that_is_refused_leaves_the_link_as_it_was(self, alice: Api, password: str, code: str) -> None:
        invite(alice)
        token = mailed_token()
        refused = accept(token, password)
        assert error(refused) == (400, code)
        assert refused.json()["error"]["details"][0]["field"] == "password"
        assert accept(token).status_code == 200

    def test_the_tenant_s_own_shortest_password_counts(self, alice: Api) -> None:
        alice.call("PUT", "/org-settings/security.password_min_length", {"value": 30})
        invite(alice)
        assert error(accept(mailed_token())) == (400, "password_too_short")

    def test_a_link_that_is_too_old(self, alice: Api) -> None:
        invite(alice)
        token = mailed_token()
        with bind(alice.tenant.ref):
            LinkToken.objects.filter(kind="inv").update(expires_at=timezone.now() - timedelta(seconds=1))
        assert error(accept(token)) == (410, "link_token_expired")

    def test_it_is_good_for_seven_days(self, alice: Api) -> None:
        invite(alice)
        with bind(alice.tenant.ref):
            link = LinkToken.objects.get(kind="inv")
        assert timedelta(days=6, hours=23) < link.expires_at - timezone.now() <= timedelta(days=7)

    def test_tokens_that_were_bent(self, alice: Api, mallory: Api) -> None:
        invite(alice)
        token = mailed_token()
        parsed = parse_token(token, "inv")
        assert parsed is not None
        foreign = token.replace(parsed.tenant_id.hex, mallory.tenant.id.hex)
        other_kinds = [token.replace("inv_", f"{kind}_", 1) for kind in ("rst", "vfy", "rt", "ak")]
        for bent in ("", "x", token[:-1], token[:-2] + "xx", token + "0", foreign, *other_kinds):
            assert accept(bent).status_code == 400 if bent else 400
        assert accept(token).status_code == 200

    def test_who_was_deactivated_or_erased_meanwhile_stays_out(self, alice: Api) -> None:
        invited = invite(alice)
        token = mailed_token()
        alice.call("DELETE", f"/users/{invited['userId']}")
        assert error(accept(token)) == (400, "link_token_invalid")
        alice.call("DELETE", f"/users/{invited['userId']}/permanent")
        assert error(accept(token)) == (400, "link_token_invalid")

    def test_not_into_a_suspended_tenant(self, alice: Api) -> None:
        from tenancy.services import tenant_suspend

        invite(alice)
        token = mailed_token()
        tenant_suspend(tenant_id=alice.tenant.id, reason="test")
        assert error(accept(token)) == (403, "tenant_suspended")

    @pytest.mark.parametrize(
        "smuggled",
        [
            {"role": "tenant_admin"},
            {"profileId": 1},
            {"email": "x@y.test"},
            {"status": "active"},
            {"uuid": "0193a5c2-7d1e-7000-8000-000000000000"},
            {"userId": 1},
            {"tenantId": "0193a5c2-7d1e-7000-8000-000000000000"},
            {"tenantSlug": "globex"},
            {"emailVerified": True},
        ],
    )
    def test_nothing_else_can_be_sent_along(self, alice: Api, smuggled: dict[str, Any]) -> None:
        invite(alice)
        token = mailed_token()
        body = {"token": token, "password": PASSWORD, **smuggled}
        refused = Api().post("/users/accept-invitation", body)
        assert error(refused) == (400, "validation_failed")
        details = [(detail["field"], detail["code"]) for detail in refused.json()["error"]["details"]]
        assert details == [(name, "unknown_field") for name in smuggled]
        assert accept(token).json()["data"]["user"]["role"] == "user"

    def test_a_link_of_which_nobody_knows_and_one_of_another_kind(self, alice: Api, tenant: Tenant) -> None:
        invited = invite(alice)
        mine = parse_token(mailed_token(), "inv")
        assert mine is not None
        never_made = make_token("inv", tenant.id, uuid7(), key_id=current_token_key())
        of_nobody = replace(mine, tenant_id=uuid7())
        resets = parse_token(reset_link(tenant, LinkToken.Kind.RESET_PASSWORD, invited["userId"]), "rst")
        assert resets is not None
        for token in (never_made, of_nobody, replace(resets, kind="inv"), resets):
            assert error(accept(str(token))) == (400, "link_token_invalid")
        assert accept(str(mine)).status_code == 200

    def test_a_link_that_is_too_old_tells_only_whoever_has_its_secret(self, alice: Api) -> None:
        invite(alice)
        token = mailed_token()
        with bind(alice.tenant.ref):
            LinkToken.objects.filter(kind="inv").update(expires_at=timezone.now() - timedelta(seconds=1))
        parsed = parse_token(token, "inv")
        assert parsed is not None
        assert error(accept(token.replace(parsed.secret, "x" * 44))) == (400, "link_token_invalid")
        # Used or superseded says less than expired.
        with bind(alice.tenant.ref):
            LinkToken.objects.filter(kind="inv").update(superseded_at=timezone.now())
        assert error(accept(token)) == (400, "link_token_invalid")

    def test_it_lets_in_also_where_addresses_have_to_be_proved(self, alice: Api, settings: Any) -> None:
        settings.REQUIRE_VERIFIED_EMAIL = True
        invite(alice)
        assert accept(mailed_token()).status_code == 200
        again = {"email": ADDRESS, "password": PASSWORD, "tenantSlug": COMPANY}
        assert Api().post("/auth/login", again).status_code == 200

    def test_nobody_signs_in_who_has_not_accepted(self, alice: Api) -> None:
        invite(alice)
        for password in (PASSWORD, ""):
            refused = Api().post("/auth/login", {"email": ADDRESS, "password": password, "tenantSlug": COMPANY})
            assert refused.status_code in (400, 401)

    def test_who_was_deactivated_by_a_status_in_a_body_stays_out_as_well(self, alice: Api) -> None:
        invited = invite(alice)
        token = mailed_token()
        alice.call("PATCH", f"/users/{invited['userId']}", {"status": "inactive"})
        assert error(accept(token)) == (400, "link_token_invalid")


class TestTheMail:
    """It is work of the outbox: what fails is tried again, and arrives as the same mail."""

    def test_a_mail_that_failed_is_sent_when_its_time_has_come(
        self, alice: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[str] = []
        send = EmailBackend.send_messages

        def fails_once(self: EmailBackend, messages: list[EmailMessage]) -> int:
            tried.extend(str(one.message()["Message-ID"]) for one in messages)
            if len(tried) == 1:
                raise SMTPServerDisconnected("gone")
            return int(send(self, messages))

        monkeypatch.setattr(EmailBackend, "send_messages", fails_once)
        invite(alice)
        dispatcher.drain()
        assert mail.outbox == []
        (row,) = OutboxRow.objects.exclude(reaction=LOOK)
        assert (row.attempts, row.state, row.last_error) == (1, "pending", "SMTPServerDisconnected")
        # Not before its time.
        dispatcher.drain()
        assert len(tried) == 1
        dispatcher.run_once(now=row.available_at + timedelta(seconds=1))
        assert tried[0] == tried[1]
        assert not OutboxRow.objects.exclude(reaction=LOOK).exists()
        assert accept(mailed_token()).status_code == 200

    def test_an_invitation_that_was_taken_back_meanwhile_is_not_mailed(self, alice: Api) -> None:
        invited = invite(alice)
        alice.call("DELETE", f"/users/{invited['userId']}")
        dispatcher.drain()
        assert mail.outbox == []

    def test_it_is_written_in_the_same_transaction_as_the_person(self, alice: Api) -> None:
        assert error(alice.post("/users", {"email": ADDRESS, "profileId": 77})) == (400, "profile_not_found")
        assert not OutboxRow.objects.exists()
        invite(alice)
        assert OutboxRow.objects.filter(reaction__endswith="mail_invitation").count() == 1


class TestWhoSentIt:
    @pytest.fixture
    def dora(self, tenant: Tenant) -> Api:
        """A second administrator."""
        return somebody(tenant, "dora", Role.TENANT_ADMIN)

    def test_who_leaves_takes_the_links_along_and_another_one_works(self, alice: Api, dora: Api) -> None:
        invited = invite(dora)
        token = mailed_token()
        alice.call("DELETE", f"/users/{dora.user.id}")
        assert error(accept(token)) == (400, "link_token_invalid")
        with bind(alice.tenant.ref):
            assert User.objects.get(email_key=ADDRESS).status == "pending"
        assert alice.post(f"/users/{invited['id']}/resend-invitation").status_code == 202
        assert accept(mailed_token()).status_code == 200

    def test_whoever_sent_the_last_one_counts(self, alice: Api, dora: Api) -> None:
        invited = invite(dora)
        alice.post(f"/users/{invited['id']}/resend-invitation")
        token = mailed_token()
        alice.call("DELETE", f"/users/{dora.user.id}")
        assert accept(token).status_code == 200
        other = invite(alice, "other@company.test")
        alice.post(f"/users/{dora.user.id}/activate")
        again = signed_in(alice.tenant, dora.user.email)
        assert again.post(f"/users/{other['id']}/resend-invitation").status_code == 202
        token = mailed_token("other@company.test")
        alice.call("DELETE", f"/users/{dora.user.id}")
        assert error(accept(token)) == (400, "link_token_invalid")

    def test_who_was_in_already_stays_in(self, alice: Api, dora: Api) -> None:
        invite(dora)
        newcomer = Api(token=accept(mailed_token()).json()["data"]["accessToken"])
        alice.call("DELETE", f"/users/{dora.user.id}")
        assert newcomer.get("/auth/me").status_code == 200


class TestAgain:
    def test_the_new_link_replaces_the_old_one(self, alice: Api) -> None:
        invited = invite(alice)
        old = mailed_token()
        answer = alice.post(f"/users/{invited['id']}/resend-invitation")
        assert (answer.status_code, answer.json()["data"]["status"]) == (202, "pending")
        new = mailed_token()
        assert old != new
        assert error(accept(old)) == (400, "link_token_invalid")
        assert accept(new).status_code == 200

    def test_also_when_the_old_one_has_expired(self, alice: Api) -> None:
        invited = invite(alice)
        with bind(alice.tenant.ref):
            LinkToken.objects.filter(kind="inv").update(expires_at=timezone.now() - timedelta(days=1))
        alice.post(f"/users/{invited['id']}/resend-invitation")
        assert accept(mailed_token()).status_code == 200

    def test_a_mail_whose_link_is_dead_is_not_sent(self, alice: Api) -> None:
        invited = invite(alice)
        alice.post(f"/users/{invited['id']}/resend-invitation")
        dispatcher.drain()
        assert len([one for one in mail.outbox if one.to == [ADDRESS]]) == 1

    def test_nobody_who_has_accepted(self, alice: Api, bob: Api) -> None:
        assert error(alice.post(f"/users/{bob.user.id}/resend-invitation")) == (409, "user_not_pending")

    def test_five_times_a_day(self, alice: Api) -> None:
        invited = invite(alice)
        statuses = [alice.post(f"/users/{invited['id']}/resend-invitation").status_code for _ in range(6)]
        assert statuses == [202] * 5 + [429]
        refused = alice.post(f"/users/{invited['id']}/resend-invitation")
        assert error(refused) == (429, "rate_limited")
        assert 0 < int(refused["Retry-After"]) <= 86400
        # Somebody else's are counted apart, and the link that was mailed last still works.
        other = invite(alice, "other@company.test")
        assert alice.post(f"/users/{other['id']}/resend-invitation").status_code == 202
        assert accept(mailed_token()).status_code == 200

    def test_a_tenant_sends_so_many_in_an_hour_of_both_kinds(self, alice: Api, mallory: Api, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "invite_tenant": (3, 3600)}
        invited = invite(alice)
        invite(alice, "other@company.test")
        assert alice.post(f"/users/{invited['id']}/resend-invitation").status_code == 202
        for refused in (
            alice.post("/users", {"email": "third@company.test"}),
            alice.post(f"/users/{invited['id']}/resend-invitation"),
        ):
            assert error(refused) == (429, "rate_limited")
            assert "Retry-After" in refused
        with bind(alice.tenant.ref):
            assert not User.objects.filter(email_key="third@company.test").exists()
        assert mallory.post("/users", {"email": "third@company.test"}).status_code == 201

    def test_a_manager_does_not_even_for_an_own_guest(self, alice: Api, tenant: Tenant) -> None:
        carol = somebody(tenant, "carol", Role.MANAGER)
        guest = invite(carol)
        assert error(carol.post(f"/users/{guest['id']}/resend-invitation")) == (403, "permission_denied")
        assert alice.post(f"/users/{guest['id']}/resend-invitation").status_code == 202

    def test_who_forgot_a_password_that_never_was_is_invited_again_once_a_day(self, alice: Api) -> None:
        invite(alice)
        mailed_token()
        forgot = {"email": ADDRESS, "tenantSlug": COMPANY}
        mail.outbox.clear()
        Api().post("/auth/password/forgot", forgot)
        dispatcher.drain()
        assert mail.outbox == []
        with bind(alice.tenant.ref):
            LinkToken.objects.filter(kind="inv").update(created_at=timezone.now() - timedelta(hours=25))
        for _ in range(2):
            Api().post("/auth/password/forgot", forgot)
        assert accept(mailed_token()).status_code == 200
        assert len(mail.outbox) == 1
        with bind(alice.tenant.ref):
            assert User.objects.get(email_key=ADDRESS).status == "active"
