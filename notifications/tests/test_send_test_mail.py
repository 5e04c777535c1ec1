"""``send_test_mail``: through the platform's mail server or a tenant's, and how far it came."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from notifications.models import SmtpServer as Row
from platform_site.binding import bind
from tests.rows import row_counts
from tests.smtp_server import SmtpServer, smtp_server
from tests.support import Api

LOGIN = ("mailer", "secret words")
TO = "ada@elsewhere.test"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = 0
    try:
        call_command("send_test_mail", TO, "--json", *arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def plain(settings: Any) -> Iterator[SmtpServer]:
    with smtp_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield server


class TestThePlatforms:
    def test_it_arrives(self, database: None, plain: SmtpServer, capsys: pytest.CaptureFixture[str]) -> None:
        code, told = run(capsys)
        assert (code, told["ok"], told["via"], told["server"]) == (0, True, "platform", f"127.0.0.1:{plain.port}")
        [arrived] = plain.to(TO)
        assert arrived.message["Auto-Submitted"] == "auto-generated"

    def test_a_rehearsal_talks_to_nobody(
        self, database: None, plain: SmtpServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(capsys, "--dry-run")[0] == 0
        assert plain.connections == 0

    def test_the_servers_own_words(
        self, database: None, plain: SmtpServer, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def said() -> tuple[int, str, str, int | None]:
            code, told = run(capsys)
            return code, told["stage"], told["code"], told["smtp_code"]

        plain.refused[TO] = "550 5.1.1 No such user"
        assert said() == (1, "rcpt", "recipient_rejected", 550)
        with pytest.raises(SystemExit):
            call_command("send_test_mail", TO)
        assert "recipient_rejected at RCPT: 550 5.1.1 No such user" in capsys.readouterr().out
        plain.refused.clear()
        plain.refusing_all = "554 5.7.1 Spam"
        assert said() == (1, "data", "data_rejected", 554)
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "x", "y"
        assert said() == (1, "auth", "auth_not_offered", None)
        settings.EMAIL_HOST_USER = ""
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            settings.EMAIL_PORT = closed.getsockname()[1]
            assert said() == (1, "connect", "connect_failed", None)


class TestATenants:
    @pytest.fixture
    def own(self, alice: Api, settings: Any) -> Iterator[SmtpServer]:
        with smtp_server(tls="starttls", login=LOGIN) as server:
            settings.SMTP_ALLOW_PRIVATE = True
            settings.SMTP_CA_FILE = str(server.certificate)
            body = {
                "host": "127.0.0.1",
                "port": server.port,
                "username": LOGIN[0],
                "password": LOGIN[1],
                "security": "starttls",
                "fromEmail": "crm@acme.example",
            }
            assert alice.call("PUT", "/settings/email/smtp", body).status_code == 200
            yield server

    def test_it_arrives_as_often_as_the_operator_likes(
        self, own: SmtpServer, alice: Api, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(6):
            code, told = run(capsys, "--tenant", "acme")
            assert (code, told["ok"], told["via"]) == (0, True, "acme")
        assert len(own.to(TO)) == 6
        with bind(alice.tenant.ref):
            assert Row.objects.get().verified_at is not None

    def test_what_went_wrong_is_told(self, own: SmtpServer, capsys: pytest.CaptureFixture[str]) -> None:
        own.refused[TO] = "550 5.1.1 No such user"
        code, told = run(capsys, "--tenant", "acme")
        assert (code, told["stage"], told["code"], told["smtp_code"]) == (1, "rcpt", "recipient_rejected", 550)

    def test_a_rehearsal_writes_nothing(self, own: SmtpServer, alice: Api, capsys: pytest.CaptureFixture[str]) -> None:
        code, told = run(capsys, "--tenant", "acme", "--dry-run")
        assert (code, told["server"], own.connections) == (0, f"127.0.0.1:{own.port}", 0)
        with bind(alice.tenant.ref):
            assert Row.objects.get().verified_at is None


def refused(*arguments: str) -> int:
    with pytest.raises(CommandError) as error:
        call_command("send_test_mail", *arguments)
    return error.value.returncode


def test_refusals(tenant: Any) -> None:
    assert refused("nobody") == 1
    assert refused(TO, "--tenant", "unheard-of") == 2
    assert refused(TO, "--tenant", "acme") == 1


@pytest.mark.commits
def test_the_command_as_a_process(manage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with smtp_server() as server:
        monkeypatch.setenv("EMAIL_URL", server.url)
        before = row_counts()
        done = manage("send_test_mail", TO)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"the platform's mail server (127.0.0.1:{server.port}) took the mail to {TO}")
        assert row_counts() == before
