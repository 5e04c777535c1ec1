import os
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from platform_site.local.layout import REPOSITORY, Layout
from platform_site.local.mailbox import HOST, choose_port
from platform_site.local.mailstore import get_message, list_messages
from platform_site.local.processes import stop_child, wait_until

pytestmark = pytest.mark.no_django


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """A mailbox in a process of its own, as the supervisor runs it."""
    layout = Layout(tmp_path_factory.mktemp("mail"))
    child = subprocess.Popen(
        [sys.executable, "-m", "platform_site.local.mailbox"],
        cwd=REPOSITORY,
        env={**os.environ, "VAR_DIR": str(layout.var_dir)},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    assert wait_until(lambda: _listens(layout.smtp_port), timeout=20)
    yield layout
    assert stop_child(child, first=signal.SIGTERM, patience=10) == 0


@pytest.fixture
def smtp(layout: Layout) -> Iterator[smtplib.SMTP]:
    assert layout.smtp_port
    with smtplib.SMTP(HOST, layout.smtp_port, timeout=10) as client:
        yield client


def _listens(port: int | None) -> bool:
    try:
        socket.create_connection((HOST, port or 1), timeout=1).close()
    except OSError:
        return False
    return True


def _letter(subject: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Platform <no-reply@platform.test>"
    message["To"] = "ada@demo.test"
    message["Subject"] = subject
    for name, value in headers.items():
        message[name] = value
    message.set_content("Guten Tag, Größe\n")
    message.add_alternative("<p>Guten Tag, Größe</p>", subtype="html")
    return message


def test_a_letter_arrives_with_both_its_bodies(layout: Layout, smtp: smtplib.SMTP) -> None:
    smtp.send_message(_letter("Schöne Grüße", Date="Mon, 02 Mar 2026 10:00:00 +0100"))
    mail = list_messages(layout.mail_dir)[0]
    assert (mail.to, mail.subject) == ("ada@demo.test", "Schöne Grüße")
    assert mail.text == "Guten Tag, Größe\n"
    assert mail.html.strip() == "<p>Guten Tag, Größe</p>"
    assert mail.sent_at == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_the_newest_comes_first_and_each_is_found_by_its_id(layout: Layout, smtp: smtplib.SMTP) -> None:
    for subject in ("one", "two", "three"):
        smtp.send_message(_letter(subject))
    latest = list_messages(layout.mail_dir, limit=3)
    assert [mail.subject for mail in latest] == ["three", "two", "one"]
    assert get_message(layout.mail_dir, latest[1].id) == latest[1]
    assert get_message(layout.mail_dir, "1.none") is None
    assert get_message(layout.mail_dir, "../../secrets.env") is None


def test_a_blind_copy_is_known_by_its_envelope(layout: Layout, smtp: smtplib.SMTP) -> None:
    smtp.sendmail("a@demo.test", ["hidden@demo.test"], b"Subject: no To at all\r\n\r\nhello\r\n")
    assert list_messages(layout.mail_dir)[0].to == "hidden@demo.test"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"no headers, only words",
        b"Subject: =?utf-8?b?!!!?=\r\nTo: <<<>>>,@,;\r\nDate: yesterday\r\n\r\nx",
        b"To: \xff\xfe\r\nSubject: \xe4\xf6\r\n\r\n\xff\xfe",
        b"Content-Type: text/plain; charset=klingon\r\n\r\nnuqneH",
        b"Content-Type: text/html; charset=\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%",
        b"Content-Type: multipart/mixed; boundary=never\r\n\r\n--other\r\n",
        b"Content-Type: text\r\nFrom: \x00\r\n\r\nx",
        b"Date: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\nx",
        b"Subject: " + b"long" * 5000 + b"\r\n\r\n" + b"x" * 100_000,
        b"\r\n".join([b"From x", b": y", b" z"]),
    ],
)
def test_odd_mail_is_kept_and_can_be_read(raw: bytes, layout: Layout, smtp: smtplib.SMTP) -> None:
    before = len(list_messages(layout.mail_dir, limit=1000))
    smtp.sendmail("a@demo.test", ["odd@demo.test"], raw)
    mail = list_messages(layout.mail_dir, limit=1000)
    assert len(mail) == before + 1
    assert mail[0].sent_at.tzinfo is not None
    assert isinstance(mail[0].subject + mail[0].text + mail[0].html, str)


def test_any_user_name_may_sign_in(smtp: smtplib.SMTP) -> None:
    code, _ = smtp.login("anybody", "anything")
    assert code == 235


def test_an_empty_or_missing_box_has_no_mail(tmp_path: Path) -> None:
    assert list_messages(tmp_path / "none") == []


def test_the_port_of_the_last_run_is_kept_when_it_is_free(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    first = choose_port(layout)
    assert choose_port(layout) == first == layout.smtp_port
    with socket.create_server((HOST, first)):
        assert choose_port(layout) != first
