"""Links: an app's record stands for a record here, says what it knows, and may stop doing so."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from platform_site import context
from platform_site.errors import CONFLICT, NOT_FOUND, PlatformError
from platform_site.ids import uuid7
from platform_site.journal.services import record as journal
from platform_site.moments import wire_time
from registry import catalog, errors
from registry.matching.normalising import email_key
from registry.models import Entity, Identifier, Link
from registry.services.candidates import candidates_note
from registry.services.history import Op, Step, history_write, linked_step
from registry.services.locking import entities_lock, entity_lock, whole
from registry.services.records import (
    AppRecord,
    Snapshot,
    entity_make,
    entity_refresh,
    identifier_claim,
    identifier_key,
    identifier_owner,
    link_find,
    link_make,
)

_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Attached:
    """``created`` is false when the link was there; ``moved_from`` is whom it was taken from."""

    entity: Entity
    link: Link
    created: bool
    moved_from: UUID | None = None


@dataclass(frozen=True, slots=True)
class Detached:
    """``split_to`` is the new record that has the link now."""

    canonical_id: UUID
    remaining_links: int
    split_to: UUID | None = None
    new_link_id: UUID | None = None


@whole
def entity_link(
    *,
    canonical_id: UUID,
    record: AppRecord,
    snapshot: Snapshot,
    confidence: float | None = None,
    move: bool = False,
) -> Attached:
    """Let the app's record stand for this one. An id that became part of another record leads to that one.

    A link that is there takes the newer snapshot. Raises ``linked_elsewhere`` unless it may ``move``, ``link_limit``,
    ``not_found``, ``entity_erased``, and ``entity_locked`` for a record from which a link would be taken.
    """
    for _ in range(_ATTEMPTS):
        linked = link_find(record)
        if linked is None:
            attached = _attach_unless_linked(canonical_id, record, snapshot, confidence)
        else:
            attached = _move(linked, canonical_id, record, snapshot, confidence, move=move)
        if attached is not None:
            return attached
    raise PlatformError(CONFLICT, "Others link the same over and over.")


def link_attach(
    *,
    entity: Entity,
    record: AppRecord,
    snapshot: Snapshot,
    method: Link.Method,
    origin_id: UUID,
    confidence: float | None = None,
) -> Attached | None:
    """A new link of a locked record; None when somebody else linked the app's record meanwhile."""
    if entity.links_count >= catalog.MOST_LINKS:
        raise PlatformError(errors.LINK_LIMIT, context={"limit": catalog.MOST_LINKS})
    link = link_make(
        record=record,
        entity_id=entity.id,
        origin_id=origin_id,
        snapshot=snapshot,
        method=method,
        confidence=confidence,
    )
    if link is None:
        return None
    steps = [linked_step(link, Op.AUTO_LINKED if method == Link.Method.AUTO else Op.LINKED)]
    steps += _claim_address(entity, link, snapshot)
    entity_refresh(entity)
    history_write(steps)
    journal(
        catalog.ENTITY_LINKED,
        subject=("entity", entity.id),
        data={"app": record.app, "entityType": record.entity_type, "linkId": str(link.id)},
    )
    return Attached(entity, link, created=True)


def snapshot_take(entity: Entity, link: Link, snapshot: Snapshot) -> bool:
    """Store what the app knows now, unless something newer is known. Gives whether anything changed.

    The record is locked, and is to be worked out again by the caller.
    """
    values = {**link.snapshot, **snapshot.values}
    if snapshot.at < link.snapshot_at or values == link.snapshot:
        return False
    link.snapshot, link.snapshot_at = values, snapshot.at
    link.save(update_fields=["snapshot", "snapshot_at"])
    history_write([Step(entity.id, Op.SNAPSHOT_UPDATED, {"linkId": str(link.id)})])
    return True


@whole
def link_remove(*, link_id: UUID, split_to_new: bool = False) -> Detached:
    """Take a link off its record, which stays also without any; or give it a record of its own.

    What the record is known by stays with it, unless the link brought it along and gets a record of its own.
    Raises ``not_found``, with ``unlinkedAt`` for a link that ended before, and ``entity_locked``.
    """
    link, entity = _locked_link(link_id)
    _not_locked(entity)
    _end(link)
    if not split_to_new:
        history_write([linked_step(link, Op.UNLINKED)])
        made: Entity | None = None
        new_link: Link | None = None
    else:
        made, new_link = _split(entity, link)
    entity_refresh(entity)
    journal(
        catalog.ENTITY_UNLINKED,
        subject=("entity", entity.id),
        data={"linkId": str(link.id), "app": link.app, "splitTo": str(made.id) if made else None},
    )
    return Detached(entity.id, entity.links_count, made.id if made else None, new_link.id if new_link else None)


def _attach_unless_linked(
    canonical_id: UUID, record: AppRecord, snapshot: Snapshot, confidence: float | None
) -> Attached | None:
    entity = entity_lock(canonical_id)
    return link_attach(
        entity=entity,
        record=record,
        snapshot=snapshot,
        method=Link.Method.MANUAL,
        origin_id=canonical_id,
        confidence=confidence,
    )


