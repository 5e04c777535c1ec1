"""Merging: the loser becomes part of the winner. Links and identifiers move, events do not, and nothing is lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from platform_site import context
from platform_site.errors import PRECONDITION_FAILED, PlatformError
from platform_site.ids import uuid7
from platform_site.journal.services import record as journal
from registry import catalog, errors
from registry.advisory import MERGING, lock_alone
from registry.models import Duplicate, Entity, Identifier, Link, Merge
from registry.services.history import history_write, merged_steps
from registry.services.locking import entities_lock, whole
from registry.services.pairs import image_of, pairs_of, pairs_repoint
from registry.services.records import entity_refresh, survived_of
from registry.survivorship import Survived

# What is asked about in a decision: "winner", "loser", or {"value": ...}.
Decisions = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    links: int = 0
    identifiers: int = 0
    open_duplicates: int = 0


@dataclass(frozen=True, slots=True)
class FieldOutcome:
    """What a field says after the merge. ``kept`` is winner, loser, both (equal, or a list of all) or decided."""

    kept: str
    value: Any
    winner_value: Any
    loser_value: Any


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why it cannot be done. ``error`` is what a merge that is no dry run raises."""

    error: PlatformError

    def present(self) -> dict[str, Any]:
        return {"code": self.error.code.key, "message": self.error.message, **self.error.context}


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """``merge_id`` is None for a dry run, and for a loser that was part of this winner before."""

    winner: Entity
    loser_id: UUID
    merge_id: UUID | None
    dry_run: bool
    already_merged: bool = False
    moved: Moved = field(default_factory=Moved)
    fields: Mapping[str, FieldOutcome] = field(default_factory=dict)
    blockers: tuple[Blocker, ...] = ()


@whole
def entities_merge(
    *,
    winner_id: UUID,
    loser_id: UUID,
    reason: str = "",
    decisions: Decisions | None = None,
    dry_run: bool = False,
    expected_versions: Mapping[UUID, int] | None = None,
) -> MergeOutcome:
    """Let the loser become part of the winner, or with ``dry_run`` only say what would come of it.

    An id that is part of another record is not followed: merging is done to what one names. Raises ``merge_self``,
    ``not_found``, ``entity_erased``, ``loser_already_merged``, ``winner_merged``, ``class_mismatch``,
    ``precondition_failed`` and ``unknown_decision``; and, where a dry run lists blockers, ``entity_locked``,
    ``link_limit`` or ``merge_limit``.
    """
    if winner_id == loser_id:
        raise PlatformError(errors.MERGE_SELF)
    lock_alone(MERGING)
    both = entities_lock({winner_id, loser_id})
    winner, loser = both[winner_id], both[loser_id]
    if loser.merged_into_id == winner.id:
        merge_id = Merge.objects.values_list("id", flat=True).filter(loser=loser, undone_at=None).first()
        return MergeOutcome(winner, loser.id, merge_id, dry_run, already_merged=True)
    _can_be_merged(winner, loser, expected_versions or {})
    blockers = _blockers(winner, loser)
    links = list(Link.objects.filter(entity__in=[winner, loser], unlinked_at=None).order_by("id"))
    pins, survived = _decided(winner, loser, links, decisions or {})
    moved = Moved(
        links=sum(link.entity_id == loser.id for link in links),
        identifiers=Identifier.objects.filter(entity=loser).count(),
        open_duplicates=sum(pair.status == Duplicate.Status.OPEN for pair in pairs_of(loser.id)),
    )
    outcomes = _outcomes(winner, loser, survived, decisions or {})
    if dry_run:
        return MergeOutcome(winner, loser.id, None, True, moved=moved, fields=outcomes, blockers=tuple(blockers))
    if blockers:
        raise blockers[0].error
    merge_id = _apply(winner, loser, pins, reason, decisions or {})
    return MergeOutcome(winner, loser.id, merge_id, False, moved=moved, fields=outcomes)


def _can_be_merged(winner: Entity, loser: Entity, expected: Mapping[UUID, int]) -> None:
    if loser.status == Entity.Status.MERGED:
        raise PlatformError(errors.LOSER_ALREADY_MERGED, context={"mergedInto": str(loser.merged_into_id)})
    if winner.status == Entity.Status.MERGED:
        raise PlatformError(errors.WINNER_MERGED, context={"mergedInto": str(winner.merged_into_id)})
    for entity in (winner, loser):
        if entity.status == Entity.Status.ERASED:
            raise PlatformError(errors.ENTITY_ERASED, context={"canonicalId": str(entity.id)})
    if winner.entity_class != loser.entity_class:
        raise PlatformError(
            errors.CLASS_MISMATCH, context={"winnerClass": winner.entity_class, "loserClass": loser.entity_class}
        )
    versions = {str(entity.id): entity.version for entity in (winner, loser)}
    if any(expected.get(entity.id, entity.version) != entity.version for entity in (winner, loser)):
        raise PlatformError(PRECONDITION_FAILED, "One of them was changed in the meantime.", context={**versions})


