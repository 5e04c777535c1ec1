"""JSON of senders: to rows, or to what is wrong with it, each event by itself.

The bodies are large and many, so msgspec reads them and only what it cannot see
is looked at here. A batch is cut into its events first, unread, so that a wrong
one spoils no other.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from events import errors
from events.metadata import NOTHING, Unfit, packed
from events.new_event import NewEvent
from platform_site.errors import MALFORMED_JSON, UNKNOWN_FIELD, VALIDATION_FAILED, FieldError, PlatformError
from platform_site.ids import uuid7
from platform_site.moments import NaiveMoment, read_moment

MAX_BATCH: Final = 500
MAX_CATEGORY: Final = 50
MAX_ACTION: Final = 100
MAX_MESSAGE_ID: Final = 100
# Clocks of senders may be ahead by this much.
AHEAD: Final = timedelta(hours=1)
# Whatever is older is a clock that was never set.
EARLIEST: Final = datetime(1971, 1, 1, tzinfo=UTC)
# Of one event: an answer must not be larger than what was sent because a sender has a field for each letter.
MOST_PROBLEMS: Final = 20
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,49}", re.ASCII)
ID_IN_APP: Final = re.compile(r"[\w.:@-]{1,128}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_LARGEST: Final = 2**63


class _Source(Struct, forbid_unknown_fields=True, rename="camel"):
    entity_type: str
    entity_id: int | str


class _Sent(Struct, forbid_unknown_fields=True, rename="camel"):
    """An event as it is sent. null is the same as nothing where something may be left out."""

    canonical_id: str
    app: str
    category: str
    action: str
    occurred_at: str | UnsetType | None = UNSET
    message_id: str | UnsetType | None = UNSET
    actor_id: int | str | UnsetType | None = UNSET
    source: _Source | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET


class _Envelope(Struct, forbid_unknown_fields=True):
    events: list[Raw]


class _LooseEnvelope(Struct, forbid_unknown_fields=True):
    events: list[Any]


_sent: Final = msgspec.json.Decoder(_Sent)
_envelope: Final = msgspec.json.Decoder(_Envelope)
_list: Final = msgspec.json.Decoder(list[Raw])


@dataclass(frozen=True, slots=True)
class Bounds:
    """When something can have happened: ``earliest`` is as far back as the tenant keeps events."""

    now: datetime
    earliest: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that is not stored, and why. ``message_id`` is the sender's, where it could be read."""

    problems: Sequence[FieldError]
    message_id: str | None = None


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
        problems = list(_shape_problems(_LooseEnvelope, _anything(Raw(body)), error))
        raise PlatformError(VALIDATION_FAILED, details=problems) from None
    except _UNREADABLE as error:
        raise PlatformError(MALFORMED_JSON, _unreadable(error)) from None
    # Around the events there is one key, and so one colon.
    if body.count(b":") - sum(bytes(item).count(b":") for item in items) != 1:
        raise PlatformError(MALFORMED_JSON, _TWICE)
    return items


def read_event(raw: Raw, bounds: Bounds) -> NewEvent | Refused:
    """One event as it is to be stored, with an id of its own; or what is wrong with it, field by field."""
    try:
        sent = _sent.decode(raw)
    except msgspec.ValidationError as error:
        return _misshapen(raw, error)
    except _UNREADABLE as error:
        return Refused([FieldError("", MALFORMED_JSON.key, _unreadable(error))])
    return _Reading(sent, bounds).result(raw)


class _Reading:
    """What the fields of one event say, and what is wrong with them."""

    __slots__ = ("_bounds", "_problems", "_sent")

    def __init__(self, sent: _Sent, bounds: Bounds) -> None:
        self._sent, self._bounds = sent, bounds
        self._problems: list[FieldError] = []

    def result(self, raw: Raw) -> NewEvent | Refused:
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
        if not self._problems and _key_twice(bytes(raw), keys + _keys_of(sent)):
            self._refuse("", MALFORMED_JSON.key, _TWICE)
        if self._problems:
            return Refused(self._problems, _shown(sent.message_id))
        return NewEvent(
            id=uuid7(),
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

    def _canonical_id(self, text: str) -> UUID:
        if _UUID.fullmatch(text):
            return UUID(text)
        self._refuse("canonicalId", "invalid", "This must be a UUID.")
        return UUID(int=0)

    def _text(self, field: str, value: str, longest: int) -> str:
        text = value.strip()
        if not text:
            self._refuse(field, "blank", "This field may not be blank.")
        elif len(text) > longest:
            self._refuse(field, "max_length", f"This may have {longest} characters.")
        elif _has_controls(text):
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
        elif _has_controls(value):
            self._refuse("messageId", "control", "Control characters are not allowed.")
        return value

    def _actor(self, value: int | str | UnsetType | None) -> UUID | int | None:
        if value is None or value is UNSET:
            return None
        if isinstance(value, int):
            if not 0 < value < _LARGEST:
                self._refuse("actorId", errors.UNKNOWN_ACTOR.key, errors.UNKNOWN_ACTOR.message)
            return value
        if _UUID.fullmatch(value):
            return UUID(value)
        self._refuse("actorId", "invalid", "This must be a person's id or number.")
        return None

    def _source(self, source: _Source | UnsetType | None) -> tuple[str, str]:
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


def _has_controls(text: str) -> bool:
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(character) == "Cc" for character in text)


