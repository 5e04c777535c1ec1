"""Many new records at once, for data that is known to be new: demo data, and a registry that is filled from nothing."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from platform_site.ids import uuid7
from registry.models import Entity, Identifier, Link
from registry.services.history import Op, history_write, linked_step
from registry.services.records import PERSON, AppRecord, Snapshot, entity_new, identifier_key


@transaction.atomic
def entities_register_new(records: Sequence[tuple[AppRecord, Snapshot]], *, entity_class: str = PERSON) -> list[Entity]:
    """One record with its link for each of these, in four statements.

    Nobody may have any of the links or addresses yet: that raises ``IntegrityError``, and nothing is written. Pairs
    that may be the same are not looked for (``registry_dedupe`` does that), and the journal is not written, so
    nothing reacts.
    """
    entities, links, identifiers = [], [], []
    for record, snapshot in records:
        link_id = uuid7()
        entity = entity_new(entity_class=entity_class, record=record, snapshot=snapshot, link_id=link_id)
        entities.append(entity)
        links.append(_link(entity, record, snapshot, link_id))
        key = identifier_key(snapshot.email) if snapshot.email else None
        if key:
            identifiers.append(_identifier(entity, key, snapshot.email, link_id))
    Entity.objects.bulk_create(entities)
    Link.objects.bulk_create(links)
    Identifier.objects.bulk_create(identifiers)
    history_write([linked_step(link, Op.REGISTERED, entityClass=entity_class) for link in links])
    return entities


def _link(entity: Entity, record: AppRecord, snapshot: Snapshot, link_id: UUID) -> Link:
    return Link(
        id=link_id,
        entity=entity,
        origin_id=entity.id,
        app=record.app,
        entity_type=record.entity_type,
        entity_id_in_app=record.entity_id,
        snapshot=dict(snapshot.values),
        snapshot_at=snapshot.at,
        method=Link.Method.REGISTER,
    )


def _identifier(entity: Entity, key: str, raw: str, link_id: UUID) -> Identifier:
    return Identifier(
        entity_class=entity.entity_class,
        kind=Identifier.Kind.EMAIL,
        value=key,
        entity=entity,
        origin_id=entity.id,
        link_id=link_id,
        raw=raw,
    )
