"""Counting what becomes of deliveries, day by day.

A change is one small row, written with the fact in the fact's own transaction.
Readers add up what is folded and what is not, so they are exact at any time;
folding only keeps their work small. Nobody updates a row that somebody else
updates, so counting makes nobody wait.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from notifications.models import CountChange
from notifications.models.counts import COUNTED
from notifications.selectors import company_zone
from notifications.services import retention
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import job_kind
from platform_site.outbox.services import Job, enqueue_jobs

FOLD: Final = "notifications.fold_counts"
FOLD_AFTER: Final = timedelta(minutes=5)
# There is one of it in each tenant.
_THE_COUNTS: Final = UUID(int=1)
# The channel under which digests themselves are counted.
DIGEST: Final = "digest"


@dataclass(frozen=True, slots=True)
class Change:
    """``amounts`` by the names in ``COUNTED``; ``made_at`` is when the delivery was made."""

    event_key: str
    channel: str
    made_at: datetime
    amounts: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


def count(changes: Iterable[Change]) -> None:
    """Add these up, in the caller's transaction: one INSERT, however many they are."""
    sums: dict[tuple[date, str, str, str], Counter[str]] = {}
    listed = list(changes)
    if not listed:
        return
    zone = ZoneInfo(company_zone())
    for change in listed:
        key = (change.made_at.astimezone(zone).date(), change.event_key, change.channel, change.reason)
        sums.setdefault(key, Counter()).update(change.amounts)
    CountChange.objects.bulk_create(
        CountChange(day=day, event_key=event_key, channel=channel, reason=reason, **amounts)
        for (day, event_key, channel, reason), amounts in sums.items()
    )
    # Afterwards and on its own: two writers who met in this row would wait for one another. Is it lost, the next
    # change arms it.
    transaction.on_commit(_arm, robust=True)


def _arm() -> None:
    enqueue_jobs(kind=FOLD, jobs=[Job(_THE_COUNTS, due_at=timezone.now() + FOLD_AFTER, queue=OutboxRow.Queue.BULK)])


@job_kind(FOLD)
def fold(_: UUID) -> None:
    """Move the changes into the daily sums, in one statement: readers see each of them once."""
    names = ", ".join(COUNTED)
    sums = ", ".join(f"sum({name})" for name in COUNTED)
    added = ", ".join(f"{name} = kept.{name} + EXCLUDED.{name}" for name in COUNTED)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH moved AS (DELETE FROM notifications_countchange RETURNING *)
            INSERT INTO notifications_dailycount AS kept (day, event_key, channel, reason, {names})
            SELECT day, event_key, channel, reason, {sums} FROM moved GROUP BY day, event_key, channel, reason
            ORDER BY day, event_key, channel, reason
            ON CONFLICT (day, event_key, channel, reason) DO UPDATE SET {added}
            """  # noqa: S608 - the names are our own
        )
    retention.arm()
