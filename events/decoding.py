"""JSON of senders: to rows, or to what is wrong with it, each event by itself.

The bodies are large and many, so msgspec reads them and only what it cannot see
is looked at here. A batch is cut into its events first, unread, so that a wrong
one spoils no other.
"""

import json
import re
import unicodedata
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from events import errors
from events.metadata import NOTHING, Unfit, packed
from events.misshapen import UNREADABLE, LooseEnvelope, anything, misshapen, shape_problems, shown, unreadable
from events.new_event import NewEvent
from events.sent import (
    AHEAD,
    ID_IN_APP,
    MAX_ACTION,
    MAX_BATCH,
    MAX_CATEGORY,
    MAX_MESSAGE_ID,
    NAME,
    Bounds,
    Refused,
    Sent,
    Source,
)
from platform_site.errors import MALFORMED_JSON, VALIDATION_FAILED, FieldError, PlatformError
from platform_site.moments import NaiveMoment, read_moment

# Written out, and without re.IGNORECASE: that takes twice as long.
UUID_TEXT: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_LARGEST: Final = 2**63


class _Envelope(Struct, forbid_unknown_fields=True):
    events: list[Raw]


_sent: Final = msgspec.json.Decoder(Sent)
_envelope: Final = msgspec.json.Decoder(_Envelope)
_list: Final = msgspec.json.Decoder(list[Raw])


def batch_of(body: bytes) -> list[Raw]:
    """The events of ``{"events": […]}`` or of a bare array, each as it came.

    Raises ``malformed_json``, ``validation_failed``, ``batch_too_large`` and ``empty_batch``.
    """
    items = _cut(body)
    if len(items) > MAX_BATCH:
        raise PlatformError(errors.BATCH_TOO_LARGE, context={"maxEvents": MAX_BATCH})
    if not items:
        raise PlatformError(errors.EMPTY_BATCH)
    return items


def _cut(body: bytes) -> list[Raw]:
    try:
        if body.lstrip()[:1] == b"[":
            return _list.decode(body)
        items = _envelope.decode(body).events
    except msgspec.ValidationError as error:
        problems = list(shape_problems(LooseEnvelope, anything(Raw(body)), error))
        raise PlatformError(VALIDATION_FAILED, details=problems) from None
    except UNREADABLE as error:
        raise PlatformError(MALFORMED_JSON, unreadable(error)) from None
    # Around the events there is one key, and so one colon.
    if body.count(b":") - b"".join(items).count(b":") != 1:
        raise PlatformError(MALFORMED_JSON, TWICE)
    return items


def read_event(raw: Raw, bounds: Bounds, own_id: str) -> NewEvent | Refused:
    """One event as it is to be stored, with this id; or what is wrong with it, field by field."""
    try:
        sent = _sent.decode(raw)
    except msgspec.ValidationError as error:
        return misshapen(raw, error)
    except UNREADABLE as error:
        return Refused([FieldError("", MALFORMED_JSON.key, unreadable(error))])
    return _Reading(sent, bounds).result(raw, own_id)


