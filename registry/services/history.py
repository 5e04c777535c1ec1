"""Writing down the genealogy. Its entries are the change feed too, so none may appear behind one that was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from platform_site import context
from registry.advisory import FEED, lock_shared
from registry.models import Entity, HistoryEntry, Link

Op = HistoryEntry.Op


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a record."""

    entity_id: UUID
    op: HistoryEntry.Op
    payload: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


def history_write(steps: Sequence[Step]) -> None:
    """In the caller's transaction, in this order. The actor is who works now."""
    actor_id = context.current().actor_id
    lock_shared(FEED)
    HistoryEntry.objects.bulk_create(
        HistoryEntry(entity_id=step.entity_id, op=step.op, actor_id=actor_id, reason=step.reason, payload=step.payload)
        for step in steps
    )


def linked_step(link: Link, op: HistoryEntry.Op, **more: Any) -> Step:
    return Step(link.entity_id, op, {**link_payload(link), **more})


def link_payload(link: Link) -> dict[str, Any]:
    """Enough of a link to replay it."""
    return {
        "linkId": str(link.id),
        "app": link.app,
        "entityType": link.entity_type,
        "entityId": link.entity_id_in_app,
        "method": link.method,
    }


def merged_steps(winner: Entity, loser: Entity, payload: Mapping[str, Any], reason: str) -> list[Step]:
    return [
        Step(winner.id, Op.MERGED_IN, {**payload, "loserId": str(loser.id)}, reason),
        Step(loser.id, Op.MERGED_AWAY, {**payload, "winnerId": str(winner.id)}, reason),
    ]
