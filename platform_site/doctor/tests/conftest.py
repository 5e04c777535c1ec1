"""An installation in which nothing is wrong, for tests to break."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import LinkToken
from platform_site import pulse
from platform_site.binding import bind
from platform_site.doctor import examining
from platform_site.doctor.catalog import Examination, Finding, problem
from platform_site.outbox.models import OutboxRow
from platform_site.rotation.moving import move_all
from tenancy.models import Tenant

# What is not as it should be with the servers of the tests, and is not wrong either.
EXPECTED_WARNINGS = {"valkey.persistence"}


def doctor(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and what it says as JSON."""
    out, code = StringIO(), 0
    try:
        call_command("doctor", "--json", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    return code, json.loads(out.getvalue())


def findings(*arguments: str) -> dict[str, dict[str, str]]:
    return {one["name"]: one for one in doctor(*arguments)[1]["examinations"]}


def problems(*arguments: str) -> set[str]:
    """Names of what is wrong; the exit code says the same."""
    code, told = doctor(*arguments)
    found = {one["name"] for one in told["examinations"] if one["state"] == "problem"}
    assert (code == 2) is bool(found)
    assert all(one["found"] for one in told["examinations"])
    # Whoever is told of something wrong is told what to do.
    assert all(one["todo"] for one in told["examinations"] if one["state"] in {"warning", "problem"})
    return found


@pytest.fixture
def mail_server() -> Iterator[int]:
    """Greets, and knows no more than that. Gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_greet, args=[listener], daemon=True).start()
        yield listener.getsockname()[1]


def _greet(listener: socket.socket) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, client.makefile("rwb") as talk:
            talk.write(b"220 mail.acme.com\r\n")
            talk.flush()
            while line := talk.readline():
                talk.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 mail.acme.com\r\n")
                talk.flush()


def _at_once(examination: Examination) -> Finding:
    """In the test's own thread, which sees what its transaction did."""
    try:
        return examination.examine()
    except Exception as error:
        return problem(f"{type(error).__name__}: {error}", "See why.")


@pytest.fixture
def installation(
    request: pytest.FixtureRequest,
    database: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    mail_server: int,
) -> Iterator[Callable[[], None]]:
    """As in production. Gives what makes worker and scheduler look alive.

    Without the mark ``commits`` what a test breaks, schemas too, is rolled back.
    """
    owner = settings.DATABASE_OWNER
    if "as_owner" in request.keywords:
        # A test that breaks a schema is the owner, and what is looked at is not the application's role.
        settings.DATABASE_OWNER = {}
    if "commits" not in request.keywords:
        monkeypatch.setattr(examining, "_in_time", _at_once)
    settings.PUBLIC_URL = "https://platform.acme.com"
    settings.ALLOWED_HOSTS = ["platform.acme.com"]
    settings.SECURE_SSL_REDIRECT = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_server
    settings.DEFAULT_FROM_EMAIL, settings.MESSAGE_ID_DOMAIN = "Acme <hello@acme.com>", "acme.com"
    monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{mail_server}")
    # The template of the tests' databases may be of an earlier run, which had other keys.
    for tenant in Tenant.objects.all():
        with bind(tenant.ref):
            LinkToken.objects.all().delete()
    move_all()
    OutboxRow.objects.all().delete()

    def alive() -> None:
        pulse._left_at.clear()
        for part in pulse.Part:
            pulse.leave(part)

    alive()
    yield alive
    # Before the test's database is dropped, by the owner.
    settings.DATABASE_OWNER = owner
