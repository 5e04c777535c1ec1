"""Erasing somebody for good: ids go on answering, with 410, and everything that was known about them is gone."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from events.services.erasing import events_erase
from platform_site import context
from platform_site.errors import PlatformError
from platform_site.journal.services import record as journal
from registry import catalog, errors
from registry.advisory import ERASING, MERGING, lock_alone
from registry.models import Duplicate, Entity, HistoryEntry, Identifier, Link, Merge
from registry.services.history import Op, Step, history_write
from registry.services.locking import entity_lock, whole
from registry.services.suppressing import erased_remember
from tenancy.erasures.services import erasures_note

# Apps' records that one statement looks for.
_AT_ONCE: Final = 100
# What an app's record is called after it: nothing that names a person.
_NOBODY: Final = "erased"


@whole
def entity_erase(*, canonical_id: UUID, reason: str = "") -> UUID:
    """Erase this record, all that became part of it, and their events. Merges of it can be undone no more.

    Apps' records that stood for it are free. Of addresses a keyed digest stays, by which it is noticed when one
    comes back. Raises ``not_found``, ``entity_erased`` and ``entity_locked``.
    """
    # Ingest holds the first shared: nothing is written about somebody who is being erased.
    lock_alone(ERASING)
    lock_alone(MERGING)
    entity = entity_lock(canonical_id)
    if entity.locked:
        raise PlatformError(errors.ENTITY_LOCKED, context={"canonicalId": str(entity.id)})
    ids = [entity.id, *Entity.objects.filter(merged_into=entity).order_by("id").values_list("id", flat=True)]
    stood = list(Link.objects.filter(entity__in=ids))
    _forget_links(ids)
    keys = _forget_identifiers(ids)
    _forget_elsewhere(ids, stood)
    HistoryEntry.objects.filter(entity__in=ids).update(payload={}, reason="")
    Merge.objects.filter(Q(winner__in=ids) | Q(loser__in=ids)).update(pre_image={}, field_decisions={}, reason="")
    Duplicate.objects.filter(Q(low__in=ids) | Q(high__in=ids)).delete()
    events_erase(ids)
    Entity.objects.filter(id__in=ids).update(
        name=_NOBODY,
        email="",
        attributes={},
        provenance={},
        pins={},
        name_key="",
        search_text="",
        match_keys=[],
        links_count=0,
        updated_at=timezone.now(),
    )
    Entity.objects.filter(id=entity.id).update(status=Entity.Status.ERASED, version=entity.version + 1)
    erased_remember(entity_class=entity.entity_class, keys=keys, entity_id=entity.id)
    # Of each of them: that they were one cannot be read from their histories any more.
    history_write([Step(one, Op.ERASED, reason=reason) for one in ids])
    journal(catalog.ENTITY_ERASED, subject=("entity", entity.id), data={"ids": [str(one) for one in ids]})
    erasures_note(kind="entity", subject_ids=ids)
    erased: UUID = entity.id
    return erased


def entity_erase_again(entity_id: UUID) -> bool:
    """Erase a record of the bound tenant that was erased before and came back from a backup.

    False: it is not there, or it is a part of another one, which is erased under its own id if at all.
    """
    rows = Entity.objects.filter(id=entity_id, merged_into=None).exclude(status=Entity.Status.ERASED)
    # It was erased although it is locked here: the lock came off in between.
    if not rows.update(locked=False):
        return False
    entity_erase(canonical_id=entity_id)
    return True


def _forget_links(ids: list[UUID]) -> None:
    links = Link.objects.filter(entity__in=ids)
    links.filter(unlinked_at=None).update(unlinked_at=timezone.now(), unlinked_by=context.current().actor_id)
    # An app's own id may be an address; the kind of record is enough to know later.
    links.update(snapshot={}, entity_id_in_app=_NOBODY)


def _forget_elsewhere(ids: list[UUID], stood: Sequence[Link]) -> None:
    """What other records tell about the apps' records that stood for this one.

    They were theirs for a while: moved from there, split off, or merged and unmerged. Entries stay, so that history
    can be played back; only what names somebody in them goes.
    """
    names = {(link.app, link.entity_type, link.entity_id_in_app) for link in stood}
    # Of those that came to one of its ids and ended elsewhere, only the link itself: the app's record went on.
    ended = Link.objects.exclude(entity__in=ids).filter(origin_id__in=ids, unlinked_at__isnull=False)
    links = {str(link_id) for link_id in ended.values_list("id", flat=True)}
    related = set(ended.values_list("entity_id", flat=True))
    ended.update(snapshot={}, entity_id_in_app=_NOBODY)
    for some in _batched(sorted(names), _AT_ONCE):
        same = [Q(app=app, entity_type=kind, entity_id_in_app=own) for app, kind, own in some]
        former = Link.objects.exclude(entity__in=ids).filter(reduce(or_, same), unlinked_at__isnull=False)
        related.update(former.values_list("entity_id", flat=True))
        former.update(snapshot={}, entity_id_in_app=_NOBODY)
    for pair in Merge.objects.filter(Q(winner__in=ids) | Q(loser__in=ids)).values_list("winner_id", "loser_id"):
        related.update(pair)
    for entry in HistoryEntry.objects.filter(entity__in=related.difference(ids)).iterator():
        without = _without(entry.payload, names, links)
        if without != entry.payload:
            HistoryEntry.objects.filter(seq=entry.seq).update(payload=without)


def _without(value: Any, names: Collection[tuple[str, str, str]], links: Collection[str]) -> Any:
    """What is told about a link, wherever it stands, without an app's own id and words if that is one of these."""
    if isinstance(value, list):
        return [_without(item, names, links) for item in value]
    if not isinstance(value, dict):
        return value
    told = {name: _without(item, names, links) for name, item in value.items()}
    own = (value.get("app"), value.get("entityType"), value.get("entityId"))
    if "entityId" in value and (own in names or value.get("linkId") in links):
        told["entityId"] = _NOBODY
        told.pop("snapshot", None)
    return told


Item = TypeVar("Item")


def _batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Python 3.12 has it in itertools."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def _forget_identifiers(ids: list[UUID]) -> list[str]:
    """Gives the addresses that they were known by, for the digests."""
    owned = Identifier.objects.filter(entity__in=ids, kind=Identifier.Kind.EMAIL)
    keys = list(owned.values_list("value", flat=True))
    owned.delete()
    return keys
