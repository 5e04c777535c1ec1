"""A company signs up and confirms its address: HTTP, journal, outbox, SMTP and back."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_site.local.layout import Layout
from platform_site.local.mailstore import list_messages
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api

BODY = {
    "companyName": "Acme Corp",
    "slug": "acme-corp",
    "adminEmail": "admin@acme.com",
    "adminPassword": "secure-password",
    "adminFirstName": "John",
    "adminLastName": "Doe",
}


@pytest.fixture
def mailbox(tmp_path: Path, settings: Any) -> Iterator[Layout]:
    """A real SMTP server that keeps what it gets."""
    import os

    layout = Layout(tmp_path)
    server = subprocess.Popen(
        [sys.executable, "-m", "platform_site.local.mailbox"], env={**os.environ, "VAR_DIR": str(tmp_path)}
    )
    deadline = time.monotonic() + 20
    while layout.smtp_port is None and time.monotonic() < deadline:
        time.sleep(0.05)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", layout.smtp_port
    yield layout
    server.terminate()
    server.wait(10)


def link_in(text: str) -> str:
    found = re.search(r"/verify-email/(\S+)", text)
    assert found
    return found[1]


@pytest.mark.commits
def test_from_sign_up_to_a_confirmed_address(api: Api, mailbox: Layout) -> None:
    OutboxRow.objects.all().delete()
    data = api.post("/tenants/register", BODY).json()["data"]
    admin = Api(token=data["accessToken"])
    assert admin.get("/auth/me").json()["data"]["emailVerified"] is False

    # The mail, and the directory of people.
    assert dispatcher.drain() == 2
    (mail,) = list_messages(mailbox.mail_dir)
    assert "admin@acme.com" in str(mail.to)
    assert mail.subject == "Confirm your e-mail address"
    assert "Hello John Doe" in mail.text
    assert link_in(mail.text) in mail.html

    verified = api.post(f"/auth/verify-email/{link_in(mail.text)}")
    assert verified.json()["data"] == {"verified": True, "alreadyVerified": False}
    assert admin.get("/auth/me").json()["data"]["emailVerified"] is True


@pytest.mark.commits
def test_a_mail_that_is_sent_again_is_the_same_mail(api: Api, mailbox: Layout) -> None:
    """As when the worker dies between the mail server's yes and its own note of it."""
    OutboxRow.objects.all().delete()
    api.post("/tenants/register", BODY)
    row = OutboxRow.objects.get(reaction__endswith=".mail_verification_link")
    dispatcher.drain()
    row.save(force_insert=True)
    dispatcher.drain()
    first, second = list_messages(mailbox.mail_dir)
    assert first.text == second.text
    raw = [path.read_text() for path in sorted(mailbox.mail_dir.rglob("*")) if path.is_file()]
    ids = {re.search(r"(?mi)^message-id: *(\S+)", text)[1] for text in raw if "essage-" in text}  # type: ignore[index]
    assert len(ids) == 1


@pytest.mark.commits
def test_while_the_mail_server_is_away_the_mail_waits(api: Api, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    OutboxRow.objects.all().delete()
    assert api.post("/tenants/register", BODY).status_code == 201
    dispatcher.drain()
    row = OutboxRow.objects.get()
    assert (row.state, row.attempts, row.last_error) == ("pending", 1, "ConnectionRefusedError")
