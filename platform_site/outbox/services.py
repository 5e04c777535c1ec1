"""Putting work into the outbox, and what staff do with what rests there."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.db import transaction
from django.db.models.functions import Now

from platform_site.ids import uuid7
from platform_site.keys import seal
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.nudge import nudge

log = structlog.get_logger(__name__)


def enqueue(*, tenant_id: UUID, key: str, entry_id: UUID) -> int:
    """One row per reaction to ``key``, in the caller's transaction. Gives how many."""
    from platform_site.outbox.registry import reactions_to

    rows = [
        OutboxRow(tenant_id=tenant_id, entry_id=entry_id, key=key, reaction=reaction.key)
        for reaction in reactions_to(key)
    ]
    if rows:
        OutboxRow.objects.bulk_create(rows)
        transaction.on_commit(nudge)
    return len(rows)


@transaction.atomic
def enqueue_request(*, kind: str, payload: Mapping[str, Any]) -> UUID:
    """Keep what somebody unknown asked for until a handler of ``kind`` has served it. Gives its id.

    One INSERT, whatever was asked, so that the answer's time tells nothing. The
    payload is sealed: it holds an address, and this table is not the place to
    read addresses in.
    """
    row_id = uuid7()
    OutboxRow.objects.create(
        id=row_id, entry_id=row_id, key=kind, reaction=kind, payload=seal(orjson.dumps(payload), place(row_id))
    )
    transaction.on_commit(nudge)
    return row_id


def place(row_id: UUID) -> str:
    """Where a payload is sealed for."""
    return f"outbox:{row_id.hex}"


def redrive(*, tenant_id: UUID | None = None, row_id: UUID | None = None) -> int:
    """Give dead letters another round of attempts. Gives how many."""
    rows = OutboxRow.objects.filter(state=OutboxRow.State.DEAD)
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    if row_id is not None:
        rows = rows.filter(id=row_id)
    count = rows.update(state=OutboxRow.State.PENDING, attempts=0, available_at=Now(), claim=None)
    transaction.on_commit(nudge)
    return count


def unpark(*, tenant_id: UUID) -> int:
    """Set a reactivated tenant's work free. Gives how many rows."""
    count = OutboxRow.objects.filter(tenant_id=tenant_id, state=OutboxRow.State.PARKED).update(
        state=OutboxRow.State.PENDING, available_at=Now(), claim=None
    )
    transaction.on_commit(nudge)
    return count
