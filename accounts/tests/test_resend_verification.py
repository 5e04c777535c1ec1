"""``POST /auth/resend-verification``: the same answer for everybody, a link for whoever has not confirmed."""

import pytest
from django.utils import timezone

from accounts.models import LinkToken, User
from accounts.services.verification import verification_resend_serve
from accounts.tests.mailed_links import code_of, mailed_token, mails, token_in
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tests.support import COMPANY, OTHER_COMPANY, Api

ASKED = {"email": "admin@acme.test", "tenantSlug": COMPANY}


@pytest.fixture(autouse=True)
def _nothing_waits(database: None) -> None:
    """The sign-ups of the cast left work in the outbox."""
    OutboxRow.objects.all().delete()


def links(tenant: Tenant) -> int:
    with bind(tenant.ref):
        return LinkToken.objects.filter(kind=LinkToken.Kind.VERIFY_EMAIL).count()


@pytest.fixture(autouse=True)
def _no_links_yet(tenant: Tenant) -> None:
    with bind(tenant.ref):
        LinkToken.objects.all().delete()


def test_a_link_is_mailed_and_confirms(api: Api, tenant: Tenant) -> None:
    response = api.post("/auth/resend-verification", ASKED)
    assert (response.status_code, response.json()) == (202, {"success": True, "data": {"accepted": True}})
    (message,) = mails()
    assert (message.to, message.subject) == (["admin@acme.test"], "Confirm your e-mail address")
    assert api.post(f"/auth/verify-email/{token_in(message)}").json()["data"]["alreadyVerified"] is False
    with bind(tenant.ref):
        entry = JournalEntry.objects.get(key="accounts.verification_requested")
    assert entry.origin == api.address


def test_the_newest_link_wins(api: Api, tenant: Tenant) -> None:
    older = mailed_token(tenant, LinkToken.Kind.VERIFY_EMAIL)
    api.post("/auth/resend-verification", ASKED)
    newer = token_in(*mails())
    assert code_of(api.post(f"/auth/verify-email/{older}")) == "link_token_invalid"
    assert api.post(f"/auth/verify-email/{newer}").status_code == 200


def test_whoever_has_confirmed_gets_nothing(api: Api, tenant: Tenant) -> None:
    with bind(tenant.ref):
        User.objects.update(email_verified_at=timezone.now())
    assert api.post("/auth/resend-verification", ASKED).status_code == 202
    assert mails() == []
    assert links(tenant) == 0


def test_whoever_confirms_before_the_mail_goes_out_gets_nothing(tenant: Tenant) -> None:
    payload = {"email": "admin@acme.test", "tenantSlug": COMPANY, "origin": "192.0.2.1"}
    verification_resend_serve(request_id=uuid7(), payload=payload)
    with bind(tenant.ref):
        User.objects.update(email_verified_at=timezone.now())
    assert mails() == []


@pytest.mark.parametrize("status", [User.Status.INACTIVE, User.Status.ERASED])
def test_who_may_not_sign_in_gets_nothing(api: Api, tenant: Tenant, status: str) -> None:
    with bind(tenant.ref):
        User.objects.filter(pk=1).update(status=status)
    assert api.post("/auth/resend-verification", ASKED).status_code == 202
    assert mails() == []


@pytest.mark.parametrize(
    "change",
    [{"email": "nobody@acme.test"}, {"tenantSlug": "no-such-workspace"}, {"tenantSlug": OTHER_COMPANY}],
    ids=["unknown address", "unknown workspace", "another tenant's workspace"],
)
def test_what_is_unknown_gets_nothing(api: Api, tenant: Tenant, change: dict[str, str]) -> None:
    assert api.post("/auth/resend-verification", {**ASKED, **change}).status_code == 202
    assert mails() == []
    assert links(tenant) == 0


def test_a_suspended_tenant_sends_nothing(api: Api, tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status="suspended")
    assert api.post("/auth/resend-verification", ASKED).status_code == 202
    assert mails() == []


def test_a_request_that_is_served_twice_makes_one_link_and_one_mail(tenant: Tenant) -> None:
    request_id = uuid7()
    payload = {"email": "admin@acme.test", "tenantSlug": COMPANY, "origin": "192.0.2.1"}
    for _ in range(2):
        verification_resend_serve(request_id=request_id, payload=payload)
    assert links(tenant) == 1
    assert len(mails()) == 1


class TestLimits:
    @pytest.mark.parametrize("email", ["admin@acme.test", "nobody@acme.test"], ids=["known", "unknown"])
    def test_five_an_hour_for_one_address_from_wherever(self, tenant: Tenant, email: str) -> None:
        answers = [Api().post("/auth/resend-verification", {**ASKED, "email": email}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [202] * 5 + [429]
        assert code_of(answers[5]) == "rate_limited"
        assert 3500 < int(answers[5]["Retry-After"]) <= 3600

    def test_it_is_not_the_count_of_forgotten_passwords(self, tenant: Tenant) -> None:
        for _ in range(5):
            Api().post("/auth/resend-verification", ASKED)
        assert Api().post("/auth/password/forgot", ASKED).status_code == 202

    def test_twenty_an_hour_from_one_origin(self, api: Api) -> None:
        codes = [
            api.post("/auth/resend-verification", {**ASKED, "email": f"u{n}@acme.test"}).status_code for n in range(21)
        ]
        assert codes == [202] * 20 + [429]


def test_each_field_is_named_with_a_code(api: Api) -> None:
    response = api.post("/auth/resend-verification", {"email": "a@b.test"})
    assert (response.status_code, code_of(response)) == (400, "validation_failed")
    assert [detail["field"] for detail in response.json()["error"]["details"]] == ["tenantSlug"]
