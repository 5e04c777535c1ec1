"""Records with what belongs to them, and lists of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from platform_site.errors import NOT_FOUND, PlatformError
from registry import errors
from registry.models import Duplicate, Entity, HistoryEntry, Identifier, Link, Merge
from registry.selectors.resolving import entity_resolve, merged_set
from registry.services.records import AppRecord, link_find

# Links that a record shows; ``links_count`` says how many there are.
SHOWN_LINKS: Final = 100
Status = Literal["active", "merged", "all"]
SORTS: Final = {
    "-createdAt": ("-id",),
    "createdAt": ("id",),
    "-updatedAt": ("-updated_at", "-id"),
    "updatedAt": ("updated_at", "id"),
    "name": ("name_key", "id"),
    "-name": ("-name_key", "-id"),
}


@dataclass(frozen=True, slots=True)
class EntityView:
    """A record as one asks for it. ``requested_id`` is another id when it became part of this one."""

    entity: Entity
    requested_id: UUID
    links: list[Link]
    identifiers: list[Identifier]
    merged_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class EntityFilter:
    """Which records a list has; None leaves a question open. ``app``: with a link of this app."""

    status: Status = "active"
    entity_class: str | None = None
    app: str | None = None
    orphaned: bool | None = None
    updated_since: datetime | None = None


def entity_view(canonical_id: UUID) -> EntityView:
    """Four queries. Raises ``not_found`` or ``entity_erased``."""
    entity = entity_resolve(canonical_id)
    links = Link.objects.filter(entity=entity, unlinked_at=None).order_by("id")[:SHOWN_LINKS]
    identifiers = Identifier.objects.filter(entity=entity).order_by("kind", "value")
    merged = Entity.objects.filter(merged_into=entity).order_by("id").values_list("id", flat=True)
    return EntityView(entity, canonical_id, list(links), list(identifiers), list(merged))


def entity_itself(canonical_id: UUID) -> Entity:
    """The record of this id, merged or not. Raises ``not_found`` or ``entity_erased``."""
    found = Entity.objects.select_related("merged_into").filter(id=canonical_id).first()
    if found is None:
        raise PlatformError(NOT_FOUND)
    if Entity.Status.ERASED in (found.status, found.merged_into.status if found.merged_into else None):
        raise PlatformError(errors.ENTITY_ERASED)
    return found


def entity_list(wanted: EntityFilter) -> "QuerySet[Entity]":
    """Unordered; for pages and cursors. Erased records are in no list."""
    rows = Entity.objects.exclude(status=Entity.Status.ERASED).filter(
        # What became part of an erased record is as erased as that one.
        ~Exists(Entity.objects.filter(id=OuterRef("merged_into_id"), status=Entity.Status.ERASED))
    )
    if wanted.status != "all":
        rows = (
            Entity.objects.filter(status=wanted.status)
            if wanted.status == "active"
            else rows.filter(status=Entity.Status.MERGED)
        )
    if wanted.entity_class is not None:
        rows = rows.filter(entity_class=wanted.entity_class)
    if wanted.app is not None:
        rows = rows.filter(Exists(Link.objects.filter(entity=OuterRef("id"), app=wanted.app, unlinked_at=None)))
    if wanted.orphaned is not None:
        rows = rows.filter(links_count=0) if wanted.orphaned else rows.filter(links_count__gt=0)
    if wanted.updated_since is not None:
        rows = rows.filter(updated_at__gte=wanted.updated_since)
    return rows


@dataclass(frozen=True, slots=True)
class Linked:
    """Whom a record of an app stands for; ``former`` are links that it had before, the latest first."""

    link: Link
    entity: Entity
    former: list[Link]

    def without_history(self) -> "Linked":
        return Linked(self.link, self.entity, [])


def linked_entity(record: AppRecord, *, history: bool = False) -> Linked:
    """Raises ``not_found``, which names the last record that it stood for."""
    link = link_find(record)
    former: list[Link] = []
    if history or link is None:
        before = Link.objects.filter(
            app=record.app,
            entity_type=record.entity_type,
            entity_id_in_app=record.entity_id,
            unlinked_at__isnull=False,
        )
        former = list(before.order_by("-id")[: SHOWN_LINKS if history else 1])
    if link is None:
        before_id = str(former[0].entity_id) if former else None
        raise PlatformError(NOT_FOUND, context={"previousCanonicalId": before_id} if before_id else {})
    return Linked(link, entity_resolve(link.entity_id), former)


def genealogy(canonical_id: UUID) -> "QuerySet[HistoryEntry]":
    """What happened to this record and to all that became part of it. Raises ``not_found`` or ``entity_erased``."""
    found = merged_set(canonical_id)
    if found is None:
        raise PlatformError(NOT_FOUND)
    if found.subject.erased:
        raise PlatformError(errors.ENTITY_ERASED)
    return HistoryEntry.objects.filter(entity_id__in=found.ids)


def duplicates_open() -> "QuerySet[Duplicate]":
    """Pairs that wait for a decision."""
    return Duplicate.objects.filter(status=Duplicate.Status.OPEN).select_related("low", "high")


def merges_of(canonical_id: UUID) -> list[Merge]:
    """Merges into this record that can still be undone, the latest first."""
    return list(Merge.objects.filter(winner=canonical_id, undone_at=None).order_by("-seq"))


def all_links(entity: Entity) -> list[Link]:
    """Every link that the record has now."""
    return list(Link.objects.filter(entity=entity, unlinked_at=None).order_by("id"))


def open_pairs(entity: Entity) -> int:
    """How many records may be the same as this one and wait for a decision."""
    return Duplicate.objects.filter(Q(low=entity) | Q(high=entity), status=Duplicate.Status.OPEN).count()
