"""From a request to what a real mail server gets, with nothing put in between."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.services.delivering import DELIVER
from notifications.tests.support import deliveries, raise_lead
from notifications.tests.wire import (
    arrived_ids,
    expected_ids,
    outbox_clear,
    people_make,
    raise_for,
    run_everything,
    send_to,
    statuses,
)
from platform_site.mail_connections import mail_connections
from platform_site.outbox import claiming, dispatcher
from platform_site.outbox.models import OutboxRow
from tests.smtp_server import Mail, SmtpServer, Tls, smtp_server
from tests.support import Api

LATER = timedelta(minutes=5)


@pytest.fixture
def server(database: None, settings: Any) -> Iterator[SmtpServer]:
    outbox_clear()
    with smtp_server() as own:
        send_to(own, settings)
        yield own


def rows() -> list[tuple[str, int, str]]:
    """(state, attempts, last error) of what waits to be sent."""
    return list(OutboxRow.objects.filter(reaction=DELIVER).values_list("state", "attempts", "last_error"))


def nth(number: int, then: Callable[[], object]) -> Callable[[Mail], None]:
    """For ``on_mail``: do this when the mail with this number has arrived."""
    left = [number]

    def on_mail(mail: Mail) -> None:
        left[0] -= 1
        if left[0] == 0:
            then()

    return on_mail


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_what_arrives(tls: Tls, alice: Api, bob: Api, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with smtp_server(tls=tls, login=("mailer", "a password")) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        send_to(server, settings)
        raise_lead(alice, alice, bob)
        dispatcher.drain()
        (mail,) = server.to(bob.user.email)
        assert (len(server.mails), server.connections) == (2, 1)
    (delivery,) = deliveries(bob)
    assert (mail.encrypted, mail.login, mail.sender) == (True, "mailer", "no-reply@platform.test")
    assert mail.recipients == [bob.user.email]
    message = mail.message
    assert message["From"].addresses[0].addr_spec == "no-reply@platform.test"
    assert (message["To"], message["Subject"]) == (bob.user.email, "New lead: Acme Corp")
    assert message["Message-ID"] == f"<{delivery.id.hex}.notification@{settings.MESSAGE_ID_DOMAIN}>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime is not None
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    for part in message.iter_parts():
        assert "/sales/leads/42" in part.get_content()
    assert delivery.status == "sent"


def test_a_signature_that_nobody_knows_gets_no_mail_and_no_password(alice: Api, bob: Api, settings: Any) -> None:
    with smtp_server(tls="starttls", login=("mailer", "a password")) as server:
        send_to(server, settings)
        raise_lead(alice, bob)
        dispatcher.drain()
        assert server.mails == []
    assert rows() == [("pending", 1, "SSLCertVerificationError")]


def test_a_wrong_password_is_tried_again_and_leaves_no_connection_open(alice: Api, bob: Api, settings: Any) -> None:
    with smtp_server(login=("mailer", "another")) as server:
        send_to(server, settings)
        settings.EMAIL_HOST_PASSWORD = "wrong"
        raise_lead(alice, bob)
        dispatcher.drain()
        assert rows() == [("pending", 1, "SMTPAuthenticationError")]
        assert server.has_open(0)
        settings.EMAIL_HOST_PASSWORD = "another"
        run_everything(timezone.now() + LATER)
        assert len(server.mails) == 1


def test_a_batch_takes_one_connection(server: SmtpServer, alice: Api) -> None:
    raise_for(alice, people_make(alice.tenant, 30))
    assert dispatcher.run_once(limit=25) == 25
    assert ({mail.connection for mail in server.mails}, len(server.mails)) == ({1}, 25)
    assert dispatcher.run_once() == 5
    assert (server.connections, len(server.mails)) == (2, 30)
    assert arrived_ids(server).keys() == expected_ids(alice.tenant)


def calls_taken(listening: socket.socket) -> int:
    """How many have connected."""
    listening.setblocking(False)
    taken = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listening.accept()[0].close()
            taken += 1
    return taken


def test_a_server_that_is_away_is_asked_once_for_a_batch(server: SmtpServer, alice: Api, settings: Any) -> None:
    raise_for(alice, people_make(alice.tenant, 5))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings.EMAIL_HOST, settings.EMAIL_PORT = deaf.getsockname()
        settings.EMAIL_TIMEOUT = 0.5
        # It takes the call and says nothing, which is what costs time.
        assert dispatcher.run_once() == 5
        # The probe of the mail server's health may have come by as well, in a thread of its own.
        assert calls_taken(deaf) in (1, 2)
    assert rows() == [("pending", 1, "SMTPServerDisconnected")] * 5
    send_to(server, settings)
    run_everything(timezone.now() + LATER)
    assert arrived_ids(server).keys() == expected_ids(alice.tenant)


def test_who_is_refused_for_good_fails_and_the_others_go_on(server: SmtpServer, alice: Api) -> None:
    people = people_make(alice.tenant, 5)
    server.refused[people[1].email] = "550 5.1.1 No such user here"
    raise_for(alice, people)
    dispatcher.drain()
    assert statuses(alice.tenant) == {"sent": 4, "failed": 1}
    assert (rows(), server.connections) == ([], 1)
    run_everything(timezone.now() + LATER)
    assert (len(server.mails), server.to(people[1].email)) == (4, [])


def test_who_is_refused_for_now_gets_it_later(server: SmtpServer, alice: Api, bob: Api) -> None:
    server.refused[bob.user.email] = "450 4.2.1 Try again later"
    raise_lead(alice, bob)
    dispatcher.drain()
    assert rows() == [("pending", 1, "SMTPRecipientsRefused")]
    assert dispatcher.drain() == 0
    server.refused.clear()
    run_everything(timezone.now() + LATER)
    assert arrived_ids(server) == {deliveries(bob)[0].id.hex: 1}
    assert deliveries(bob)[0].status == "sent"


@pytest.mark.parametrize("reply", ["451 4.3.0 Too much to do", "421 4.3.2 Going down", "554 5.7.1 Looks like spam"])
def test_a_mail_that_is_refused_is_tried_again(server: SmtpServer, alice: Api, bob: Api, reply: str) -> None:
    server.refusing_all = reply
    raise_lead(alice, alice, bob)
    dispatcher.drain()
    assert [row[:2] for row in rows()] == [("pending", 1)] * 2
    server.refusing_all = ""
    run_everything(timezone.now() + LATER)
    assert sorted(mail.recipients[0] for mail in server.mails) == sorted([alice.user.email, bob.user.email])


def test_a_server_that_goes_away_in_the_middle_gets_the_rest_later(server: SmtpServer, alice: Api) -> None:
    """The third mail is there when it goes away, but its yes is not: it comes again as the same mail."""
    raise_for(alice, people_make(alice.tenant, 6))
    server.delay_seconds = 0.05
    server.on_mail = nth(3, server.stop)
    dispatcher.drain()
    assert (len(server.mails), statuses(alice.tenant)) == (3, {"sent": 2, "pending": 4})
    server.start()
    server.delay_seconds = 0
    run_everything(timezone.now() + LATER)
    arrived = arrived_ids(server)
    assert arrived.keys() == expected_ids(alice.tenant)
    assert sorted(arrived.values()) == [1, 1, 1, 1, 1, 2]
    assert statuses(alice.tenant) == {"sent": 6}


@pytest.mark.parametrize("last_word", ["", "421 4.4.2 Idle for too long"])
def test_a_connection_that_was_idle_for_too_long_loses_nothing(server: SmtpServer, alice: Api, last_word: str) -> None:
    raise_for(alice, people_make(alice.tenant, 3))
    with mail_connections():
        first, second, third = claiming.claim()
        dispatcher.run(first)
        server.hang_up(saying=last_word)
        dispatcher.run(second)
        assert server.has_open(1)
        dispatcher.run(third)
    assert [mail.connection for mail in server.mails] == [1, 2, 2]
    assert statuses(alice.tenant) == {"sent": 3}
    assert server.has_open(0)


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(
    server: SmtpServer, alice: Api, bob: Api, settings: Any
) -> None:
    settings.EMAIL_TIMEOUT = 0.1
    server.hanging = True
    raise_lead(alice, bob)
    dispatcher.drain()
    assert rows() == [("pending", 1, "SMTPServerDisconnected")]
    server.hanging = False
    run_everything(timezone.now() + LATER)
    assert len(server.mails) == 1
