"""``POST /auth/password/forgot``: the same answer for everybody, a link for whoever may have one."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends import locmem
from django.utils import timezone

from accounts.models import LinkToken, User
from accounts.services.links import link_token
from accounts.services.password_reset import password_forgot_serve
from accounts.services.people import user_create
from accounts.tests.mailed_links import code_of, mails, token_in
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tests.support import COMPANY, OTHER_COMPANY, Api

ASKED = {"email": "admin@acme.test", "tenantSlug": COMPANY}
REQUESTED = "accounts.password_reset_requested"


@pytest.fixture(autouse=True)
def _nothing_waits(database: None) -> None:
    """The sign-ups of the cast left work in the outbox."""
    OutboxRow.objects.all().delete()


def links(tenant: Tenant) -> list[LinkToken]:
    with bind(tenant.ref):
        return list(LinkToken.objects.filter(kind=LinkToken.Kind.RESET_PASSWORD).order_by("created_at", "id"))


def test_a_link_is_mailed_and_works(api: Api, tenant: Tenant) -> None:
    response = api.post("/auth/password/forgot", ASKED)
    assert (response.status_code, response.json()) == (202, {"success": True, "data": {"accepted": True}})
    (message,) = mails()
    assert message.to == ["admin@acme.test"]
    assert message.subject == "Set a new password"
    assert "60 minutes" in message.body
    token = token_in(message)
    reset = api.post("/auth/password/reset", {"token": token, "password": "another horse battery"})
    assert reset.status_code == 200


def test_the_mail_leads_to_the_page_and_not_to_the_api(api: Api, settings: Any) -> None:
    settings.FRONTEND_URL = "https://app.example.com"
    api.post("/auth/password/forgot", ASKED)
    (message,) = mails()
    assert "https://app.example.com/reset-password/rst_" in message.body


def test_case_and_blanks_do_not_count(api: Api) -> None:
    api.post("/auth/password/forgot", {"email": " Admin@ACME.test ", "tenantSlug": " Acme "})
    assert [message.to for message in mails()] == [["admin@acme.test"]]


def test_asking_is_written_in_the_journal_with_its_origin(api: Api, tenant: Tenant) -> None:
    api.post("/auth/password/forgot", ASKED)
    mails()
    with bind(tenant.ref):
        entry = JournalEntry.objects.get(key=REQUESTED)
        assert entry.subject_id == str(User.objects.get(pk=1).uuid)
    assert entry.origin == api.address
    assert entry.actor_id is None
    (link,) = links(tenant)
    assert entry.data == {"linkId": str(link.id)}


def test_nothing_readable_waits_in_the_outbox(api: Api) -> None:
    api.post("/auth/password/forgot", ASKED)
    row = OutboxRow.objects.get(key="accounts.password_forgot")
    assert row.tenant_id is None
    assert b"acme" not in bytes(row.payload or b"")


def test_the_request_itself_looks_at_nobody(api: Api, tenant: Tenant) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for email in ("admin@acme.test", "nobody@acme.test"):
        with CaptureQueriesContext(connection) as queries:
            api.post("/auth/password/forgot", {**ASKED, "email": email})
        assert not [query for query in queries if "accounts_user" in query["sql"] or "tenancy_tenant" in query["sql"]]
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("status", [User.Status.INACTIVE, User.Status.ERASED])
def test_who_may_not_sign_in_gets_nothing(api: Api, tenant: Tenant, status: str) -> None:
    with bind(tenant.ref):
        User.objects.filter(pk=1).update(status=status)
    assert api.post("/auth/password/forgot", ASKED).status_code == 202
    assert mails() == []
    assert links(tenant) == []


@pytest.mark.parametrize(
    "change",
    [{"email": "nobody@acme.test"}, {"tenantSlug": "no-such-workspace"}, {"tenantSlug": OTHER_COMPANY}, {"email": "é"}],
    ids=["unknown address", "unknown workspace", "another tenant's workspace", "no address at all"],
)
def test_what_is_unknown_gets_nothing(api: Api, tenant: Tenant, change: dict[str, str]) -> None:
    assert api.post("/auth/password/forgot", {**ASKED, **change}).status_code == 202
    assert mails() == []
    assert links(tenant) == []
    assert not OutboxRow.objects.filter(key="accounts.password_forgot").exists()


@pytest.mark.parametrize("status", ["suspended", "provisioning"])
def test_a_tenant_that_is_not_active_sends_nothing(api: Api, tenant: Tenant, status: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status=status)
    assert api.post("/auth/password/forgot", ASKED).status_code == 202
    assert mails() == []
    assert links(tenant) == []


def test_only_the_tenant_that_was_named_is_asked(api: Api, tenant: Tenant, other_tenant: Tenant) -> None:
    with bind(other_tenant.ref):
        User.objects.filter(pk=1).update(email="admin@acme.test", email_key="admin@acme.test")
    api.post("/auth/password/forgot", ASKED)
    assert len(mails()) == 1
    assert (len(links(tenant)), len(links(other_tenant))) == (1, 0)


def test_the_newest_link_wins(api: Api, tenant: Tenant) -> None:
    tokens = []
    for _ in range(2):
        api.post("/auth/password/forgot", ASKED)
        tokens.append(token_in(*mails()))
    older, newer = ({"token": token, "password": "another horse battery"} for token in tokens)
    refused = api.post("/auth/password/reset", older)
    assert (refused.status_code, code_of(refused)) == (400, "link_token_invalid")
    assert api.post("/auth/password/reset", newer).status_code == 200


def test_a_request_that_is_served_twice_makes_one_link_and_one_mail(tenant: Tenant) -> None:
    request_id = uuid7()
    payload = {"email": "admin@acme.test", "tenantSlug": COMPANY, "origin": "192.0.2.1"}
    for _ in range(2):
        password_forgot_serve(request_id=request_id, payload=payload)
    assert [link.id for link in links(tenant)] == [request_id]
    assert len(mails()) == 1
    password_forgot_serve(request_id=request_id, payload=payload)
    assert mails() == []


def test_a_mail_that_could_not_be_sent_is_sent_later_with_the_same_link(
    api: Api, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Any] = []
    deliver = locmem.EmailBackend.send_messages

    def away(backend: Any, messages: Any) -> int:
        tried.extend(messages)
        raise ConnectionRefusedError

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", away)
    api.post("/auth/password/forgot", ASKED)
    dispatcher.drain()
    row = OutboxRow.objects.get(key=REQUESTED)
    assert (row.attempts, row.last_error) == (1, "ConnectionRefusedError")
    assert row.available_at > timezone.now() + timedelta(seconds=10)

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", deliver)
    OutboxRow.objects.filter(pk=row.pk).update(available_at=timezone.now())
    (message,) = mails()
    assert token_in(message) == token_in(tried[0])
    assert message.extra_headers["Message-ID"] == tried[0].extra_headers["Message-ID"]
    (link,) = links(tenant)
    with bind(tenant.ref):
        assert token_in(message) == str(link_token(link))
    assert mails() == []


def test_a_link_that_is_worth_nothing_any_more_is_not_mailed(api: Api, tenant: Tenant) -> None:
    for _ in range(2):
        api.post("/auth/password/forgot", ASKED)
    # Both requests are served before the first mail goes out.
    rows = OutboxRow.objects.filter(key="accounts.password_forgot")
    assert rows.count() == 2
    dispatcher.run_once(limit=2)
    assert len(links(tenant)) == 2
    (message,) = mails()
    with bind(tenant.ref):
        assert token_in(message) == str(link_token(links(tenant)[1]))


class TestLimits:
    @pytest.mark.parametrize("email", ["admin@acme.test", "nobody@acme.test"], ids=["known", "unknown"])
    def test_five_an_hour_for_one_address_from_wherever(self, tenant: Tenant, email: str) -> None:
        answers = [Api().post("/auth/password/forgot", {**ASKED, "email": email}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [202] * 5 + [429]
        assert code_of(answers[5]) == "rate_limited"
        assert 3500 < int(answers[5]["Retry-After"]) <= 3600

    def test_spelling_it_in_another_way_is_the_same_address(self, tenant: Tenant) -> None:
        spelled = [ASKED, {**ASKED, "email": "ADMIN@acme.test"}, {**ASKED, "tenantSlug": " ACME"}]
        codes = [Api().post("/auth/password/forgot", spelled[n % 3]).status_code for n in range(6)]
        assert codes == [202] * 5 + [429]

    def test_another_workspace_is_another_count(self, tenant: Tenant) -> None:
        for _ in range(5):
            Api().post("/auth/password/forgot", ASKED)
        assert Api().post("/auth/password/forgot", {**ASKED, "tenantSlug": OTHER_COMPANY}).status_code == 202

    def test_twenty_an_hour_from_one_origin(self, api: Api) -> None:
        codes = [
            api.post("/auth/password/forgot", {**ASKED, "email": f"u{n}@acme.test"}).status_code for n in range(21)
        ]
        assert codes == [202] * 20 + [429]


class TestBadInput:
    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({"email": "a@b.test"}, "tenantSlug", "required"),
            ({**ASKED, "email": ""}, "email", "blank"),
            ({**ASKED, "email": 5}, "email", "not_text"),
            ({**ASKED, "email": "a" * 255}, "email", "max_length"),
            ({**ASKED, "userId": 1}, "userId", "unknown_field"),
        ],
    )
    def test_each_field_is_named_with_a_code(self, api: Api, body: object, field: str, code: str) -> None:
        response = api.post("/auth/password/forgot", body)
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (400, "validation_failed")
        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [(field, code)]
        assert mail.outbox == []


class TestSomebodyWhoIsInvited:
    @pytest.fixture
    def invited(self, tenant: Tenant) -> User:
        with bind(tenant.ref):
            return user_create(email="carol@acme.test", first_name="Carol", status=User.Status.PENDING)

    def test_gets_the_invitation_again_and_no_reset_link(self, api: Api, invited: User, tenant: Tenant) -> None:
        response = api.post("/auth/password/forgot", {**ASKED, "email": invited.email})
        assert (response.status_code, response.json()["data"]) == (202, {"accepted": True})
        (message,) = mails()
        assert message.to == ["carol@acme.test"]
        assert token_in(message).startswith("inv_")
        assert links(tenant) == []

    @pytest.mark.parametrize("path", ["/auth/password/forgot", "/auth/resend-verification"])
    def test_at_most_once_a_day_however_it_is_asked_for(
        self, api: Api, invited: User, tenant: Tenant, path: str
    ) -> None:
        api.post(path, {**ASKED, "email": invited.email})
        assert len(mails()) == 1
        for again in ("/auth/password/forgot", "/auth/resend-verification"):
            api.post(again, {**ASKED, "email": invited.email})
        assert mails() == []
        with bind(tenant.ref):
            LinkToken.objects.filter(user=invited).update(created_at=timezone.now() - timedelta(hours=25))
        api.post(path, {**ASKED, "email": invited.email})
        assert len(mails()) == 1