def _keys_of(sent: _Sent) -> int:
    """How many keys an event has, without those of its metadata."""
    return (
        4
        + (sent.occurred_at is not UNSET)
        + (sent.message_id is not UNSET)
        + (sent.actor_id is not UNSET)
        + (sent.metadata is not UNSET)
        + (0 if sent.source is UNSET else 1 if sent.source is None else 3)
    )


_TWICE: Final = "A key stands twice in one object."


class _KeyTwice(Exception):
    """Found one."""


def _key_twice(text: bytes, keys: int) -> bool:
    """Whether a key stands twice in an object: of those msgspec kept the last one, and so ``keys`` in all.

    Behind each key is a colon, and before that a quotation mark or space. Where
    there are no more such colons than keys there cannot be more keys; otherwise,
    as with such a colon in a text, somebody has to look.
    """
    count = text.count
    if count(b'":') + count(b" :") + count(b"\n:") + count(b"\r:") + count(b"\t:") == keys:
        return False
    try:
        json.loads(text, object_pairs_hook=_unique)
    except _KeyTwice:
        return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _KeyTwice


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _unreadable(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "This is not UTF-8."
    if isinstance(error, RecursionError):
        return "This is nested too deep."
    return "This is not valid JSON."


def _misshapen(raw: Raw, error: msgspec.ValidationError) -> Refused:
    """msgspec names the first that is wrong; here are all of them, by name."""
    try:
        value = _anything(raw)
    except PlatformError as unreadable:
        if str(error).endswith("at `$.metadata[...]`"):
            return Refused([_NUMBER_TOO_LARGE])
        return Refused([FieldError("", MALFORMED_JSON.key, unreadable.message)])
    message_id = value.get("messageId") if isinstance(value, dict) else None
    return Refused(list(_shape_problems(_Sent, value, error)), _shown(message_id))


def _shown(message_id: Any) -> str | None:
    """The sender's name for an event, in a report of it; None where it cannot be one."""
    return message_id if isinstance(message_id, str) and 0 < len(message_id) <= MAX_MESSAGE_ID else None


_NUMBER_TOO_LARGE: Final = FieldError("metadata", errors.INVALID_METADATA.key, "A number is too large.")


class _TooLarge:
    """In the place of a number that is beyond all that a double can hold."""


def _anything(raw: Raw) -> Any:
    """Whatever this is, also with numbers that no double can hold. Raises ``malformed_json``."""
    try:
        return _untyped.decode(raw)
    except msgspec.ValidationError:
        # Only a whole number of thousands of digits comes to here.
        raise PlatformError(MALFORMED_JSON, "A whole number is too large.") from None
    except _UNREADABLE as error:
        raise PlatformError(MALFORMED_JSON, _unreadable(error)) from None


def _number(text: str) -> Any:
    number = float(text)
    return number if abs(number) != float("inf") else _TooLarge()


_untyped: Final = msgspec.json.Decoder(float_hook=_number)


def _shape_problems(shape: type[Struct], value: Any, error: msgspec.ValidationError) -> Iterator[FieldError]:
    """What keeps ``value`` from being such a thing; at the least one, which is then msgspec's own word."""
    found = list(islice(_problems(shape, value, ""), MOST_PROBLEMS))
    yield from found or [FieldError("", "invalid", str(error))]


def _problems(shape: type[Struct], value: Any, prefix: str) -> Iterator[FieldError]:
    if not isinstance(value, dict):
        yield FieldError(prefix.rstrip("."), "not_a_dict", "This must be an object.")
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for name in value:
        if name not in fields:
            yield FieldError(prefix + name, UNKNOWN_FIELD.key, UNKNOWN_FIELD.message)
    for name, field in fields.items():
        if name not in value:
            if field.required:
                yield FieldError(prefix + name, "required", "This field is required.")
        elif shape is _Sent and name == "source" and isinstance(value[name], dict):
            yield from _problems(_Source, value[name], f"{prefix}{name}.")
        else:
            yield from _type_problem(prefix + name, field.type, value[name])


def _type_problem(name: str, kind: Any, value: Any) -> Iterator[FieldError]:
    if name == "metadata" and isinstance(value, dict):
        if _holds_too_large(value):
            yield _NUMBER_TOO_LARGE
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield FieldError(name, *_sentence(str(error), value))


def _holds_too_large(value: Any) -> bool:
    """Without recursion: it was not looked at how deep this is."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _TooLarge):
            return True
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return False


def _sentence(error: str, value: Any) -> tuple[str, str]:
    if value is None:
        return "null", "This field may not be null."
    for beginning, code, message in (
        ("Expected `str", "not_text", "This must be a text."),
        ("Expected `array", "not_a_list", "This must be a list."),
        ("Expected `object", "not_a_dict", "This must be an object."),
    ):
        if error.startswith(beginning):
            return code, message
    return "invalid", "This value is not valid."
