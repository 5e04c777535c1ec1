"""What every service on records is made of: finding, making, claiming, and working out what a record says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from platform_site import context
from platform_site.ids import uuid7
from registry.catalog import SHARED_MAILBOXES, SOURCE_ORDER
from registry.matching.keys import match_keys
from registry.matching.normalising import email_key, is_blocked, search_key
from registry.matching.records import comparable
from registry.models import Entity, Identifier, Link
from registry.survivorship import Observation, Survived, survive
from tenancy.org_settings.selectors import setting_value

PERSON: Final = "person"
# Of a record with hundreds of links the names and addresses beyond this many characters are not searched.
_SEARCHED: Final = 4000

_CLAIM: Final = """
INSERT INTO registry_identifier (entity_class, kind, value, entity_id, origin_id, link_id, raw)
VALUES (%(class)s, %(kind)s, %(value)s, %(entity)s, %(origin)s, %(link)s, %(raw)s)
ON CONFLICT DO NOTHING RETURNING entity_id"""

_LINK: Final = """
INSERT INTO registry_link (id, entity_id, origin_id, app, entity_type, entity_id_in_app, snapshot, snapshot_at, method,
                           confidence, created_by)
VALUES (%(id)s, %(entity)s, %(origin)s, %(app)s, %(type)s, %(in_app)s, %(snapshot)s, %(at)s, %(method)s,
        %(confidence)s, %(by)s)
ON CONFLICT (app, entity_type, entity_id_in_app) WHERE unlinked_at IS NULL DO NOTHING
RETURNING created_at"""


@dataclass(frozen=True, slots=True)
class AppRecord:
    """A record of an app, by the app's own words. Ids are texts: 42 and "42" are the same."""

    app: str
    entity_type: str
    entity_id: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an app knows about its record, and when it knew it."""

    values: Mapping[str, Any]
    at: datetime

    @classmethod
    def of(
        cls, *, name: str = "", email: str = "", more: Mapping[str, Any] | None = None, at: datetime | None = None
    ) -> "Snapshot":
        """``name`` and ``email`` stand above what ``more`` says about them."""
        said = {**(more or {}), **{key: value for key, value in (("name", name), ("email", email)) if value}}
        return cls(said, at or timezone.now())

    @property
    def email(self) -> str:
        """The address in it, or ""."""
        value = self.values.get("email")
        return value.strip() if isinstance(value, str) else ""


def link_find(record: AppRecord) -> Link | None:
    """The link that this record of an app has now."""
    found: Link | None = Link.objects.filter(
        app=record.app, entity_type=record.entity_type, entity_id_in_app=record.entity_id, unlinked_at=None
    ).first()
    return found


def link_make(
    *,
    record: AppRecord,
    entity_id: UUID,
    origin_id: UUID,
    snapshot: Snapshot,
    method: Link.Method,
    confidence: float | None = None,
    link_id: UUID | None = None,
) -> Link | None:
    """The new link, or None when the app's record has one already; waits for somebody who makes it right now."""
    link = Link(
        id=link_id or uuid7(),
        entity_id=entity_id,
        origin_id=origin_id,
        app=record.app,
        entity_type=record.entity_type,
        entity_id_in_app=record.entity_id,
        snapshot=dict(snapshot.values),
        snapshot_at=snapshot.at,
        method=method,
        confidence=confidence,
        created_by=context.current().actor_id,
    )
    field = Link._meta.get_field("snapshot")
    with connection.cursor() as cursor:
        cursor.execute(
            _LINK,
            {
                "id": link.id,
                "entity": entity_id,
                "origin": origin_id,
                "app": link.app,
                "type": link.entity_type,
                "in_app": link.entity_id_in_app,
                "snapshot": field.get_db_prep_save(link.snapshot, connection),
                "at": link.snapshot_at,
                "method": method,
                "confidence": confidence,
                "by": link.created_by,
            },
        )
        row = cursor.fetchone()
    if row is None:
        return None
    link.created_at = row[0]
    return link


def identifier_key(email: str) -> str | None:
    """What an address is known by, or None for one that stands for nobody in particular."""
    key = email_key(email)
    if key is None or is_blocked(key, setting_value(SHARED_MAILBOXES).split(",")):
        return None
    return key


