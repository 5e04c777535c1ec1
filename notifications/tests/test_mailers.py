"""By which server a mail goes and what it says of its sender; what a company's server learns, and what it does not."""

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from smtplib import SMTPDataError, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from notifications.mailing.circuit import MOST_FAILURES, PAUSE
from notifications.mailing.guarded_smtp import GuardedSmtpBackend, Server
from notifications.mailing.letters import Letter
from notifications.mailing.mailers import Envelope, MailerPaused, Posted, post
from notifications.models import Delivery
from notifications.models import SmtpServer as Row
from notifications.tests.support import deliveries, raise_lead
from notifications.tests.wire import run_everything
from platform_site.binding import bind
from platform_site.outbox import dispatcher
from tests.smtp_server import HOST, SmtpServer, Tls, smtp_server
from tests.support import Api

PATH = "/settings/email/smtp"
LOGIN = ("mailer", "a long secret")
SECURITY = {"": "none", "starttls": "starttls", "implicit": "tls"}
READER = "reader@example.com"
LETTER = Letter("Hello", "<p>Hello</p>", "Hello")


def _server(settings: Any, tls: Tls) -> Iterator[SmtpServer]:
    settings.SMTP_ALLOW_PRIVATE = True
    with smtp_server(tls=tls, login=LOGIN) as own:
        settings.SMTP_CA_FILE = str(own.certificate)
        yield own


