"""Records that may be the same one: found by what they have in common, scored, and left to a person to decide."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from platform_site import context
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.journal.services import record as journal
from registry import catalog, errors
from registry.matching.records import comparable
from registry.matching.scoring import POSSIBLE, Score, score
from registry.models import Duplicate, Entity
from registry.services.locking import entities_lock, whole

# How many records that share a key are looked at, those first that share the most.
_LOOKED_AT: Final = 100
# How many pairs of one record are noted at a time.
_NOTED: Final = 10

_SHARING: Final = """
SELECT id FROM registry_entity
WHERE match_keys && %(keys)s::varchar[] AND id <> %(id)s AND entity_class = %(class)s AND status = 'active'
ORDER BY (SELECT count(*) FROM unnest(match_keys) AS own (key) WHERE own.key = ANY(%(keys)s::varchar[])) DESC, id
LIMIT %(limit)s"""

_NOTE: Final = """
INSERT INTO registry_duplicate (low_id, high_id, score, reasons, status)
VALUES (%(low)s, %(high)s, %(score)s, %(reasons)s, 'open')
ON CONFLICT (low_id, high_id) DO UPDATE SET score = excluded.score, reasons = excluded.reasons
WHERE registry_duplicate.status = 'open'"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that may be the same one as another, and why."""

    entity: Entity
    score: float
    reasons: Sequence[dict[str, Any]]


def candidates_of(
    entity: Entity,
    *,
    limit: int = _NOTED,
    least: float = POSSIBLE,
    also: Iterable[UUID] = (),
    without_dismissed: bool = False,
) -> list[Candidate]:
    """The likeliest first, from the score ``least`` on.

    ``also`` are records that are compared in any case, and shown however unlike they are.
    """
    forced = set(also) - {entity.id}
    ids = set(_sharing(entity)) | forced
    if without_dismissed and ids:
        ids -= _dismissed(entity.id)
    if not ids:
        return []
    others = Entity.objects.filter(id__in=ids, status=Entity.Status.ACTIVE)
    this = _comparable(entity)
    found = [_candidate(other, score(this, _comparable(other))) for other in others]
    likely = [one for one in found if one.score >= least or one.entity.id in forced]
    return sorted(likely, key=lambda one: (-one.score, one.entity.id))[:limit]


@whole
def entity_compare(*, canonical_id: UUID) -> list[Candidate]:
    """Compare a record with all that have something in common with it, and note the pairs. Gives them."""
    entity = Entity.objects.filter(id=canonical_id, status=Entity.Status.ACTIVE).first()
    if entity is None:
        return []
    found = candidates_of(entity, without_dismissed=True)
    _note(entity, found)
    return found


def candidates_note(entity: Entity, *, also: Iterable[UUID] = ()) -> list[dict[str, Any]]:
    """Store pairs that wait for a decision, in the caller's transaction, and give them as clients see them.

    A pair that somebody said is none stays so.
    """
    found = candidates_of(entity, also=also)
    _note(entity, found)
    return [present_candidate(one) for one in found]


def _note(entity: Entity, found: Sequence[Candidate]) -> None:
    if not found:
        return
    field = Duplicate._meta.get_field("reasons")
    with connection.cursor() as cursor:
        # In the order of ids, so that two who note the same pairs wait for each other and not in a circle.
        for one in sorted(found, key=lambda one: one.entity.id):
            low, high = sorted([entity.id, one.entity.id])
            reasons = field.get_db_prep_save(list(one.reasons), connection)
            cursor.execute(_NOTE, {"low": low, "high": high, "score": one.score, "reasons": reasons})


def present_candidate(one: Candidate) -> dict[str, Any]:
    return {
        "canonicalId": str(one.entity.id),
        "name": one.entity.name,
        "email": one.entity.email or None,
        "score": round(one.score, 4),
        "reasons": list(one.reasons),
    }


@whole
def duplicate_dismiss(*, one: UUID, other: UUID) -> None:
    """Say that two records are different ones, whether or not they were proposed; they are not any more.

    Raises ``not_found``, also for one that is part of another record, and ``merge_self``.
    """
    if one == other:
        raise PlatformError(errors.MERGE_SELF, "A record is the same as itself.")
    low, high = sorted([one, other])
    both = entities_lock({low, high})
    if any(entity.status != Entity.Status.ACTIVE for entity in both.values()):
        raise PlatformError(NOT_FOUND)
    pair = Duplicate.objects.filter(low=low, high=high).first() or _compared(both[low], both[high])
    if pair.status == Duplicate.Status.DISMISSED:
        return
    pair.status, pair.decided_at = Duplicate.Status.DISMISSED, timezone.now()
    pair.decided_by = context.current().actor_id
    pair.save()
    journal(catalog.DUPLICATE_DISMISSED, subject=("entity", low), data={"otherId": str(high)})


def _sharing(entity: Entity) -> list[UUID]:
    if not entity.match_keys:
        return []
    wanted = {"keys": entity.match_keys, "id": entity.id, "class": entity.entity_class, "limit": _LOOKED_AT}
    with connection.cursor() as cursor:
        cursor.execute(_SHARING, wanted)
        return [row[0] for row in cursor.fetchall()]


def _dismissed(entity_id: UUID) -> set[UUID]:
    pairs = Duplicate.objects.filter(Q(low=entity_id) | Q(high=entity_id), status=Duplicate.Status.DISMISSED)
    return {one for pair in pairs.values_list("low_id", "high_id") for one in pair}


def _compared(low: Entity, high: Entity) -> Duplicate:
    found = _candidate(high, score(_comparable(low), _comparable(high)))
    return Duplicate(low=low, high=high, score=found.score, reasons=list(found.reasons))


def _comparable(entity: Entity) -> Any:
    return comparable(
        entity_class=entity.entity_class, name=entity.name, email=entity.email, attributes=entity.attributes
    )


def _candidate(other: Entity, found: Score) -> Candidate:
    return Candidate(other, found.value, [dict(reason) for reason in found.reasons])
