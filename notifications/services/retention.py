"""How long notifications are kept, and the job that lets go of what is older.

It is armed by counting, so a tenant in which nothing happens costs nothing, and
runs once a day for as long as there is something that will grow old.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from notifications.email_settings.read import Compliance, email_settings
from notifications.models import Delivery, DeliveryEvent, Digest, Notification, SoftBounce, Suppression
from platform_site.ids import uuid7_floor
from platform_site.outbox.clock import working_now
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import job_kind
from platform_site.outbox.services import Job, enqueue_jobs
from platform_site.retention import Retention, delete_in_batches, retentions

RETAIN: Final = "notifications.retain"
EVERY: Final = timedelta(days=1)
KEEP_READ: Final = timedelta(days=180)
KEEP_UNREAD: Final = timedelta(days=365)
# What became of a mail, unless the company chose another time; its counts stay.
KEEP_DELIVERIES: Final = timedelta(days=90)
_ENGAGEMENT: Final = ("opened_at", "machine_opened_at", "clicked_at")
# Rows of one statement: nobody waits long for its locks.
BATCH: Final = 2000
# There is one of it in each tenant.
_THE_TENANT: Final = UUID(int=2)


def arm() -> None:
    """See to it that the job runs tomorrow, in the caller's tenant."""
    enqueue_jobs(kind=RETAIN, jobs=[Job(_THE_TENANT, due_at=timezone.now() + EVERY, queue=OutboxRow.Queue.BULK)])


@job_kind(RETAIN)
def retain(_: UUID) -> datetime | None:
    """Let go of what is old. Gives tomorrow, or None when nothing is left to grow old."""
    now = working_now()
    let_go(now)
    return now + EVERY if Notification.objects.exists() else None


def let_go(now: datetime) -> int:
    """Remove what is kept no longer. Gives how many rows; what hangs on them is not counted."""
    chosen = email_settings()
    count = sum(delete_in_batches(rows, BATCH) for rows in _old(now, chosen.compliance))
    _forget_engagement(now - timedelta(days=chosen.tracking.retention_days))
    return count


def count_old(now: datetime) -> int:
    """How many rows that would be; what hangs on others of them counts twice."""
    return sum(rows.count() for rows in _old(now, email_settings().compliance))


def _forget_engagement(before: datetime) -> None:
    """Who opened and followed what in mails from before then. That somebody did stays counted."""
    DeliveryEvent.objects.filter(kind__in=("opened", "clicked"), delivery_id__lt=uuid7_floor(before)).delete()
    for model, columns in ((Delivery, _ENGAGEMENT), (Digest, ("opened_at", "clicked_at"))):
        known = Q(*((f"{column}__isnull", False) for column in columns), _connector=Q.OR)
        rows = model._default_manager.filter(known, id__lt=uuid7_floor(before))
        while ids := list(rows.values_list("pk", flat=True)[:BATCH]):
            model._default_manager.filter(pk__in=ids).update(**dict.fromkeys(columns))


def _old(now: datetime, compliance: Compliance) -> Iterator[QuerySet[Any]]:
    """Ids begin with their time, so the primary key is the index of all of these."""
    away = Q(read_at__isnull=False) | Q(dismissed_at__isnull=False) | Q(in_inbox=False)
    yield Notification.objects.filter(away, id__lt=uuid7_floor(now - KEEP_READ))
    yield Notification.objects.filter(id__lt=uuid7_floor(now - KEEP_UNREAD))
    kept = timedelta(days=compliance.retention_days) if compliance.gdpr else KEEP_DELIVERIES
    ended = ~Q(status=Delivery.Status.PENDING)
    yield Delivery.objects.filter(ended, id__lt=uuid7_floor(now - kept))
    over = Q(status__in=(Digest.Status.SENT, Digest.Status.SKIPPED, Digest.Status.FAILED))
    yield Digest.objects.filter(over, id__lt=uuid7_floor(now - kept))
    yield SoftBounce.objects.filter(id__lt=uuid7_floor(now - KEEP_DELIVERIES))
    yield Suppression.objects.filter(expires_at__lt=now)


retentions.add(Retention("notifications", count_old, let_go))
