"""What waits in the outbox and what rests there, for operators and staff."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q
from django.utils import timezone

from platform_site.outbox.models import OutboxRow


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


def outbox_status(*, now: datetime | None = None) -> OutboxStatus:
    """In two queries."""
    now = now or timezone.now()
    due = Q(available_at__lte=now)
    pending = OutboxRow.objects.filter(state=OutboxRow.State.PENDING).values("queue").order_by("queue")
    found = {
        row["queue"]: row
        for row in pending.annotate(
            due=Count("id", filter=due), waiting=Count("id", filter=~due), oldest=Min("available_at", filter=due)
        )
    }
    resting = OutboxRow.objects.exclude(state=OutboxRow.State.PENDING).order_by("reaction")
    parked, dead = 0, dict[str, int]()
    for state, kind, count in resting.values_list("state", "reaction").annotate(count=Count("id")):
        if state == OutboxRow.State.PARKED:
            parked += count
        else:
            dead[kind] = count
    queues = []
    for queue in OutboxRow.Queue:
        row = found.get(queue.value)
        oldest = row["oldest"] if row else None
        late = (now - oldest).total_seconds() if oldest else 0.0
        due_now, waiting = (row["due"], row["waiting"]) if row else (0, 0)
        queues.append(QueueStatus(queue.name.lower(), due_now, waiting, oldest, late))
    return OutboxStatus(queues, parked, sum(dead.values()), dead)
