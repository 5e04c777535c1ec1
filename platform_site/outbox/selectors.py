"""What waits in the outbox and what rests there: for commands, the doctor, staff's home page, health and Prometheus."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Count, Min, Q
from django.utils import timezone

from platform_site.outbox.models import OutboxRow

# What is due and was not done for so long has too few who do it; for so much longer, nobody.
LATE_SECONDS: Final = 60
STUCK_SECONDS: Final = 300

# For those who look on a connection of their own, without Django. Rows of queue and seconds: how long the oldest of
# what is due has been so.
OLDEST_DUE: Final = (
    "SELECT queue::text, extract(epoch FROM now() - min(available_at)) FROM public.outbox_outboxrow"
    " WHERE state = 'pending' AND available_at <= now() GROUP BY 1"
)
# Rows of queue, state and how many there are.
BY_STATE: Final = "SELECT queue::text, state, count(*) FROM public.outbox_outboxrow GROUP BY 1, 2"

_AT_MOST: Final = """
    SELECT
        (SELECT count(*) FROM (
            SELECT FROM outbox_outboxrow WHERE state = 'pending' AND available_at <= %(now)s LIMIT %(most)s) AS due),
        (SELECT min(available_at) FROM outbox_outboxrow WHERE state = 'pending'),
        (SELECT count(*) FROM (SELECT FROM outbox_outboxrow WHERE state = 'dead' LIMIT %(most)s) AS dead),
        (SELECT count(*) FROM (SELECT FROM outbox_outboxrow WHERE state = 'parked' LIMIT %(most)s) AS parked)
"""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """``due`` should have been done, or is being tried again now; ``waiting`` is for later.

    ``late_seconds`` is how long the oldest of what is due has been so.
    """

    queue: str
    due: int
    waiting: int
    oldest_due_at: datetime | None
    late_seconds: float


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    queues: list[QueueStatus]
    parked: int
    dead: int
    dead_by_kind: dict[str, int]


@dataclass(frozen=True, slots=True)
class OutboxGlance:
    """``due`` waits for its turn now; ``oldest`` is since when."""

    due: int
    oldest: datetime | None
    dead: int
    parked: int


def outbox_glance(*, most: int, now: datetime) -> OutboxGlance:
    """For a page that opens often: one query that counts no further than to ``most``."""
    with connection.cursor() as cursor:
        cursor.execute(_AT_MOST, {"now": now, "most": most})
        due, oldest, dead, parked = cursor.fetchone()
    return OutboxGlance(due, oldest if oldest and oldest <= now else None, dead, parked)


def outbox_status(*, now: datetime | None = None) -> OutboxStatus:
    """In two queries."""
    queues = queue_status(now=now)
    resting = OutboxRow.objects.exclude(state=OutboxRow.State.PENDING).order_by("reaction")
    parked, dead = 0, dict[str, int]()
    for state, kind, count in resting.values_list("state", "reaction").annotate(count=Count("id")):
        if state == OutboxRow.State.PARKED:
            parked += count
        else:
            dead[kind] = count
    return OutboxStatus(queues, parked, sum(dead.values()), dead)


def queue_status(*, now: datetime | None = None) -> list[QueueStatus]:
    """Of every queue, also of those in which nothing waits. One query."""
    now = now or timezone.now()
    due = Q(available_at__lte=now)
    pending = OutboxRow.objects.filter(state=OutboxRow.State.PENDING).values("queue").order_by("queue")
    found = {
        row["queue"]: row
        for row in pending.annotate(
            due=Count("id", filter=due), waiting=Count("id", filter=~due), oldest=Min("available_at", filter=due)
        )
    }
    queues = []
    for queue in OutboxRow.Queue:
        row = found.get(queue.value)
        oldest = row["oldest"] if row else None
        late = (now - oldest).total_seconds() if oldest else 0.0
        due_now, waiting = (row["due"], row["waiting"]) if row else (0, 0)
        queues.append(QueueStatus(queue.name.lower(), due_now, waiting, oldest, late))
    return queues
