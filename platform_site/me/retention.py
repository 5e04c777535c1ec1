"""How long closed items are kept: long enough that a module that repeats itself does not open them again."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from platform_site.me.models import StoredItem
from platform_site.outbox.clock import working_now
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import job_kind
from platform_site.outbox.services import Job, enqueue_jobs
from platform_site.retention import Retention, delete_in_batches, retentions

RETAIN: Final = "action_items.retain"
EVERY: Final = timedelta(days=1)
KEEP: Final = timedelta(days=90)
# There is one of it in each tenant.
_THE_TENANT: Final = UUID(int=5)


def arm() -> None:
    """See to it that the job runs tomorrow, in the caller's tenant."""
    enqueue_jobs(kind=RETAIN, jobs=[Job(_THE_TENANT, due_at=timezone.now() + EVERY, queue=OutboxRow.Queue.BULK)])


@job_kind(RETAIN)
def retain(_: UUID) -> datetime | None:
    """Let go of what was closed long ago. Gives tomorrow, or None when nothing closed is left."""
    now = working_now()
    let_go(now)
    return now + EVERY if StoredItem.objects.filter(closed_at__isnull=False).exists() else None


def let_go(now: datetime) -> int:
    """Remove items that were closed long ago. Gives how many."""
    return delete_in_batches(_old(now))


def _old(now: datetime) -> QuerySet[StoredItem]:
    return StoredItem.objects.filter(closed_at__lt=now - KEEP)


retentions.add(Retention("action_items", lambda now: _old(now).count(), let_go))