class _Reading:
    """What the fields of one event say, and what is wrong with them."""

    __slots__ = ("_bounds", "_problems", "_sent")

    def __init__(self, sent: Sent, bounds: Bounds) -> None:
        self._sent, self._bounds = sent, bounds
        self._problems: list[FieldError] = []

    def result(self, raw: Raw, own_id: str) -> NewEvent | Refused:
        sent = self._sent
        canonical_id = self._canonical_id(sent.canonical_id)
        if not NAME.fullmatch(sent.app):
            self._refuse("app", "invalid", "This is no name of an app.")
        category = self._text("category", sent.category, MAX_CATEGORY)
        action = self._text("action", sent.action, MAX_ACTION)
        occurred_at = self._moment(sent.occurred_at)
        message_id = self._message_id(sent.message_id)
        actor_id = self._actor(sent.actor_id)
        source_type, source_id = self._source(sent.source)
        metadata, keys = self._metadata(sent.metadata)
        if not self._problems and _key_twice(bytes(raw), keys + keys_of(sent)):
            self._refuse("", MALFORMED_JSON.key, TWICE)
        if self._problems:
            return Refused(self._problems, shown(sent.message_id))
        return NewEvent(
            id=own_id,
            canonical_id=canonical_id,
            app=sent.app,
            category=category,
            action=action,
            occurred_at=occurred_at,
            message_id=message_id,
            actor_id=actor_id,
            source_type=source_type,
            source_id=source_id,
            metadata=metadata,
        )

    def _refuse(self, field: str, code: str, message: str) -> None:
        self._problems.append(FieldError(field, code, message))

    def _canonical_id(self, text: str) -> str:
        if not UUID_TEXT.fullmatch(text):
            self._refuse("canonicalId", "invalid", "This must be a UUID.")
        return text.lower()

    def _text(self, field: str, value: str, longest: int) -> str:
        text = value.strip()
        if not text:
            self._refuse(field, "blank", "This field may not be blank.")
        elif len(text) > longest:
            self._refuse(field, "max_length", f"This may have {longest} characters.")
        elif has_controls(text):
            self._refuse(field, "control", "Control characters are not allowed.")
        return text

    def _moment(self, text: str | UnsetType | None) -> datetime:
        now = self._bounds.now
        if text is None or text is UNSET:
            return now
        try:
            moment = read_moment(text)
        except ValueError as error:
            self._refuse("occurredAt", "naive" if isinstance(error, NaiveMoment) else "invalid", str(error))
            return now
        if moment > now + AHEAD:
            self._refuse("occurredAt", errors.FUTURE_EVENT.key, errors.FUTURE_EVENT.message)
        elif moment < self._bounds.earliest:
            self._refuse("occurredAt", errors.TOO_OLD.key, errors.TOO_OLD.message)
        return moment

    def _message_id(self, value: str | UnsetType | None) -> str | None:
        if value is None or value is UNSET:
            return None
        # As it is, without trimming: it is compared, not read.
        if not value:
            self._refuse("messageId", "blank", "This field may not be blank.")
        elif len(value) > MAX_MESSAGE_ID:
            self._refuse("messageId", "max_length", f"This may have {MAX_MESSAGE_ID} characters.")
        elif has_controls(value):
            self._refuse("messageId", "control", "Control characters are not allowed.")
        return value

    def _actor(self, value: int | str | UnsetType | None) -> UUID | int | None:
        if value is None or value is UNSET:
            return None
        if isinstance(value, int):
            if not 0 < value < _LARGEST:
                self._refuse("actorId", errors.UNKNOWN_ACTOR.key, errors.UNKNOWN_ACTOR.message)
            return value
        if UUID_TEXT.fullmatch(value):
            return UUID(value)
        self._refuse("actorId", "invalid", "This must be a person's id or number.")
        return None

    def _source(self, source: Source | UnsetType | None) -> tuple[str, str]:
        if source is None or source is UNSET:
            return "", ""
        source_id = str(source.entity_id)
        if not NAME.fullmatch(source.entity_type):
            self._refuse("source.entityType", "invalid", "This is no name of a kind of record.")
        if not ID_IN_APP.fullmatch(source_id):
            self._refuse("source.entityId", "invalid", "This is no id of a record.")
        return source.entity_type, source_id

    def _metadata(self, value: dict[str, Any] | UnsetType | None) -> tuple[Raw, int]:
        if not value:
            return NOTHING, 0
        try:
            return packed(value)
        except Unfit as error:
            self._refuse("metadata", error.code.key, str(error))
            return NOTHING, 0


def has_controls(text: str) -> bool:
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(character) == "Cc" for character in text)


def keys_of(sent: Sent) -> int:
    """How many keys an event has, without those of its metadata."""
    return (
        4
        + (sent.occurred_at is not UNSET)
        + (sent.message_id is not UNSET)
        + (sent.actor_id is not UNSET)
        + (sent.metadata is not UNSET)
        + (0 if sent.source is UNSET else 1 if sent.source is None else 3)
    )


TWICE: Final = "A key stands twice in one object."


class _KeyTwice(Exception):
    """Found one."""


def _key_twice(text: bytes, keys: int) -> bool:
    """Whether a key stands twice in an object: of those msgspec kept the last one, and so ``keys`` in all.

    Behind each key is a colon, and before that a quotation mark or space. Where
    there are no more such colons than keys there cannot be more keys; otherwise,
    as with such a colon in a text, somebody has to look.
    """
    if colons(text) == keys:
        return False
    try:
        json.loads(text, object_pairs_hook=_unique)
    except _KeyTwice:
        return True
    return False


# Looking for one thing in a hundred kilobytes is several times as fast as for five.
_BLANKS_AS_MARKS: Final = bytes.maketrans(b" \n\r\t", b'""""')


def colons(text: bytes) -> int:
    """Those in front of which a key may end: at least as many as there are keys."""
    return text.translate(_BLANKS_AS_MARKS).count(b'":')


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _KeyTwice
