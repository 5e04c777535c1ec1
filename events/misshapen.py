"""What is wrong with JSON that msgspec refused: all of it, by the names of the fields.

msgspec stops at the first mistake and names none of them as clients do, so here is
looked again, at leisure: such events are few.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from events import errors
from events.sent import MAX_MESSAGE_ID, Refused, Sent, Source
from platform_site.errors import MALFORMED_JSON, UNKNOWN_FIELD, FieldError, PlatformError

# Of one event: an answer must not be larger than what was sent because a sender has a field for each letter.
MOST_PROBLEMS: Final = 20


class LooseEnvelope(Struct, forbid_unknown_fields=True):
    """A batch of which nothing is known but that it is one."""

    events: list[Any]


UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def unreadable(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "This is not UTF-8."
    if isinstance(error, RecursionError):
        return "This is nested too deep."
    return "This is not valid JSON."


def misshapen(raw: Raw, error: msgspec.ValidationError) -> Refused:
    """msgspec names the first that is wrong; here are all of them, by name."""
    try:
        value = anything(raw)
    except PlatformError as refused:
        if str(error).endswith("at `$.metadata[...]`"):
            return Refused([_NUMBER_TOO_LARGE])
        return Refused([FieldError("", MALFORMED_JSON.key, refused.message)])
    message_id = value.get("messageId") if isinstance(value, dict) else None
    return Refused(list(shape_problems(Sent, value, error)), shown(message_id))


def shown(message_id: Any) -> str | None:
    """The sender's name for an event, in a report of it; None where it cannot be one."""
    return message_id if isinstance(message_id, str) and 0 < len(message_id) <= MAX_MESSAGE_ID else None


_NUMBER_TOO_LARGE: Final = FieldError("metadata", errors.INVALID_METADATA.key, "A number is too large.")


class _TooLarge:
    """In the place of a number that is beyond all that a double can hold."""


def anything(raw: Raw) -> Any:
    """Whatever this is, also with numbers that no double can hold. Raises ``malformed_json``."""
    try:
        return _untyped.decode(raw)
    except msgspec.ValidationError:
        # Only a whole number of thousands of digits comes to here.
        raise PlatformError(MALFORMED_JSON, "A whole number is too large.") from None
    except UNREADABLE as error:
        raise PlatformError(MALFORMED_JSON, unreadable(error)) from None


def _number(text: str) -> Any:
    number = float(text)
    return number if abs(number) != float("inf") else _TooLarge()


_untyped: Final = msgspec.json.Decoder(float_hook=_number)


def shape_problems(shape: type[Struct], value: Any, error: msgspec.ValidationError) -> Iterator[FieldError]:
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
        elif shape is Sent and name == "source" and isinstance(value[name], dict):
            yield from _problems(Source, value[name], f"{prefix}{name}.")
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
