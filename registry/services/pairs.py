"""Pairs that may be the same record, when one of the two becomes part of another record or comes back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from registry.models import Duplicate, Entity


def pairs_of(entity_id: UUID) -> list[Duplicate]:
    """All pairs that this record is in, in the order of their ids."""
    return list(Duplicate.objects.filter(Q(low=entity_id) | Q(high=entity_id)).order_by("low", "high"))


def pairs_repoint(*, loser_id: UUID, winner_id: UUID) -> None:
    """What may be the loser may be the winner now; the pair of the two is answered."""
    theirs = pairs_of(loser_id)
    Duplicate.objects.filter(Q(low=loser_id) | Q(high=loser_id)).delete()
    moved = [
        _pair(winner_id, other, pair)
        for pair in theirs
        if (other := pair.high_id if pair.low_id == loser_id else pair.low_id) != winner_id
    ]
    # Where both had a pair with the same record, what was said about the winner's stands.
    Duplicate.objects.bulk_create(moved, ignore_conflicts=True)


def pairs_restore(images: list[dict[str, Any]], *, winner_id: UUID, loser_id: UUID) -> None:
    """Put the pairs of both back as they were before a merge, as far as the other records are still there.

    What somebody decided since about the winner stays decided.
    """
    before = [_of_image(image) for image in images]
    ids = {one for pair in before for one in (pair.low_id, pair.high_id)}
    active = set(Entity.objects.filter(id__in=ids, status=Entity.Status.ACTIVE).values_list("id", flat=True))
    known = {(pair.low_id, pair.high_id) for pair in before}
    # Pairs that the winner had from the loser only, and about which nobody decided anything.
    inherited = {
        other
        for pair in before
        if loser_id in (pair.low_id, pair.high_id)
        for other in (pair.low_id, pair.high_id)
        if other != loser_id and tuple(sorted([other, winner_id])) not in known
    }
    for pair in pairs_of(winner_id):
        other = pair.high_id if pair.low_id == winner_id else pair.low_id
        if other in inherited and pair.decided_at is None:
            Duplicate.objects.filter(low=pair.low_id, high=pair.high_id).delete()
    Duplicate.objects.bulk_create(
        [pair for pair in before if {pair.low_id, pair.high_id} <= active], ignore_conflicts=True
    )


def _pair(one: UUID, other: UUID, like: Duplicate) -> Duplicate:
    low, high = sorted([one, other])
    return Duplicate(
        low_id=low,
        high_id=high,
        score=like.score,
        reasons=like.reasons,
        status=like.status,
        decided_at=like.decided_at,
        decided_by=like.decided_by,
    )


def image_of(pair: Duplicate) -> dict[str, Any]:
    """A pair as JSON, to be put back later."""
    return {
        "low": str(pair.low_id),
        "high": str(pair.high_id),
        "score": pair.score,
        "reasons": pair.reasons,
        "status": pair.status,
        "decidedAt": pair.decided_at.isoformat() if pair.decided_at else None,
        "decidedBy": str(pair.decided_by) if pair.decided_by else None,
    }


def _of_image(image: dict[str, Any]) -> Duplicate:
    return Duplicate(
        low_id=UUID(image["low"]),
        high_id=UUID(image["high"]),
        score=image["score"],
        reasons=image["reasons"],
        status=image["status"],
        decided_at=image["decidedAt"] and datetime.fromisoformat(image["decidedAt"]),
        decided_by=image["decidedBy"] and UUID(image["decidedBy"]),
    )