@pytest.fixture
def server(settings: Any, database: None) -> Iterator[SmtpServer]:
    """One that wants STARTTLS and a password, with a signature that is known."""
    yield from _server(settings, "starttls")


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who tries to sign in to any server."""
    names: list[str] = []
    original = SmtpServer._authenticated

    def authenticated(self: SmtpServer, *arguments: Any) -> Any:
        names.append(arguments[-1].login.decode())
        return original(self, *arguments)

    monkeypatch.setattr(SmtpServer, "_authenticated", authenticated)
    return names


def save(person: Api, server: SmtpServer, **values: Any) -> None:
    who = {"host": HOST, "port": server.port, "username": LOGIN[0], "password": LOGIN[1]}
    body = {**who, "security": SECURITY[server.tls], "fromEmail": "crm@acme.example", **values}
    answer = person.call("PUT", PATH, body)
    assert answer.status_code == 200, answer.content


def use(person: Api, server: SmtpServer, **values: Any) -> None:
    """Save it as if a test of it had succeeded."""
    save(person, server, **values)
    with bind(person.tenant.ref):
        Row.objects.update(verified_at=timezone.now())


def came_to(person: Api) -> tuple[Any, ...]:
    """How far a test comes."""
    answer = person.post(f"{PATH}/test")
    assert answer.status_code == 200, answer.content
    result = answer.json()["data"]
    return result["stage"], result["code"], result["smtpCode"]


def row_of(person: Api) -> Row:
    with bind(person.tenant.ref):
        return Row.objects.get()


def posted(person: Api, letter: Letter = LETTER, **more: Any) -> Posted:
    with bind(person.tenant.ref):
        return post(letter, Envelope(to=READER, message_id="1.test", **more))


def fail(person: Api, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionRefusedError):
            posted(person)


def test_mail_about_security_goes_by_the_platform_whatever_the_companys_server_does(
    server: SmtpServer, alice: Api
) -> None:
    use(alice, server)
    assert posted(alice, security=True).mailer == "platform"
    server.stop()
    fail(alice, MOST_FAILURES)
    assert posted(alice, security=True).mailer == "platform"
    with pytest.raises(MailerPaused) as paused:
        posted(alice)
    assert paused.value.until == row_of(alice).paused_until
    assert [one.from_email for one in mail.outbox] == ["Acme Corp <no-reply@platform.test>"] * 2
    assert server.mails == []


def test_that_it_does_not_work_is_told_by_the_platform_at_once(server: SmtpServer, alice: Api, bob: Api) -> None:
    use(alice, server)
    server.stop()
    fail(alice, MOST_FAILURES)
    dispatcher.drain()
    with bind(alice.tenant.ref):
        told = list(Delivery.objects.values_list("notification__event_key", "status", "mailer"))
    assert told == [("email.smtp_degraded", "sent", "platform")]
    assert [one.to for one in mail.outbox if "does not work" in one.subject] == [[alice.user.email]]
    assert deliveries(bob) == []


def test_mail_waits_for_the_end_of_a_pause(server: SmtpServer, alice: Api, bob: Api) -> None:
    use(alice, server)
    server.stop()
    fail(alice, MOST_FAILURES)
    raise_lead(alice, bob)
    dispatcher.drain()
    assert [one.status for one in deliveries(bob)] == ["pending"]
    server.start()
    run_everything(timezone.now() + PAUSE + timedelta(minutes=1))
    assert ([one.status for one in deliveries(bob)], len(server.to(bob.user.email))) == (["sent"], 1)
    assert (row_of(alice).failures, row_of(alice).paused_until) == (0, None)


def test_a_success_in_between_begins_the_count_again(server: SmtpServer, alice: Api) -> None:
    use(alice, server)
    server.stop()
    fail(alice, MOST_FAILURES - 1)
    server.start()
    assert posted(alice).mailer == "tenant"
    server.stop()
    fail(alice, MOST_FAILURES - 1)
    assert (row_of(alice).failures, row_of(alice).paused_until) == (MOST_FAILURES - 1, None)


def test_a_mail_that_is_refused_is_not_the_servers_fault(server: SmtpServer, alice: Api) -> None:
    use(alice, server)
    server.refusing_all = "554 5.7.1 Looks like spam"
    with pytest.raises(SMTPDataError):
        posted(alice)
    assert row_of(alice).failures == 0


def test_a_mistake_of_ours_is_not_the_servers_fault(
    server: SmtpServer, alice: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise ZeroDivisionError

    use(alice, server)
    monkeypatch.setattr("notifications.mailing.mailers.send_through", broken)
    with pytest.raises(ZeroDivisionError):
        posted(alice)
    assert row_of(alice).failures == 0


def test_a_password_that_cannot_be_opened_counts_as_a_failure(server: SmtpServer, alice: Api) -> None:
    use(alice, server)
    with bind(alice.tenant.ref):
        Row.objects.update(username="somebody")
    with pytest.raises(ValueError, match="smtp password"):
        posted(alice)
    assert row_of(alice).failures == 1
    assert came_to(alice) == ("auth", "password_unreadable", None)


def test_line_breaks_begin_no_headers(server: SmtpServer, alice: Api) -> None:
    use(alice, server)
    letter = Letter("Hello\r\nBcc: everybody@example.com", "<p>Hello</p>", "Hello")
    posted(alice, letter, headers={"X-One": "1\r\nX-Two: 2"})
    message = server.to(READER)[0].message
    assert message["Subject"] == "Hello Bcc: everybody@example.com"
    assert (message["Bcc"], message["X-Two"], message["X-One"]) == (None, None, "1 X-Two: 2")


def test_the_sender_is_the_companys_name_at_the_address_of_who_sends(server: SmtpServer, alice: Api) -> None:
    chosen = {"fromName": "Müller, Söhne", "replyTo": "office@acme.example"}
    assert alice.call("PUT", "/settings/email/sender", chosen).status_code == 200
    assert posted(alice).mailer == "platform"
    by_platform = mail.outbox[-1].message()
    assert by_platform["From"].endswith(" <no-reply@platform.test>")
    assert by_platform["Reply-To"] == "office@acme.example"
    use(alice, server)
    posted(alice)
    message = server.to(READER)[0].message
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Müller, Söhne", "crm@acme.example")
    assert message["Reply-To"] == "office@acme.example"


class Provider(BaseEmailBackend):
    """What anymail's backends do to a message."""

    sent: list[Any] = []

    def send_messages(self, email_messages: Any) -> int:
        for message in email_messages:
            message.anymail_status = type("Status", (), {"message_id": "provider-1"})()
            self.sent.append(message)
        return len(email_messages)