def identifier_find(entity_class: str, key: str) -> Identifier | None:
    """This address, if it is somebody's."""
    found: Identifier | None = Identifier.objects.filter(
        entity_class=entity_class, kind=Identifier.Kind.EMAIL, value=key
    ).first()
    return found


def identifier_owner(entity_class: str, key: str) -> UUID | None:
    """Whose address this is."""
    found = identifier_find(entity_class, key)
    return found.entity_id if found else None


def identifier_claim(*, entity: Entity, key: str, raw: str, origin_id: UUID, link_id: UUID) -> bool:
    """Give the address to this record unless it is another's. Waits for somebody who claims it right now.

    It comes to the id that its link came to, ``origin_id``, so that both go the same way when a merge is undone.
    """
    values = {
        "class": entity.entity_class,
        "kind": Identifier.Kind.EMAIL,
        "value": key,
        "entity": entity.id,
        "origin": origin_id,
        "link": link_id,
        "raw": raw,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        return cursor.fetchone() is not None


def entity_make(*, entity_class: str, record: AppRecord, snapshot: Snapshot, link_id: UUID) -> Entity:
    """A new record. It says what its first link says, which is made after it."""
    entity = entity_new(entity_class=entity_class, record=record, snapshot=snapshot, link_id=link_id)
    entity.save(force_insert=True)
    return entity


def entity_new(*, entity_class: str, record: AppRecord, snapshot: Snapshot, link_id: UUID) -> Entity:
    """The same, not stored yet."""
    entity = Entity(id=uuid7(), entity_class=entity_class)
    first = Observation(link_id, record.app, record.entity_type, record.entity_id, snapshot.at, snapshot.values)
    _take_over(entity, survive([first], pins={}), [snapshot.values], _fallback(snapshot.values, record))
    entity.links_count = 1
    return entity


def entity_refresh(entity: Entity) -> Survived:
    """Work out again what a locked record says, from its links and pins, and store it. Gives how it was decided.

    A record without links keeps what it said last: there is nobody left who could say more.
    """
    links = list(Link.objects.filter(entity=entity, unlinked_at=None).order_by("id"))
    survived, fallback = survived_of(links, entity.pins), entity.name
    if links:
        first = links[0]
        fallback = _fallback(first.snapshot, AppRecord(first.app, first.entity_type, first.entity_id_in_app))
    else:
        survived.values = {"name": entity.name, "email": entity.email, **entity.attributes, **survived.values}
        survived.provenance = {**entity.provenance, **survived.provenance}
    _take_over(entity, survived, [link.snapshot for link in links], fallback)
    entity.links_count = len(links)
    entity.version += 1
    entity.updated_at = timezone.now()
    entity.save()
    return survived


def survived_of(links: list[Link], pins: Mapping[str, Any]) -> Survived:
    """What these links say together."""
    order = [app for app in setting_value(SOURCE_ORDER).split(",") if app]
    return survive([observation_of(link) for link in links], pins=pins, source_order=order)


def observation_of(link: Link) -> Observation:
    return Observation(link.id, link.app, link.entity_type, link.entity_id_in_app, link.snapshot_at, link.snapshot)


def _fallback(values: Mapping[str, Any], record: AppRecord) -> str:
    """The name of a record about whose name nobody says anything."""
    email = values.get("email")
    if isinstance(email, str) and email.strip():
        return email.strip()
    return f"{record.app} {record.entity_type} {record.entity_id}"


def _take_over(entity: Entity, survived: Survived, snapshots: list[Mapping[str, Any]], fallback: str) -> None:
    values = dict(survived.values)
    name, email = values.pop("name", ""), values.pop("email", "")
    entity.name = _text(name)[:255] or fallback[:255]
    entity.email = _text(email)[:254]
    entity.attributes, entity.provenance = values, survived.provenance
    entity.name_key = search_key(entity.name)[:255]
    entity.search_text = _search_text(entity, snapshots)
    entity.match_keys = match_keys(
        comparable(entity_class=entity.entity_class, name=entity.name, email=entity.email, attributes=values)
    )


def _search_text(entity: Entity, snapshots: list[Mapping[str, Any]]) -> str:
    said = [entity.name, entity.email]
    for values in snapshots:
        said += [_text(values.get("name")), _text(values.get("email"))]
    return " ".join(dict.fromkeys(search_key(text) for text in said if text))[:_SEARCHED]


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
