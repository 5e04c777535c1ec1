"""The product's dispatcher in a process of its own, which is given rows and mails and says how fast it was.

Beside it, in the same process, what is the least that sending takes: smtplib, one connection, ready bytes.
"""

import smtplib
import subprocess
import sys
import time
from typing import Self

from benchmarks.answering import Answering
from benchmarks.database import Database
from benchmarks.processes import inherited

EVENT = "sales.lead_assigned"


class Mailing(Answering):
    """Its answers are how many in a second."""

    def __init__(self, database: Database, smtp_port: int = 25) -> None:
        env = {**database.env(), "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}"}
        super().__init__("benchmarks.mailing", env, stderr=subprocess.DEVNULL)

    def claim(self, count: int) -> float:
        """Rows that are claimed in batches as the dispatcher does it, and finished with nothing done."""
        return self._ask("claim", count)

    def send(self, count: int) -> float:
        """Mails about a notification of as many people, which was told before."""
        return self._ask("send", count)

    def send_plainly(self, count: int) -> float:
        """One of these mails as often, by smtplib alone."""
        return self._ask("plain", count)

    def _ask(self, what: str, count: int) -> float:
        return float(self.ask(f"{what} {count}"))


class MailServer(Answering):
    """The mail server of the tests, in a process of its own."""

    def __init__(self) -> None:
        super().__init__("tests.smtp_server", inherited())

    def __enter__(self) -> Self:
        super().__enter__()
        self.port = int(self.read())
        return self

    def arrived(self) -> int:
        """How many mails since it was last asked."""
        return int(self.ask("").split()[0])


# -- the process -------------------------------------------------------------------------------


def _serve() -> None:
    import django

    django.setup()
    work = {"claim": _claim, "send": _send, "plain": _send_plainly}
    for line in sys.stdin:
        what, count = line.split()
        print(int(count) / work[what](int(count)), flush=True)


def _claim(count: int) -> float:
    from platform_site.outbox.claiming import claim
    from platform_site.outbox.dispatcher import _finish

    left, begun = count, time.perf_counter()
    while left > 0:
        rows = claim()
        assert rows, "there was not enough to claim"
        for row in rows:
            _finish(row)
        left -= len(rows)
    return time.perf_counter() - begun


def _send(count: int) -> float:
    from platform_site.outbox.dispatcher import run_once

    _tell(count)
    begun = time.perf_counter()
    while run_once():
        pass
    return time.perf_counter() - begun


def _send_plainly(count: int) -> float:
    from django.conf import settings

    content = _a_mail()
    begun = time.perf_counter()
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT) as connection:
        for number in range(count):
            connection.sendmail("no-reply@platform.test", [f"{number}@company.example"], content)
    return time.perf_counter() - begun


def _a_mail() -> bytes:
    """What the dispatcher makes of one notification."""
    from django.core import mail
    from django.test.utils import override_settings

    from platform_site.outbox.dispatcher import run_once

    _tell(1)
    mail.outbox = []
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        run_once()
    (sent,) = mail.outbox
    return bytes(sent.message().as_bytes().replace(b"\n", b"\r\n"))


def _tell(count: int) -> None:
    """Nothing else is due then."""
    from accounts.models import User
    from notifications.services.telling import notify
    from platform_site.binding import bind
    from platform_site.notification_events import notification_events
    from platform_site.outbox.models import OutboxRow
    from tenancy.models import Tenant

    OutboxRow.objects.all().delete()
    with bind(Tenant.objects.get(status="active").ref):
        addresses = [f"{number}@company.example" for number in range(count)]
        User.objects.bulk_create(
            [User(email=one, email_key=one, first_name="Person", profile_id=3, status="active") for one in addresses],
            ignore_conflicts=True,
        )
        people = User.objects.filter(email_key__in=addresses).values_list("id", flat=True)
        values = {"leadName": "Acme Corp", "assignedBy": "Jane Doe", "leadId": 42}
        assert notify(event=notification_events.get(EVENT), user_ids=people, values=values) == count


if __name__ == "__main__":
    _serve()
