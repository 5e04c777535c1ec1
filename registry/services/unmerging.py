"""Undoing a merge: the loser is a record of its own again, with what was its own."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from platform_site import context
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.journal.services import record as journal
from registry import catalog, errors
from registry.advisory import MERGING, lock_alone
from registry.models import Entity, HistoryEntry, Identifier, Link, Merge
from registry.services.history import Op, Step, history_write, link_payload
from registry.services.locking import entities_lock, whole
from registry.services.pairs import pairs_restore
from registry.services.records import entity_refresh


@dataclass(frozen=True, slots=True)
class Undone:
    """``conflicts`` are fields of the winner that somebody decided on since; they stay as they are."""

    merge: Merge
    winner: Entity
    loser: Entity
    links: int
    identifiers: int
    conflicts: list[str] = field(default_factory=list)


@whole
def merge_undo(*, merge_id: UUID, reason: str = "") -> Undone:
    """Take the loser out of the winner again, with all that came with it or was linked to its id since.

    The last merge of a record is undone first. Raises ``not_found``, ``merge_undone``, ``not_latest_merge``,
    ``entity_erased`` and ``entity_locked``.
    """
    lock_alone(MERGING)
    merge = Merge.objects.filter(id=merge_id).first()
    if merge is None:
        raise PlatformError(NOT_FOUND)
    if merge.undone_at is not None:
        raise PlatformError(errors.MERGE_UNDONE)
    both = entities_lock({merge.winner_id, merge.loser_id})
    winner, loser = both[merge.winner_id], both[merge.loser_id]
    _can_be_undone(merge, winner)
    came_back = [loser.id, *(UUID(one) for one in merge.pre_image["merged"])]
    links = list(Link.objects.filter(entity=winner, unlinked_at=None, origin_id__in=came_back))
    Link.objects.filter(id__in=[link.id for link in links]).update(entity=loser)
    identifiers = Identifier.objects.filter(entity=winner, origin_id__in=came_back).update(entity=loser)
    Entity.objects.filter(merged_into=winner, id__in=came_back).exclude(id=loser.id).update(merged_into=loser)
    conflicts = _restore(merge, winner, loser)
    pairs_restore(merge.pre_image["pairs"], winner_id=winner.id, loser_id=loser.id)
    merge.undone_at, merge.undone_by = timezone.now(), context.current().actor_id
    merge.save(update_fields=["undone_at", "undone_by"])
    payload: dict[str, Any] = {
        "mergeId": str(merge.id),
        "winnerId": str(winner.id),
        "loserId": str(loser.id),
        "links": [str(link.id) for link in links],
    }
    theirs = {**payload, "linkedSince": _linked_since(loser, links)}
    history_write([Step(winner.id, Op.UNMERGED, payload, reason), Step(loser.id, Op.UNMERGED, theirs, reason)])
    journal(
        catalog.MERGE_UNDONE,
        subject=("entity", winner.id),
        data={"mergeId": str(merge.id), "loserId": str(loser.id), "links": len(links)},
    )
    return Undone(merge, winner, loser, len(links), identifiers, conflicts)


def _linked_since(loser: Entity, links: list[Link]) -> list[dict[str, Any]]:
    """What the loser's own history does not tell: links that were made while it was part of the winner.

    They are in the history of the winner, which is not read with the loser's any more, and may be erased.
    """
    merges_away = HistoryEntry.objects.filter(entity=loser, op=Op.MERGED_AWAY).order_by("-seq")
    told: list[str] = next((entry.payload.get("links", []) for entry in merges_away[:1]), [])
    return [link_payload(link) for link in links if str(link.id) not in told]


def _can_be_undone(merge: Merge, winner: Entity) -> None:
    if winner.status == Entity.Status.ERASED:
        raise PlatformError(errors.ENTITY_ERASED)
    both = [merge.winner_id, merge.loser_id]
    later = Merge.objects.filter(Q(winner__in=both) | Q(loser__in=both), undone_at=None, seq__gt=merge.seq)
    latest = later.order_by("-seq").values_list("id", flat=True).first()
    if latest is not None:
        raise PlatformError(errors.NOT_LATEST_MERGE, context={"latestMergeId": str(latest)})
    if winner.locked:
        raise PlatformError(errors.ENTITY_LOCKED, context={"canonicalId": str(winner.id)})


def _restore(merge: Merge, winner: Entity, loser: Entity) -> list[str]:
    """What both say, as before. Gives the fields of the winner on which somebody decided since."""
    before, after = merge.pre_image["winner"], merge.pre_image["winnerPinsAfter"]
    pins, conflicts = dict(winner.pins), []
    for name in {**before["pins"], **after}:
        if pins.get(name) != after.get(name):
            conflicts.append(name)
        elif name in before["pins"]:
            pins[name] = before["pins"][name]
        else:
            pins.pop(name, None)
    winner.pins = pins
    # These stand when no link is left that says more; from links they are worked out anew.
    winner.name, winner.email = before["name"], before["email"]
    winner.attributes, winner.provenance = before["attributes"], before["provenance"]
    loser.status, loser.merged_into, loser.pins = Entity.Status.ACTIVE, None, merge.pre_image["loserPins"]
    entity_refresh(loser)
    entity_refresh(winner)
    return sorted(conflicts)
