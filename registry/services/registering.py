"""Making records: with the first link, or found by the address and made only when nobody has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from django.db import transaction

from platform_site.errors import CONFLICT, PlatformError
from platform_site.ids import uuid7
from platform_site.journal.services import record as journal
from registry import catalog, errors
from registry.models import Entity, Identifier, Link
from registry.services.candidates import candidates_note
from registry.services.history import Op, Step, history_write, linked_step
from registry.services.linking import Attached, link_attach, snapshot_take
from registry.services.locking import entity_lock, whole
from registry.services.records import (
    PERSON,
    AppRecord,
    Snapshot,
    entity_make,
    entity_refresh,
    identifier_claim,
    identifier_find,
    identifier_key,
    identifier_owner,
    link_find,
    link_make,
)
from registry.services.suppressing import erased_before

IfEmailExists = Literal["create", "link", "error"]
# What others may do between our looks before we say that it is too much.
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of it. ``possible_duplicates`` are records that this one may be, the likeliest first."""

    entity: Entity
    link: Link
    created: bool
    linked: bool = False
    possible_duplicates: list[dict[str, Any]] = field(default_factory=list)
    erased_before: bool = False

    @property
    def action(self) -> str:
        return "created" if self.created else "linked" if self.linked else "existing"


@dataclass(frozen=True, slots=True)
class AutoLinked:
    """``matched_by`` is "email" or None. ``reason`` says why an address was of no use, ``email_owner`` whose it is."""

    registered: Registered
    matched_by: str | None
    reason: str | None = None
    email_owner: UUID | None = None


class _Overtaken(Exception):
    """Somebody else made the same a moment before; their work can be seen now."""


@whole
def entity_register(
    *,
    name: str,
    record: AppRecord,
    email: str = "",
    entity_class: str = PERSON,
    snapshot: Snapshot | None = None,
    if_email_exists: IfEmailExists = "create",
) -> Registered:
    """A record with its first link.

    The same record of an app with the same words is answered as before, ``created`` false. Where another record is
    known by the address, ``if_email_exists`` says what happens: ``create`` makes a record that is not known by it
    and notes the pair, ``link`` links to that one, ``error`` raises ``identifier_taken``. Raises
    ``entity_already_linked`` when the app's record stands for another one.
    """
    said = _said(name, email, snapshot)
    key = identifier_key(email) if email else None
    for _ in range(_ATTEMPTS):
        linked = link_find(record)
        if linked is not None:
            return _as_before(linked, said, entity_class)
        owned = identifier_find(entity_class, key) if key and if_email_exists != "create" else None
        if owned is not None:
            if if_email_exists == "error":
                raise PlatformError(errors.IDENTIFIER_TAKEN, context={"canonicalId": str(owned.entity_id)})
            attached = _attach_to_owner(owned, record, said)
            if attached is None:
                continue
            return Registered(attached.entity, attached.link, created=False, linked=True)
        try:
            return _make(record, said, entity_class, key, alone=if_email_exists != "create")
        except _Overtaken:
            continue
    raise PlatformError(CONFLICT, "Others register the same over and over.")


@whole
def entity_auto_link(
    *,
    email: str,
    record: AppRecord,
    name: str = "",
    entity_class: str = PERSON,
    snapshot: Snapshot | None = None,
) -> AutoLinked:
    """Link the app's record to whom the address belongs to, or make a record for it.

    A record of an app that is linked already stays where it is; where the address is another's, the pair is noted
    and nothing is merged. An address of nobody in particular finds nobody and is nobody's.
    """
    said = _said(name, email, snapshot)
    key = identifier_key(email)
    reason = None if key else "blocked_identifier"
    for _ in range(_ATTEMPTS):
        linked = link_find(record)
        if linked is not None:
            stays = _stays(linked, said, email, key, reason)
            if stays is None:
                continue
            return stays
        owned = identifier_find(entity_class, key) if key else None
        if owned is not None:
            attached = _attach_to_owner(owned, record, said)
            if attached is None:
                continue
            return AutoLinked(Registered(attached.entity, attached.link, created=False, linked=True), "email")
        try:
            return AutoLinked(_make(record, said, entity_class, key, alone=True), None, reason)
        except _Overtaken:
            continue
    raise PlatformError(CONFLICT, "Others link the same over and over.")


