"""What tests share in which mails go all the way to a mail server."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from kombu import pools

from accounts.models import User
from notifications.models import Delivery
from notifications.tests.support import LEAD, VALUES
from platform_site import valkey
from platform_site.binding import bind
from platform_site.celery import app
from platform_site.local.standalone import Standalone
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.servers import private_valkey
from tests.smtp_server import HOST, SmtpServer
from tests.support import Api

SMTP = "django.core.mail.backends.smtp.EmailBackend"
# As many as one request may name.
MOST = 1000


def send_to(server: SmtpServer, settings: Any) -> None:
    """Let the platform's mail go to this server."""
    settings.EMAIL_BACKEND = SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT = HOST, server.port
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = server.login or ("", "")
    settings.EMAIL_USE_TLS = server.tls == "starttls"
    settings.EMAIL_USE_SSL = server.tls == "implicit"


def environment_of(server: SmtpServer) -> dict[str, str]:
    """The same for another process."""
    return {"EMAIL_BACKEND": SMTP, "EMAIL_URL": server.url, "SSL_CERT_FILE": str(server.certificate)}


def people_make(tenant: Any, count: int) -> list[User]:
    with bind(tenant.ref):
        addresses = [f"person-{number}@wire.test" for number in range(count)]
        return User.objects.bulk_create(
            User(email=address, email_key=address, profile_id=3, status="active") for address in addresses
        )


def raise_for(sender: Api, people: Sequence[User], **more: Any) -> None:
    """Raise the example event for these people by requests, and see that all were told."""
    for first in range(0, len(people), MOST):
        some = [person.id for person in people[first : first + MOST]]
        answer = sender.post("/notifications/send", {"eventKey": LEAD, "userIds": some, "data": VALUES, **more})
        assert (answer.status_code, answer.json()["data"]) == (202, {"told": len(some)}), answer.content


def run_everything(now: datetime) -> int:
    """Run what is due at ``now`` until nothing is. Gives how many rows there were."""
    done = 0
    while count := dispatcher.run_once(now=now):
        done += count
    return done


def statuses(tenant: Any) -> Counter[str]:
    """How many deliveries have which status."""
    with bind(tenant.ref):
        return Counter(Delivery.objects.values_list("status", flat=True))


def expected_ids(tenant: Any) -> set[str]:
    """The first part of the Message-ID of every delivery there is."""
    with bind(tenant.ref):
        return {number.hex for number in Delivery.objects.values_list("id", flat=True)}


def arrived_ids(server: SmtpServer) -> Counter[str]:
    """The same of what the server has, and how often."""
    return Counter(mail.id.strip("<>").partition(".")[0] for mail in server.mails)


@contextmanager
def own_valkey(directory: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standalone]:
    """A Valkey of the test's own, for the cache and for Celery, here and in processes that are started from here.

    It forgets everything when it restarts.
    """
    with private_valkey(directory) as own, monkeypatch.context() as environment:
        settings.REDIS_URL = own.url
        # Celery looks at the environment before it looks at settings.
        broker = own.url.replace("unix://", "redis+socket://").replace("?db=0", "?virtual_host=1")
        environment.setenv("CELERY_BROKER_URL", broker)
        environment.setenv("REDIS_URL", own.url)
        _reconnect()
        yield own
        _reconnect()


def _reconnect() -> None:
    valkey.close()
    pools.reset()
    app._pool = app.amqp._producer_pool = None  # type: ignore[attr-defined]


def outbox_clear() -> None:
    """Away with what making the tenants left to do."""
    OutboxRow.objects.all().delete()


def figures(**values: float) -> None:
    """What a soak counted; ``make soak ARGS="… -rP"`` shows it."""
    sys.stdout.write(", ".join(f"{name} {value:,.0f}" for name, value in values.items()) + "\n")