def _claim_address(entity: Entity, link: Link, snapshot: Snapshot) -> list[Step]:
    """The address that the app knows is this record's from now on, if it is nobody else's."""
    key = identifier_key(snapshot.email) if snapshot.email else None
    if key is None:
        return []
    if not identifier_claim(entity=entity, key=key, raw=snapshot.email, origin_id=link.origin_id, link_id=link.id):
        owner = identifier_owner(entity.entity_class, key)
        if owner is not None and owner != entity.id:
            candidates_note(entity, also=[owner])
        return []
    return [Step(entity.id, Op.IDENTIFIER_ADDED, {"kind": Identifier.Kind.EMAIL, "linkId": str(link.id)})]


def _move(
    linked: Link, canonical_id: UUID, record: AppRecord, snapshot: Snapshot, confidence: float | None, *, move: bool
) -> Attached | None:
    """To another record, if it may; None when the link is not what it was any more."""
    target = entity_lock(canonical_id)
    if linked.entity_id == target.id:
        now = Link.objects.get(id=linked.id)
        if now.unlinked_at or now.entity_id != target.id:
            return None
        if snapshot_take(target, now, snapshot):
            entity_refresh(target)
        return Attached(target, now, created=False)
    if not move:
        raise PlatformError(
            errors.LINKED_ELSEWHERE, context={"canonicalId": str(linked.entity_id), "linkId": str(linked.id)}
        )
    both = entities_lock({linked.entity_id, target.id})
    source, target = both[linked.entity_id], both[target.id]
    now = Link.objects.get(id=linked.id)
    if Entity.Status.MERGED in (source.status, target.status) or now.unlinked_at or now.entity_id != source.id:
        return None
    _not_locked(source)
    _end(now)
    attached = link_attach(
        entity=target,
        record=record,
        snapshot=Snapshot({**now.snapshot, **snapshot.values}, max(now.snapshot_at, snapshot.at)),
        method=Link.Method.MOVED,
        origin_id=canonical_id,
        confidence=confidence,
    )
    if attached is None:
        raise PlatformError(CONFLICT, "This record of the app was linked by somebody else at this moment.")
    entity_refresh(source)
    moved = {"toCanonicalId": str(target.id), "newLinkId": str(attached.link.id)}
    history_write([linked_step(now, Op.MOVED, **moved)])
    return Attached(target, attached.link, created=True, moved_from=source.id)


def _locked_link(link_id: UUID) -> tuple[Link, Entity]:
    """The link and the record that it is on, locked. Raises ``not_found``."""
    for _ in range(_ATTEMPTS):
        link = Link.objects.filter(id=link_id).first()
        if link is None:
            raise PlatformError(NOT_FOUND)
        if link.unlinked_at is not None:
            raise PlatformError(NOT_FOUND, context={"unlinkedAt": wire_time(link.unlinked_at)})
        entity = entity_lock(link.entity_id)
        now = Link.objects.get(id=link_id)
        if now.entity_id == entity.id and now.unlinked_at is None:
            return now, entity
    raise PlatformError(CONFLICT, "This link is being moved over and over.")


def _not_locked(entity: Entity) -> None:
    if entity.locked:
        raise PlatformError(errors.ENTITY_LOCKED, context={"canonicalId": str(entity.id)})


def _end(link: Link) -> None:
    link.unlinked_at, link.unlinked_by = timezone.now(), context.current().actor_id
    link.save(update_fields=["unlinked_at", "unlinked_by"])


def _split(entity: Entity, link: Link) -> tuple[Entity, Link]:
    """A record of its own, with an id that was never used, for a link that is ended on another one."""
    record = AppRecord(link.app, link.entity_type, link.entity_id_in_app)
    snapshot = Snapshot(link.snapshot, link.snapshot_at)
    link_id = uuid7()
    made = entity_make(entity_class=entity.entity_class, record=record, snapshot=snapshot, link_id=link_id)
    new_link = link_make(
        record=record,
        entity_id=made.id,
        origin_id=made.id,
        snapshot=snapshot,
        method=Link.Method.MOVED,
        confidence=link.confidence,
        link_id=link_id,
    )
    if new_link is None:
        raise PlatformError(CONFLICT, "This record of the app was linked by somebody else at this moment.")
    # What another link of the old record says as well stays there.
    rest = Link.objects.filter(entity=entity, unlinked_at=None).values_list("snapshot__email", flat=True)
    stays = {email_key(email) for email in rest if isinstance(email, str)} - {None}
    taken = (
        Identifier.objects.filter(entity=entity, link_id=link.id)
        .exclude(value__in=stays)
        .update(entity=made, origin_id=made.id, link_id=link_id)
    )
    steps = [
        linked_step(link, Op.UNLINKED, splitTo=str(made.id), newLinkId=str(link_id)),
        linked_step(new_link, Op.REGISTERED, entityClass=made.entity_class, splitFrom=str(entity.id)),
    ]
    if taken:
        steps.append(Step(entity.id, Op.IDENTIFIER_REMOVED, {"linkId": str(link.id), "count": taken}))
        steps.append(Step(made.id, Op.IDENTIFIER_ADDED, {"linkId": str(link_id), "count": taken}))
    history_write(steps)
    return made, new_link