def _blockers(winner: Entity, loser: Entity) -> list[Blocker]:
    found = [
        Blocker(PlatformError(errors.ENTITY_LOCKED, context={"canonicalId": str(entity.id)}))
        for entity in (winner, loser)
        if entity.locked
    ]
    links = winner.links_count + loser.links_count
    if links > catalog.MOST_LINKS:
        found.append(Blocker(PlatformError(errors.LINK_LIMIT, context={"limit": catalog.MOST_LINKS, "would": links})))
    merged = Entity.objects.filter(merged_into__in=[winner, loser]).count() + 1
    if merged > catalog.MOST_MERGES:
        found.append(
            Blocker(PlatformError(errors.MERGE_LIMIT, context={"limit": catalog.MOST_MERGES, "would": merged}))
        )
    return found


def _decided(winner: Entity, loser: Entity, links: list[Link], decisions: Decisions) -> tuple[dict[str, Any], Survived]:
    """Pins of the merged record, and what it says with them. The winner's pins stand above the loser's."""
    pins = {**loser.pins, **winner.pins}
    says = {"winner": _says(winner), "loser": _says(loser)}
    for name, decision in decisions.items():
        if isinstance(decision, Mapping):
            pins[name] = decision["value"]
            continue
        if name not in says["winner"] and name not in says["loser"]:
            raise PlatformError(errors.UNKNOWN_DECISION, context={"field": name})
        # Who is named counts also with nothing to say; a name cannot be nothing.
        pins[name] = says[decision].get(name)
    return pins, survived_of(links, pins)


def _outcomes(winner: Entity, loser: Entity, survived: Survived, decisions: Decisions) -> dict[str, FieldOutcome]:
    mine, theirs = _says(winner), _says(loser)
    after = {**mine, **survived.values}
    outcomes = {}
    for name in dict.fromkeys([*mine, *theirs, *after]):
        value, own, other = after.get(name), mine.get(name), theirs.get(name)
        kept = "winner" if value == own else "loser" if value == other else "both"
        if value == own == other:
            kept = "both"
        if isinstance(decisions.get(name), Mapping):
            kept = "decided"
        outcomes[name] = FieldOutcome(kept, value, own, other)
    return outcomes


def _says(entity: Entity) -> dict[str, Any]:
    said = {"name": entity.name, "email": entity.email, **entity.attributes}
    return {name: value for name, value in said.items() if value not in (None, "")}


def _apply(winner: Entity, loser: Entity, pins: Mapping[str, Any], reason: str, decisions: Decisions) -> UUID:
    links = [str(one) for one in Link.objects.filter(entity=loser, unlinked_at=None).values_list("id", flat=True)]
    merged = list(Entity.objects.filter(merged_into=loser).order_by("id").values_list("id", flat=True))
    pairs = [
        *pairs_of(loser.id),
        *(pair for pair in pairs_of(winner.id) if loser.id not in (pair.low_id, pair.high_id)),
    ]
    merge = Merge(
        id=uuid7(),
        winner=winner,
        loser=loser,
        reason=reason,
        field_decisions=dict(decisions),
        actor_id=context.current().actor_id,
        pre_image={
            "merged": [str(one) for one in merged],
            "winner": _image(winner),
            "loserPins": loser.pins,
            "winnerPinsAfter": dict(pins),
            "pairs": [image_of(pair) for pair in pairs],
        },
    )
    Link.objects.filter(entity=loser, unlinked_at=None).update(entity=winner)
    Identifier.objects.filter(entity=loser).update(entity=winner)
    # Whatever led to the loser leads to the winner, so that no id is ever two steps away.
    Entity.objects.filter(merged_into=loser).update(merged_into=winner)
    loser.status, loser.merged_into = Entity.Status.MERGED, winner
    loser.version += 1
    loser.updated_at = timezone.now()
    # Nobody is to be compared with it; it is still found by its old name.
    loser.match_keys = []
    loser.save()
    winner.pins = dict(pins)
    entity_refresh(winner)
    merge.save(force_insert=True)
    pairs_repoint(loser_id=loser.id, winner_id=winner.id)
    payload = {"mergeId": str(merge.id), "links": links}
    history_write(merged_steps(winner, loser, payload, reason))
    journal(
        catalog.ENTITIES_MERGED,
        subject=("entity", winner.id),
        data={"mergeId": str(merge.id), "loserId": str(loser.id), "links": len(links)},
    )
    made: UUID = merge.id
    return made


def _image(entity: Entity) -> dict[str, Any]:
    """What only a record without links needs back: nothing else says what it said."""
    return {
        "name": entity.name,
        "email": entity.email,
        "attributes": entity.attributes,
        "provenance": entity.provenance,
        "pins": entity.pins,
    }
