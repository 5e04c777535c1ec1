"""Putting work into the outbox, and what staff do with what rests there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from platform_site.binding import require_tenant
from platform_site.ids import uuid7
from platform_site.keys import seal
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.nudge import nudge

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Work about ``subject_id``; at once unless ``due_at`` says later."""

    subject_id: UUID
    due_at: datetime | None = None
    queue: OutboxRow.Queue = OutboxRow.Queue.DEFAULT


def enqueue(*, tenant_id: UUID, key: str, entry_id: UUID) -> int:
    """One row per reaction to ``key``, in the caller's transaction. Gives how many."""
    from platform_site.outbox.registry import reactions_to

    rows = [
        OutboxRow(tenant_id=tenant_id, entry_id=entry_id, key=key, reaction=reaction.key, queue=reaction.queue)
        for reaction in reactions_to(key)
    ]
    if rows:
        OutboxRow.objects.bulk_create(rows)
        transaction.on_commit(nudge)
    return len(rows)


def enqueue_jobs(*, kind: str, jobs: Sequence[Job]) -> int:
    """Work of this kind about each of these, for the bound tenant, in the caller's transaction. Gives how many.

    What waits already about the same thing stays as it is.
    """
    tenant_id = require_tenant().id
    rows = [
        OutboxRow(
            tenant_id=tenant_id,
            entry_id=job.subject_id,
            key=kind,
            reaction=kind,
            queue=job.queue,
            available_at=job.due_at or Now(),
        )
        for job in jobs
    ]
    OutboxRow.objects.bulk_create(rows, ignore_conflicts=True)
    if any(job.due_at is None or job.due_at <= timezone.now() for job in jobs):
        transaction.on_commit(nudge)
    return len(rows)


def jobs_move(*, kind: str, subject_ids: Sequence[UUID], due_at: datetime) -> int:
    """Let waiting jobs about these be due at another time. Gives how many."""
    count = _waiting(kind, subject_ids).update(available_at=due_at)
    if count and due_at <= timezone.now():
        transaction.on_commit(nudge)
    return count


def jobs_drop(*, kind: str, subject_ids: Sequence[UUID]) -> int:
    """Waiting jobs about these are not needed any more. Gives how many."""
    return _waiting(kind, subject_ids).delete()[0]


def _waiting(kind: str, subject_ids: Sequence[UUID]) -> "QuerySet[OutboxRow]":
    """Those that nobody has claimed: one that runs already cannot be called back."""
    return OutboxRow.objects.filter(
        tenant_id=require_tenant().id,
        reaction=kind,
        entry_id__in=subject_ids,
        state=OutboxRow.State.PENDING,
        claim=None,
    )


@transaction.atomic
def enqueue_request(*, kind: str, payload: Mapping[str, Any], queue: OutboxRow.Queue = OutboxRow.Queue.URGENT) -> UUID:
    """Keep what somebody unknown asked for until a handler of ``kind`` has served it. Gives its id.

    One INSERT, whatever was asked, so that the answer's time tells nothing. The
    payload is sealed: it holds an address, and this table is not the place to
    read addresses in.
    """
    row_id = uuid7()
    OutboxRow.objects.create(
        id=row_id,
        entry_id=row_id,
        key=kind,
        reaction=kind,
        payload=seal(orjson.dumps(payload), place(row_id)),
        queue=queue,
    )
    transaction.on_commit(nudge)
    return row_id


def place(row_id: UUID) -> str:
    """Where a payload is sealed for."""
    return f"outbox:{row_id.hex}"


def dead_letters(*, tenant_id: UUID | None = None, row_id: UUID | None = None, kind: str = "") -> "QuerySet[OutboxRow]":
    """What rests because it failed too often: all of it, a tenant's, one row, or of one reaction or kind of job."""
    rows = OutboxRow.objects.filter(state=OutboxRow.State.DEAD)
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    if row_id is not None:
        rows = rows.filter(id=row_id)
    return rows.filter(reaction=kind) if kind else rows


def redrive(*, tenant_id: UUID | None = None, row_id: UUID | None = None, kind: str = "") -> int:
    """Give dead letters another round of attempts. Gives how many."""
    count = dead_letters(tenant_id=tenant_id, row_id=row_id, kind=kind).update(
        state=OutboxRow.State.PENDING, attempts=0, available_at=Now(), claim=None
    )
    transaction.on_commit(nudge)
    return count


def unpark(*, tenant_id: UUID) -> int:
    """Set a reactivated tenant's work free. Gives how many rows."""
    count = OutboxRow.objects.filter(tenant_id=tenant_id, state=OutboxRow.State.PARKED).update(
        state=OutboxRow.State.PENDING, available_at=Now(), claim=None
    )
    transaction.on_commit(nudge)
    return count
