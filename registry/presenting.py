"""Records as clients see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from platform_site.moments import wire_time
from registry.models import Entity, HistoryEntry, Identifier, Link, Merge
from registry.selectors.records import EntityView, Linked
from registry.selectors.searching import Found
from registry.services.linking import Attached, Detached
from registry.services.merging import MergeOutcome
from registry.services.records import survived_of
from registry.services.registering import AutoLinked, Registered
from registry.services.unmerging import Undone
from registry.survivorship import source_of


def present_entity(entity: Entity) -> dict[str, Any]:
    """A record in a list, and the beginning of every other answer about one."""
    return {
        "canonicalId": str(entity.id),
        "name": entity.name,
        "email": entity.email or None,
        "entityClass": entity.entity_class,
        "status": entity.status,
        "mergedInto": _id(entity.merged_into_id),
        "locked": entity.locked,
        "version": entity.version,
        "linksCount": entity.links_count,
        "orphaned": entity.status == Entity.Status.ACTIVE and entity.links_count == 0,
        "createdAt": wire_time(entity.created_at),
        "updatedAt": wire_time(entity.updated_at),
    }


def present_link(link: Link) -> dict[str, Any]:
    return {
        "linkId": str(link.id),
        "app": link.app,
        "entityType": link.entity_type,
        "entityId": link.entity_id_in_app,
        "snapshot": link.snapshot,
        "observedAt": wire_time(link.snapshot_at),
        "method": link.method,
        "confidence": link.confidence,
        "originCanonicalId": str(link.origin_id),
        "createdAt": wire_time(link.created_at),
    }


def present_former(link: Link) -> dict[str, Any]:
    """A link that ended, with whom it was on."""
    return {
        **present_link(link),
        "canonicalId": str(link.entity_id),
        "unlinkedAt": wire_time(link.unlinked_at) if link.unlinked_at else None,
    }


def present_identifier(identifier: Identifier) -> dict[str, Any]:
    return {
        "kind": identifier.kind,
        "value": identifier.value,
        "raw": identifier.raw,
        "linkId": _id(identifier.link_id),
    }


def present_view(view: EntityView) -> dict[str, Any]:
    """A record with all that belongs to it, and under which id it was asked for."""
    resolved = view.requested_id != view.entity.id
    return {
        **present_entity(view.entity),
        "attributes": view.entity.attributes,
        "requestedId": str(view.requested_id),
        "resolved": resolved,
        "mergedInto": str(view.entity.id) if resolved else None,
        "mergedIds": [str(one) for one in view.merged_ids],
        "identifiers": [present_identifier(one) for one in view.identifiers],
        "links": [present_link(link) for link in view.links],
    }


def present_profile(view: EntityView, links: Sequence[Link], **more: Any) -> dict[str, Any]:
    """Every field with who says it and what others say instead."""
    survived = survived_of(list(links), view.entity.pins)
    said = {"name": view.entity.name, "email": view.entity.email or None, **view.entity.attributes}
    fields = {
        name: {
            "value": value,
            "provenance": view.entity.provenance.get(name) or {"rule": "kept"},
            "alternatives": [
                {"value": one.value, **source_of(one.said_by)} for one in survived.alternatives.get(name, [])
            ],
        }
        for name, value in said.items()
        if value is not None
    }
    apps: dict[str, int] = {}
    for link in links:
        apps[link.app] = apps.get(link.app, 0) + 1
    return {
        **present_entity(view.entity),
        "requestedId": str(view.requested_id),
        "mergedIds": [str(one) for one in view.merged_ids],
        "fields": fields,
        "apps": apps,
        "identifiers": [present_identifier(one) for one in view.identifiers],
        **more,
    }


def present_found(found: Found) -> dict[str, Any]:
    return {
        "canonicalId": str(found.canonical_id),
        "name": found.name,
        "email": found.email or None,
        "entityClass": found.entity_class,
        "score": found.score,
        "matchedOn": found.matched_on,
        "linksCount": found.links_count,
    }


def present_linked(linked: Linked) -> dict[str, Any]:
    return {
        "canonical": present_entity(linked.entity),
        "link": present_link(linked.link),
        "history": [present_former(one) for one in linked.former],
    }


def present_history(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "seq": entry.seq,
        "at": wire_time(entry.at),
        "op": entry.op,
        "actorId": _id(entry.actor_id),
        "reason": entry.reason,
        "canonicalIdAtTime": str(entry.entity_id),
        "payload": entry.payload,
    }


def present_registered(done: Registered) -> dict[str, Any]:
    return {
        "canonicalId": str(done.entity.id),
        "linkId": str(done.link.id),
        "created": done.created,
        "entity": present_entity(done.entity),
        "possibleDuplicates": done.possible_duplicates,
        "erasedBefore": done.erased_before,
    }


def present_auto_linked(done: AutoLinked) -> dict[str, Any]:
    return {
        **present_registered(done.registered),
        "action": done.registered.action,
        "matchedBy": done.matched_by,
        "reason": done.reason,
        "conflict": {"emailOwner": str(done.email_owner)} if done.email_owner else None,
    }


def present_attached(done: Attached, asked: UUID) -> dict[str, Any]:
    return {
        "canonicalId": str(done.entity.id),
        "linkId": str(done.link.id),
        "created": done.created,
        "resolved": asked != done.entity.id,
        "movedFrom": _id(done.moved_from),
        "link": present_link(done.link),
    }


def present_detached(done: Detached) -> dict[str, Any]:
    return {
        "canonicalId": str(done.canonical_id),
        "remainingLinks": done.remaining_links,
        "orphaned": done.remaining_links == 0,
        "splitTo": _id(done.split_to),
        "newLinkId": _id(done.new_link_id),
    }


def present_merge_outcome(done: MergeOutcome) -> dict[str, Any]:
    return {
        "mergeId": _id(done.merge_id),
        "dryRun": done.dry_run,
        "alreadyMerged": done.already_merged,
        "winnerId": str(done.winner.id),
        "loserId": str(done.loser_id),
        "winner": present_entity(done.winner),
        "moved": {
            "links": done.moved.links,
            "identifiers": done.moved.identifiers,
            "openDuplicates": done.moved.open_duplicates,
        },
        "fields": {
            name: {
                "kept": one.kept,
                "value": one.value,
                "winnerValue": one.winner_value,
                "loserValue": one.loser_value,
            }
            for name, one in done.fields.items()
        },
        "blockers": [blocker.present() for blocker in done.blockers],
    }


def present_undone(done: Undone) -> dict[str, Any]:
    return {
        "mergeId": str(done.merge.id),
        "winner": present_entity(done.winner),
        "loser": present_entity(done.loser),
        "moved": {"links": done.links, "identifiers": done.identifiers},
        "conflicts": done.conflicts,
    }


def present_merge(merge: Merge) -> dict[str, Any]:
    return {
        "mergeId": str(merge.id),
        "winnerId": str(merge.winner_id),
        "loserId": str(merge.loser_id),
        "reason": merge.reason,
        "at": wire_time(merge.at),
        "actorId": _id(merge.actor_id),
    }


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None
