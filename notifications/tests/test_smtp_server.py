"""A company's own mail server: what is kept about it, what a test of it says, and what goes through it."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from smtplib import SMTPSenderRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from notifications.email_settings import smtp_testing
from notifications.email_settings.smtp_server import server_of
from notifications.mailing.circuit import PAUSE
from notifications.mailing.guarded_smtp import GuardedSmtpBackend, Server
from notifications.models import SmtpServer as Row
from notifications.tests.support import deliveries, raise_lead, told
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.keys import SealBroken
from platform_site.outbox import dispatcher
from tests.smtp_server import SmtpServer, smtp_server
from tests.support import Api

PATH = "/settings/email/smtp"
LOGIN = ("mailer", "secret words")
SAVED = {
    "host": "smtp.acme.example",
    "port": 587,
    "username": "mailer",
    "password": "secret words",
    "security": "starttls",
    "fromEmail": "crm@acme.example",
}


@pytest.fixture(scope="module")
def encrypted() -> Iterator[SmtpServer]:
    with smtp_server(tls="starttls", login=LOGIN) as server:
        yield server


@pytest.fixture
def server(encrypted: SmtpServer, settings: Any) -> SmtpServer:
    """One that wants STARTTLS and a password, and is trusted."""
    encrypted.mails.clear()
    encrypted.refused.clear()
    settings.SMTP_ALLOW_PRIVATE = True
    settings.SMTP_CA_FILE = str(encrypted.certificate)
    return encrypted


def put(person: Api, body: Any, status: int = 200) -> Any:
    answer = person.call("PUT", PATH, body)
    assert answer.status_code == status, answer.content
    assert b"secret words" not in answer.content
    return answer.json()["data"] if status == 200 else answer.json()["error"]


def reasons(person: Api, body: Any) -> list[tuple[str, str]]:
    return [(detail["field"], detail["code"]) for detail in put(person, body, 400)["details"]]


def values_of(server: SmtpServer, **more: Any) -> dict[str, Any]:
    return {**SAVED, "host": "127.0.0.1", "port": server.port, **more}


def result_of(person: Api, body: Any = None) -> Any:
    answer = person.post(f"{PATH}/test", body)
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def row_of(person: Api) -> Row:
    with bind(person.tenant.ref):
        return Row.objects.get()


def lead_mails(person: Api) -> list[Any]:
    return [one for one in mail.outbox if "lead" in one.subject and one.to == [person.user.email]]


# What is kept.


def test_nothing_is_configured_at_first_and_the_password_is_never_shown(alice: Api, bob: Api) -> None:
    assert alice.get(PATH).json()["data"]["configured"] is False
    assert alice.post(f"{PATH}/test").json()["error"]["code"] == "smtp_not_configured"
    saved = put(alice, SAVED)
    assert (saved["configured"], saved["hasPassword"], saved["verifiedAt"]) == (True, True, None)
    assert bob.get(PATH).status_code == 403
    assert b"secret words" not in bytes(row_of(alice).sealed_password or b"")
    with bind(alice.tenant.ref):
        assert "secret words" not in str(list(JournalEntry.objects.values_list("data", flat=True)))


@pytest.mark.parametrize(
    "change",
    [{"host": "smtp2.acme.example"}, {"port": 465}, {"username": "other"}, {"security": "tls"}],
)
def test_the_password_is_kept_for_one_server_only(alice: Api, change: Any) -> None:
    put(alice, SAVED)
    assert reasons(alice, change) == [("password", "password_required")]
    assert row_of(alice).host == SAVED["host"]
    # The others may change without it, and it stays.
    assert put(alice, {"fromEmail": "b@acme.example", "enabled": False})["hasPassword"] is True
    assert put(alice, {**change, "password": "another"})["hasPassword"] is True


def test_a_copied_password_opens_nowhere_else(alice: Api, mallory: Api) -> None:
    put(alice, SAVED)
    put(mallory, {**SAVED, "password": "x"})
    stolen = row_of(alice).sealed_password
    with bind(mallory.tenant.ref):
        Row.objects.update(sealed_password=stolen)
        with pytest.raises(SealBroken):
            server_of(Row.objects.get())
    with bind(alice.tenant.ref):
        Row.objects.update(host="evil.example")
        with pytest.raises(SealBroken):
            server_of(Row.objects.get())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"host": "127.0.0.1"}, ("host", "address_not_allowed")),
        ({"host": "2130706433"}, ("host", "address_not_allowed")),
        ({"host": "0x7f.1"}, ("host", "address_not_allowed")),
        ({"host": "[::1]"}, ("host", "address_not_allowed")),
        ({"host": "::ffff:10.0.0.1"}, ("host", "address_not_allowed")),
        ({"host": "169.254.169.254"}, ("host", "address_not_allowed")),
        ({"host": "localhost"}, ("host", "address_not_allowed")),
        ({"host": "metadata.google.internal"}, ("host", "address_not_allowed")),
        ({"host": "a b.example"}, ("host", "invalid")),
        ({"port": 22}, ("port", "port_not_allowed")),
        ({"security": "none"}, ("security", "encryption_required")),
        ({"fromEmail": "nobody"}, ("fromEmail", "invalid")),
        ({"fromEmail": None}, ("fromEmail", "required")),
    ],
)
def test_what_cannot_be_is_refused(alice: Api, body: Any, reason: tuple[str, str]) -> None:
    assert reasons(alice, {**SAVED, **body}) == [reason]
    assert alice.get(PATH).json()["data"]["configured"] is False


def test_null_goes_back_and_a_null_host_removes_everything(alice: Api) -> None:
    put(alice, {**SAVED, "port": 2525})
    assert put(alice, {"port": None, "password": "again"})["port"] == 587
    assert put(alice, {"username": None, "password": None})["hasPassword"] is False
    assert put(alice, {"host": None})["configured"] is False
    with bind(alice.tenant.ref):
        assert not Row.objects.exists()


# What a test says.


def test_a_server_that_works_is_verified_until_it_is_changed(alice: Api, server: SmtpServer) -> None:
    put(alice, values_of(server))
    result = result_of(alice)
    assert (result["ok"], result["stage"], result["code"]) == (True, "data", None)
    assert result["tls"]["version"].startswith("TLS")
    (sent,) = server.to(alice.user.email)
    assert (sent.sender, sent.login, sent.encrypted) == ("crm@acme.example", "mailer", True)
    assert alice.get(PATH).json()["data"]["verifiedAt"]
    assert put(alice, {"fallbackToPlatform": True})["verifiedAt"]
    assert put(alice, {"fromEmail": "other@acme.example"})["verifiedAt"] is None


def test_each_stage_has_its_own_code(alice: Api, server: SmtpServer, settings: Any) -> None:
    own = alice.user.email

    def said(**changes: Any) -> tuple[str, str, int | None]:
        put(alice, values_of(server, **changes))
        result = result_of(alice)
        assert result["ok"] is False
        return result["stage"], result["code"], result["smtpCode"]

    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "smtp_test_tenant": (50, 60)}
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert said(port=closed.getsockname()[1]) == ("connect", "connect_failed", None)
    assert said(password="wrong") == ("auth", "auth_failed", 535)
    server.refused[own] = "550 5.1.1 The text of a stranger"
    assert said() == ("rcpt", "recipient_rejected", 550)
    server.refused.clear()
    server.refusing_all = "554 5.7.1 The text of a stranger"
    assert said() == ("data", "data_rejected", 554)
    server.refusing_all = ""
    assert said(username="", password=None)[:2] == ("mail_from", "sender_rejected")
    assert said(security="tls")[:2] == ("tls", "tls_failed")
    settings.SMTP_CA_FILE = ""
    assert said() == ("tls", "certificate_invalid", None)
    settings.SMTP_ALLOW_PRIVATE = False
    with bind(alice.tenant.ref):
        before = server.connections
    result = result_of(alice)
    assert (result["stage"], result["code"]) == ("resolve", "address_not_allowed")
    assert server.connections == before
    assert "stranger" not in str(alice.get(PATH).json())


def test_a_test_goes_to_oneself_only_and_not_too_often(alice: Api, bob: Api, server: SmtpServer) -> None:
    put(alice, values_of(server))
    refused = alice.post(f"{PATH}/test", {"to": "victim@elsewhere.test"})
    assert (refused.status_code, refused.json()["error"]["details"][0]["code"]) == (400, "not_own_address")
    assert server.mails == []
    assert result_of(alice, {"to": alice.user.email.upper()})["ok"]
    statuses = [alice.post(f"{PATH}/test").status_code for _ in range(6)]
    assert statuses == [200] * 4 + [429] * 2


def test_a_change_while_the_server_talks_is_not_verified(alice: Api, server: SmtpServer) -> None:
    put(alice, values_of(server))
    row = row_of(alice)
    put(alice, {"fromEmail": "other@acme.example"})
    with bind(alice.tenant.ref):
        smtp_testing._write_down(row, smtp_testing.TestResult(True, "data", "", None, 1, None))
    assert row_of(alice).verified_at is None


def test_who_talks_slowly_is_cut_off(settings: Any) -> None:
    """One byte in time after the other is not the whole in time."""
    settings.SMTP_ALLOW_PRIVATE = True
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            line, _ = listener.accept()
            with line:
                try:
                    while True:
                        line.send(b"2")
                        time.sleep(0.02)
                except OSError:
                    pass

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        backend = GuardedSmtpBackend(Server("127.0.0.1", listener.getsockname()[1], "", "", "none"), whole=0.3)
        began = time.monotonic()
        with pytest.raises(SMTPServerDisconnected):
            backend.open()
        backend.close()
        assert (backend.progress.timed_out, time.monotonic() - began < 3) == (True, True)
        thread.join(2)
        assert not thread.is_alive()


def test_the_platforms_own_password_is_never_said(settings: Any) -> None:
    settings.SMTP_ALLOW_PRIVATE = True
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "platform", "platform secret"
    settings.EMAIL_USE_SSL = settings.EMAIL_USE_TLS = False
    with smtp_server(login=("platform", "platform secret")) as server:
        backend = GuardedSmtpBackend(Server("127.0.0.1", server.port, "", "", "none"))
        assert (backend.username, backend.password) == ("", "")
        message = mail.EmailMessage("x", "y", "a@acme.test", ["b@acme.test"])
        with pytest.raises(SMTPSenderRefused):
            backend.send_messages([message])
        backend.close()
        assert server.mails == []
    for host, port in (("", 25), ("127.0.0.1", 0)):
        with pytest.raises(ValueError, match="platform's own"):
            GuardedSmtpBackend(Server(host, port, "", "", "none"))


# What goes through it.


def verified(person: Api, server: SmtpServer, **more: Any) -> None:
    put(person, values_of(server, **more))
    with bind(person.tenant.ref):
        Row.objects.update(verified_at=timezone.now())


def test_mail_goes_through_it_once_it_was_tested(alice: Api, bob: Api, server: SmtpServer) -> None:
    put(alice, values_of(server))
    raise_lead(alice, bob)
    dispatcher.drain()
    assert (len(lead_mails(bob)), server.to(bob.user.email)) == (1, [])
    verified(alice, server)
    assert alice.call("PUT", "/settings/email/sender", {"fromName": "Acme, Inc"}).status_code == 200
    raise_lead(alice, bob)
    dispatcher.drain()
    (sent,) = server.to(bob.user.email)
    assert sent.sender == "crm@acme.example"
    assert sent.message["From"] == '"Acme, Inc" <crm@acme.example>'
    assert {one.mailer for one in deliveries(bob)} == {"platform", "tenant"}
    assert put(alice, {"enabled": False})["enabled"] is False
    raise_lead(alice, bob)
    dispatcher.drain()
    assert (len(lead_mails(bob)), len(server.to(bob.user.email))) == (2, 1)


def test_a_batch_shares_a_connection(alice: Api, bob: Api, server: SmtpServer) -> None:
    verified(alice, server)
    before = server.connections
    for _ in range(3):
        raise_lead(alice, bob)
    dispatcher.drain()
    assert (len(server.to(bob.user.email)), server.connections - before) == (3, 1)


def broken(person: Api, server: SmtpServer, **more: Any) -> None:
    """Verified once, and the password does not count any more."""
    verified(person, server, password="wrong", **more)


def test_after_five_failures_it_is_left_alone_and_administrators_are_told_once(
    alice: Api, bob: Api, server: SmtpServer
) -> None:
    broken(alice, server)
    raise_lead(alice, bob)
    now = timezone.now()
    for step in range(8):
        while dispatcher.run_once(now=now + timedelta(minutes=step)):
            pass
    row = row_of(alice)
    assert row.failures == 5
    assert row.paused_until is not None
    (event,) = [one for one in told(alice) if one["eventKey"] == "email.smtp_degraded"]
    assert "127.0.0.1" in event["title"]
    # The mail about it did not wait for what is broken.
    assert [one for one in mail.outbox if one.to == [alice.user.email] and "does not work" in one.subject]
    assert lead_mails(bob) == []
    assert alice.get("/settings/email/status").json()["data"]["blocking"] == ["smtp_paused"]
    # A second pause after it is no news, and then it works again.
    later = row.paused_until + timedelta(minutes=1)
    while dispatcher.run_once(now=later):
        pass
    assert (row_of(alice).paused_until or row.paused_until) > row.paused_until
    assert len([one for one in told(alice) if one["eventKey"] == "email.smtp_degraded"]) == 1
    with bind(alice.tenant.ref):
        assert JournalEntry.objects.filter(key="notifications.smtp_paused").count() == 2
        keep = row_of(alice)
    good = values_of(server)
    with bind(alice.tenant.ref):
        from notifications.email_settings.smtp_server import password_place
        from platform_site.keys import seal

        Row.objects.update(sealed_password=seal(good["password"].encode(), password_place(keep)))
    while dispatcher.run_once(now=later + PAUSE + timedelta(minutes=1)):
        pass
    assert len(server.to(bob.user.email)) == 1
    assert (row_of(alice).failures, row_of(alice).paused_until) == (0, None)


def test_while_it_is_left_alone_the_platform_sends_where_that_was_chosen(
    alice: Api, bob: Api, server: SmtpServer
) -> None:
    broken(alice, server, fallbackToPlatform=True)
    with bind(alice.tenant.ref):
        Row.objects.update(failures=5, paused_until=timezone.now() + PAUSE)
    raise_lead(alice, bob)
    dispatcher.drain()
    assert len(lead_mails(bob)) == 1
    status = alice.get("/settings/email/status").json()["data"]
    assert (status["ready"], status["mode"]) == (True, "platform")
    assert "smtp_fallback" in status["warnings"]


def test_an_address_that_is_refused_is_not_the_servers_fault(alice: Api, bob: Api, server: SmtpServer) -> None:
    verified(alice, server)
    server.refused[bob.user.email] = "550 5.1.1 No such user"
    raise_lead(alice, bob)
    dispatcher.drain()
    assert row_of(alice).failures == 0
    assert [one.reason for one in deliveries(bob)] == ["address_refused"]
