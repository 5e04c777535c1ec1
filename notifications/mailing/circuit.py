"""Leaving a company's mail server alone for a while when it fails too often."""

from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Final

from django.db import transaction

from notifications import catalog
from notifications.models import SmtpServer
from platform_site.journal.services import record
from platform_site.keys import SealBroken, UnknownKey
from platform_site.moments import wire_time

MOST_FAILURES: Final = 5
PAUSE: Final = timedelta(minutes=15)


def is_servers_fault(error: Exception) -> bool:
    """Its own, its password's or the network's: not when it refused one address or one mail, another may still go."""
    if isinstance(error, SMTPRecipientsRefused | SMTPDataError):
        return False
    return isinstance(error, OSError | SealBroken | UnknownKey)


@transaction.atomic
def server_failed(server: SmtpServer, now: datetime) -> None:
    """Count it; after too many in a row the server is left alone. Once after a pause is once too often."""
    row = SmtpServer.objects.select_for_update().filter(id=server.id, updated_at=server.updated_at).first()
    if row is None or (row.paused_until is not None and row.paused_until > now):
        return
    failures, again, paused_until = row.failures + 1, row.paused_until is not None, None
    if failures >= MOST_FAILURES:
        paused_until = now + PAUSE
        record(
            catalog.SMTP_PAUSED,
            subject=("email_settings", "smtp"),
            data={"host": row.host, "until": wire_time(paused_until), "again": again},
        )
    SmtpServer.objects.filter(id=row.id).update(failures=failures, paused_until=paused_until)


def server_worked(server: SmtpServer) -> None:
    if server.failures or server.paused_until is not None:
        SmtpServer.objects.filter(id=server.id, updated_at=server.updated_at).update(failures=0, paused_until=None)
