"""The audit log: the journal's audited entries of the bound tenant, with names. Nothing here writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import ApiKey, User
from platform_site.journal.keys import journal_keys
from platform_site.journal.models import JournalEntry
from platform_site.journal.services import masked
from tenancy.org_settings.registry import org_settings

# An entry's id is made a moment before or after its transaction began, by another clock.
_CLOCKS_APART = 60 * 60 * 1000  # milliseconds


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries. ``keys`` are audited ones; ``since`` counts in, ``until`` does not.

    ``actor`` is a person's number or UUID, or an API key's id. So is the id in
    ``subject`` (type, id) when its type is "user".
    """

    keys: Sequence[str]
    actor: int | UUID | None = None
    subject: tuple[str, str | int | UUID] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditActor:
    """``id`` is a person's UUID or an API key's; the platform itself has none."""

    id: UUID | None
    user_id: int | None
    display_name: str
    kind: Literal["person", "api_key", "system"]


@dataclass(frozen=True, slots=True)
class AuditSubject:
    type: str
    id: str
    label: str | None


@dataclass(frozen=True, slots=True)
class AuditItem:
    """An entry as people read it. ``actor`` is None for somebody who was not signed in."""

    id: UUID
    at: datetime
    key: str
    meaning: str
    actor: AuditActor | None
    impersonator: str | None
    origin: str | None
    request_id: str | None
    subject: AuditSubject | None
    before: Any
    after: Any
    data: dict[str, Any]


def audited_keys(wanted: str = "") -> list[str]:
    """All audited keys, the one named, or those that begin with it when it ends with a dot. None when unknown."""
    keys = [item.key for item in journal_keys if item.audited]
    if wanted.endswith("."):
        return [key for key in keys if key.startswith(wanted)]
    return [key for key in keys if wanted in ("", key)]


def audit_entries(wanted: AuditFilter) -> "QuerySet[JournalEntry]":
    """Entries that match; to be read newest first, by ``-id``. A person's number costs a query of its own.

    Every filter has an index that ends with the id, so that the newest few are
    found without sorting: by key, by actor, by subject. Without one the primary
    key is walked. Time is also a range of ids, because ids begin with it.
    """
    condition = Q(key__in=wanted.keys)
    if wanted.actor is not None:
        condition &= Q(actor_id=_person(wanted.actor))
    if wanted.subject is not None:
        kind, subject_id = wanted.subject
        if kind == "user" and not isinstance(subject_id, str):
            subject_id = _person(subject_id)
        condition &= Q(subject_type=kind, subject_id=str(subject_id))
    if wanted.since is not None:
        condition &= Q(at__gte=wanted.since, id__gte=_first_id(wanted.since, -_CLOCKS_APART))
    if wanted.until is not None:
        condition &= Q(at__lt=wanted.until, id__lte=_first_id(wanted.until, +_CLOCKS_APART))
    return JournalEntry.objects.filter(condition)


def _person(ref: int | UUID) -> UUID:
    """The UUID of a person; nobody's for a number that nobody has."""
    if isinstance(ref, UUID):
        return ref
    return User.objects.filter(pk=ref).values_list("uuid", flat=True).first() or UUID(int=0)


def _first_id(moment: datetime, shift: int) -> UUID:
    """The smallest UUIDv7 of this moment's millisecond, moved by ``shift`` milliseconds."""
    milliseconds = int(moment.timestamp() * 1000) + shift
    return UUID(int=min(max(milliseconds, 0), 2**48 - 1) << 80)


def audit_items(entries: Sequence[JournalEntry]) -> list[AuditItem]:
    """The same entries with names: one query for all people among them, and one for API keys."""
    ids = {entry.actor_id for entry in entries if entry.actor_id}
    subjects = {_uuid(entry.subject_id) for entry in entries if entry.subject_type in ("user", "api_key")}
    ids |= {found for found in subjects if found}
    names = _names(ids)
    return [_item(entry, names) for entry in entries]


def _names(ids: Iterable[UUID]) -> dict[UUID, AuditActor]:
    people = User.objects.filter(uuid__in=ids).only("id", "uuid", "first_name", "last_name", "email", "status")
    keys = ApiKey.objects.filter(id__in=ids).values_list("id", "name")
    found = {key_id: AuditActor(key_id, None, name, "api_key") for key_id, name in keys}
    return found | {person.uuid: AuditActor(person.uuid, person.id, _name(person), "person") for person in people}


def _name(person: User) -> str:
    return f"Deleted user {person.id}" if person.status == User.Status.ERASED else person.display_name


def _item(entry: JournalEntry, names: dict[UUID, AuditActor]) -> AuditItem:
    # Masked once more: rules may have become stricter since the entry was written.
    data = masked(entry.data)
    return AuditItem(
        id=entry.id,
        at=entry.at,
        key=entry.key,
        meaning=journal_keys.get(entry.key).meaning,
        actor=_actor(entry, names),
        impersonator=entry.impersonator or None,
        origin=entry.origin or None,
        request_id=entry.request_id or None,
        subject=_subject(entry, names),
        before=data.pop("before", None),
        after=data.pop("after", None),
        data=data,
    )


def _actor(entry: JournalEntry, names: dict[UUID, AuditActor]) -> AuditActor | None:
    if entry.actor_id:
        return names.get(entry.actor_id) or AuditActor(entry.actor_id, None, "Unknown", "system")
    # Requests come from an address; tasks, commands and reactions have a name.
    return None if _is_address(entry.origin) else AuditActor(None, None, "System", "system")


def _is_address(origin: str) -> bool:
    try:
        ip_address(origin)
    except ValueError:
        return False
    return True


def _subject(entry: JournalEntry, names: dict[UUID, AuditActor]) -> AuditSubject | None:
    if not entry.subject_type:
        return None
    label = None
    if entry.subject_type in ("user", "api_key"):
        named = names.get(_uuid(entry.subject_id) or UUID(int=0))
        label = named.display_name if named else None
    elif entry.subject_type == "org_setting" and entry.subject_id in org_settings:
        label = org_settings.get(entry.subject_id).label
    return AuditSubject(entry.subject_type, entry.subject_id, label)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