def _said(name: str, email: str, snapshot: Snapshot | None) -> Snapshot:
    if snapshot is None:
        return Snapshot.of(name=name, email=email)
    return Snapshot.of(name=name, email=email, more=snapshot.values, at=snapshot.at)


def _attach_to_owner(owned: Identifier, record: AppRecord, said: Snapshot) -> Attached | None:
    """Link to whose address it is. The link comes to the id that the address came to, and goes with it."""
    return link_attach(
        entity=entity_lock(owned.origin_id),
        record=record,
        snapshot=said,
        method=Link.Method.AUTO,
        origin_id=owned.origin_id,
    )


def _make(record: AppRecord, said: Snapshot, entity_class: str, key: str | None, *, alone: bool) -> Registered:
    """A new record and its link. ``alone``: only when nobody else has the address.

    Raises ``_Overtaken``, and leaves nothing behind, when somebody made the link or claimed the address meanwhile.
    """
    with transaction.atomic():
        link_id = uuid7()
        entity = entity_make(entity_class=entity_class, record=record, snapshot=said, link_id=link_id)
        claimed = bool(key) and identifier_claim(
            entity=entity, key=str(key), raw=said.email, origin_id=entity.id, link_id=link_id
        )
        if key and alone and not claimed:
            raise _Overtaken
        link = link_make(
            record=record,
            entity_id=entity.id,
            origin_id=entity.id,
            snapshot=said,
            method=Link.Method.REGISTER,
            link_id=link_id,
        )
        if link is None:
            raise _Overtaken
        steps = [linked_step(link, Op.REGISTERED, entityClass=entity_class)]
        if claimed:
            steps.append(_claimed(entity, link))
        history_write(steps)
        journal(
            catalog.ENTITY_REGISTERED,
            subject=("entity", entity.id),
            data={"app": record.app, "entityType": record.entity_type, "linkId": str(link.id)},
        )
        owner = identifier_owner(entity_class, key) if key and not claimed else None
        found = candidates_note(entity, also=[owner] if owner else [])
    known = bool(key) and erased_before(entity_class, str(key))
    return Registered(entity, link, created=True, possible_duplicates=found, erased_before=known)


def _as_before(link: Link, said: Snapshot, entity_class: str) -> Registered:
    """The answer to who says the same again. Raises ``entity_already_linked`` when something else was said."""
    entity = entity_lock(link.entity_id)
    if entity.entity_class != entity_class or not _said_before(link.snapshot, said.values):
        raise PlatformError(
            errors.ENTITY_ALREADY_LINKED, context={"canonicalId": str(entity.id), "linkId": str(link.id)}
        )
    return Registered(entity, link, created=False)


def _said_before(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return all(before.get(name) == value for name, value in now.items())


def _stays(linked: Link, said: Snapshot, email: str, key: str | None, reason: str | None) -> AutoLinked | None:
    """The link is where it is. An address that is new to its record is claimed for it, if it is nobody's.

    None when the link was taken off its record, or moved with it, before that one was locked.
    """
    entity = entity_lock(linked.entity_id)
    link = Link.objects.get(id=linked.id)
    if link.unlinked_at or link.entity_id != entity.id:
        return None
    taken = snapshot_take(entity, link, said)
    owner: UUID | None = None
    if key:
        owner = identifier_owner(entity.entity_class, key)
        if owner is None and identifier_claim(
            entity=entity, key=key, raw=email, origin_id=link.origin_id, link_id=link.id
        ):
            owner = entity.id
            history_write([_claimed(entity, link)])
        elif owner is None:
            owner = identifier_owner(entity.entity_class, key)
    if taken:
        entity_refresh(entity)
    registered = Registered(entity, link, created=False)
    if owner is None or owner == entity.id:
        return AutoLinked(registered, "email" if owner else None, reason)
    found = candidates_note(entity, also=[owner])
    return AutoLinked(
        Registered(entity, link, created=False, possible_duplicates=found), None, "email_of_another", owner
    )


def _claimed(entity: Entity, link: Link) -> Step:
    return Step(entity.id, Op.IDENTIFIER_ADDED, {"kind": Identifier.Kind.EMAIL, "linkId": str(link.id)})
