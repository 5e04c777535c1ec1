"""Erasing somebody for good: ids go on answering, with 410, and everything that was known about them is gone."""

from typing import Final
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
    _forget_links(ids)
    keys = _forget_identifiers(ids)
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
    erased: UUID = entity.id
    return erased


def _forget_links(ids: list[UUID]) -> None:
    links = Link.objects.filter(entity__in=ids)
    links.filter(unlinked_at=None).update(unlinked_at=timezone.now(), unlinked_by=context.current().actor_id)
    # An app's own id may be an address; the kind of record is enough to know later.
    links.update(snapshot={}, entity_id_in_app=_NOBODY)


def _forget_identifiers(ids: list[UUID]) -> list[str]:
    """Gives the addresses that they were known by, for the digests."""
    owned = Identifier.objects.filter(entity__in=ids, kind=Identifier.Kind.EMAIL)
    keys = list(owned.values_list("value", flat=True))
    owned.delete()
    return keys