def test_a_provider_gets_what_names_the_mail_and_its_id_is_kept(
    alice: Api, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.mailing.mailers.get_connection", Provider)
    monkeypatch.setattr(Provider, "sent", [])
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    assert posted(alice, metadata={"ref": "abc"}) == Posted("platform", "provider-1")
    assert Provider.sent[0].metadata == {"ref": "abc"}


def test_a_mail_server_gets_nothing_of_that(server: SmtpServer, alice: Api) -> None:
    use(alice, server)
    assert posted(alice, metadata={"ref": "abc-secret"}) == Posted("tenant")
    assert b"abc-secret" not in server.mails[0].raw


def test_encrypted_from_the_beginning(settings: Any, alice: Api) -> None:
    for server in _server(settings, "implicit"):
        use(alice, server)
        assert posted(alice).mailer == "tenant"
        assert (server.mails[0].encrypted, server.mails[0].login) == (True, "mailer")


def test_a_certificate_of_a_stranger_gets_no_password(
    server: SmtpServer, alice: Api, settings: Any, signed_in: list[str]
) -> None:
    settings.SMTP_CA_FILE = ""
    save(alice, server)
    assert came_to(alice) == ("tls", "certificate_invalid", None)
    assert signed_in == []


def test_a_certificate_has_to_be_for_the_name_not_for_the_address(
    server: SmtpServer, alice: Api, monkeypatch: pytest.MonkeyPatch, signed_in: list[str]
) -> None:
    place = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (HOST, server.port))
    monkeypatch.setattr("notifications.mailing.address_guard._look_up", lambda *arguments: [place])
    save(alice, server, host="mail.example.com")
    assert came_to(alice) == ("tls", "certificate_invalid", None)
    assert signed_in == []
    # The same place by a name that is in it.
    save(alice, server, host="localhost")
    assert came_to(alice) == ("data", None, None)


def test_the_platforms_own_password_is_not_even_tried(
    server: SmtpServer, alice: Api, settings: Any, signed_in: list[str]
) -> None:
    """The server wants exactly what the platform has, and the company named no user."""
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = LOGIN
    save(alice, server, username=None, password=None)
    assert came_to(alice) == ("mail_from", "sender_rejected", 530)
    assert (signed_in, server.mails) == ([], [])


def test_a_server_that_hangs_up(server: SmtpServer, alice: Api) -> None:
    save(alice, server)
    server.delay_seconds = 0.05
    server.on_mail = lambda arrived: server.stop()
    assert came_to(alice) == ("data", "server_hung_up", None)


def test_half_an_answer_is_no_yes(settings: Any) -> None:
    """The greeting begins as one should and has no end: cut off, it is not taken for a greeting."""
    settings.SMTP_ALLOW_PRIVATE = True
    with socket.create_server((HOST, 0)) as listener:
        server = Server(HOST, listener.getsockname()[1], "", "", "none")
        backend = GuardedSmtpBackend(server, whole=0.2)
        said = threading.Thread(target=_begin_a_greeting, args=(listener,))
        said.start()
        with pytest.raises(SMTPServerDisconnected, match="too long"):
            backend.open()
        backend.close()
        said.join(5)
    assert (said.is_alive(), backend.progress.timed_out) == (False, True)


def _begin_a_greeting(listener: socket.socket) -> None:
    with listener.accept()[0] as connection:
        connection.settimeout(5)
        connection.sendall(b"220 wel")
        while connection.recv(100):
            # Until it is cut off.
            pass


def test_a_host_that_nobody_knows(server: SmtpServer, alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    save(alice, server)
    monkeypatch.setattr("notifications.mailing.address_guard._look_up", lambda *arguments: [])
    assert came_to(alice) == ("resolve", "host_unknown", None)


def test_what_the_minute_refuses_takes_nothing_from_the_day(
    server: SmtpServer, alice: Api, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(alice, server)
    monkeypatch.setattr("notifications.mailing.address_guard._look_up", lambda *arguments: [])
    limits = settings.RATE_LIMITS
    settings.RATE_LIMITS = {**limits, "smtp_test_tenant": (1, 60), "smtp_test_tenant_day": (2, 86400)}
    assert [alice.post(f"{PATH}/test").status_code for _ in range(3)] == [200, 429, 429]
    settings.RATE_LIMITS = {**limits, "smtp_test_tenant_day": (2, 86400)}
    assert [alice.post(f"{PATH}/test").status_code for _ in range(2)] == [200, 429]
