"""How long events are kept, where a company has said so, and the job that lets go of what is older.

It is armed by the setting, so that ingest costs nothing for it, and runs once a
day for as long as the setting stands. What is too old comes in no more, so that
nothing is let go of which has just been taken.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from events.catalog import RETENTION_DAYS
from events.models import Event
from platform_site.outbox.clock import working_now
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import job_kind
from platform_site.outbox.services import Job, enqueue_jobs, jobs_move
from platform_site.retention import Retention, retentions
from tenancy.org_settings.selectors import setting_value

RETAIN: Final = "events.retain"
EVERY: Final = timedelta(days=1)
# Events of one transaction: who counts for the same records meanwhile waits for no more.
BATCH: Final = 5_000
# There is one of it in each tenant.
_THE_TENANT: Final = UUID(int=4)

# Whoever erases somebody waits for us, and we for nobody.
_LET_GO: Final = """
WITH old AS (
    SELECT id FROM events_event WHERE occurred_at < %s LIMIT %s FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM events_event e USING old WHERE e.id = old.id RETURNING e.canonical_id
)
SELECT canonical_id, count(*) FROM gone GROUP BY canonical_id ORDER BY canonical_id
"""
_LOCK: Final = """
SELECT canonical_id FROM events_eventstat WHERE canonical_id = ANY(%s::uuid[]) ORDER BY canonical_id FOR UPDATE
"""
# Behind the locks: what others have counted until now is seen, and nobody counts meanwhile.
_COUNT: Final = """
UPDATE events_eventstat s SET
    total = s.total - gone.count,
    first_at = coalesce(
        (SELECT min(e.occurred_at) FROM events_event e WHERE e.canonical_id = s.canonical_id), s.first_at
    ),
    last_at = coalesce(
        (SELECT max(e.occurred_at) FROM events_event e WHERE e.canonical_id = s.canonical_id), s.last_at
    )
FROM unnest(%s::uuid[], %s::bigint[]) AS gone(canonical_id, count) WHERE s.canonical_id = gone.canonical_id
"""
_FORGET: Final = "DELETE FROM events_eventstat WHERE canonical_id = ANY(%s::uuid[]) AND total = 0"


def arm() -> None:
    """See to it that the job runs now, in the caller's tenant, also where it waits for tomorrow."""
    enqueue_jobs(kind=RETAIN, jobs=[Job(_THE_TENANT, queue=OutboxRow.Queue.BULK)])
    jobs_move(kind=RETAIN, subject_ids=[_THE_TENANT], due_at=timezone.now())


@job_kind(RETAIN)
def retain(_: UUID) -> datetime | None:
    """Let go of what is old. Gives tomorrow, or None when events are kept for ever again."""
    now, days = working_now(), setting_value(RETENTION_DAYS)
    if not days:
        return None
    _let_go_all(now - timedelta(days=days))
    return now + EVERY


def let_go(now: datetime) -> int:
    """Remove events that the company keeps no longer. Gives how many."""
    days = setting_value(RETENTION_DAYS)
    return _let_go_all(now - timedelta(days=days)) if days else 0


def _let_go_all(before: datetime) -> int:
    count = 0
    while gone := _let_go(before):
        count += gone
        if gone < BATCH:
            break
    return count


def count_old(now: datetime) -> int:
    """How many events that would be."""
    days = setting_value(RETENTION_DAYS)
    return Event.objects.filter(occurred_at__lt=now - timedelta(days=days)).count() if days else 0


@transaction.atomic
def _let_go(before: datetime) -> int:
    """A batch of the events from before then, and what was counted of them. Gives how many."""
    with connection.cursor() as cursor:
        cursor.execute(_LET_GO, [before, BATCH])
        gone = cursor.fetchall()
        ids: list[UUID] = [row[0] for row in gone]
        counts: list[int] = [row[1] for row in gone]
        if gone:
            cursor.execute(_LOCK, [ids])
            cursor.execute(_COUNT, [ids, counts])
            cursor.execute(_FORGET, [ids])
    return sum(counts)


retentions.add(Retention("events", count_old, let_go))
