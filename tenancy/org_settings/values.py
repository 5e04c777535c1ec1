"""From what somebody sent to what is stored, and from what is stored to what the platform works with."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from platform_site.errors import PlatformError, invalid_field
from platform_site.moments import read_moment, wire_time
from tenancy.errors import SETTING_TYPE_INVALID, SETTING_VALUE_INVALID
from tenancy.org_settings.registry import Kind, OrgSettingDefinition

# A map as JSON.
MAX_MAP_BYTES = 16 * 1024


def checked(definition: OrgSettingDefinition, value: Any) -> Any:
    """``value``, which is not None, as it is stored: JSON.

    Raises ``setting_type_invalid`` for the wrong kind of thing, and
    ``setting_value_invalid`` with a sentence for the right kind with a wrong value.
    """
    try:
        plain = _KINDS[definition.kind](definition, value)
        return definition.validate(plain) if definition.validate else plain
    except ValueError as error:
        # A validator's own words could repeat what was sent, and a secret is to stay one.
        sentence = "" if definition.secret else str(error)
        raise invalid_field("value", SETTING_VALUE_INVALID, sentence) from None


def understood(definition: OrgSettingDefinition, stored: Any) -> Any:
    """What was stored, under today's rules: the platform may have moved its bounds since. A moment is one again."""
    if definition.kind == "moment" and stored is not None:
        return read_moment(stored)
    if definition.kind == "choice" and stored not in definition.choices:
        return definition.default()
    if definition.kind == "whole":
        low = stored if definition.minimum is None else max(stored, definition.minimum())
        return low if definition.maximum is None else min(low, definition.maximum())
    return stored


def as_json(value: Any) -> Any:
    """An effective value as it goes over the wire and into the journal."""
    return wire_time(value) if isinstance(value, datetime) else value


def _wrong_type(message: str) -> PlatformError:
    return invalid_field("value", SETTING_TYPE_INVALID, message)


def _text(definition: OrgSettingDefinition, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type("This must be a text.")
    if len(value) > definition.max_length:
        raise ValueError(f"This has more than {definition.max_length} characters.")
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise ValueError("Control characters are not allowed.")
    return value


def _whole(definition: OrgSettingDefinition, value: Any) -> int:
    # 1.0 counts, as JSON Schema says.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        raise _wrong_type("This must be a whole number.")
    if definition.minimum is not None and value < definition.minimum():
        raise ValueError(f"This must be at least {definition.minimum()}.")
    if definition.maximum is not None and value > definition.maximum():
        raise ValueError(f"This must be at most {definition.maximum()}.")
    return int(value)


def _flag(definition: OrgSettingDefinition, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type("This must be true or false.")
    return value


def _choice(definition: OrgSettingDefinition, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type("This must be a text.")
    if value not in definition.choices:
        raise ValueError(f"This must be one of: {'; '.join(definition.choices)}.")
    return value


def _moment(definition: OrgSettingDefinition, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type("This must be a time as text.")
    return wire_time(read_moment(value))


def _map(definition: OrgSettingDefinition, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong_type("This must be an object.")
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_MAP_BYTES:
        raise ValueError(f"This is larger than {MAX_MAP_BYTES} bytes of JSON.")
    return value


_KINDS: Mapping[Kind, Callable[[OrgSettingDefinition, Any], Any]] = {
    "text": _text,
    "whole": _whole,
    "flag": _flag,
    "choice": _choice,
    "moment": _moment,
    "map": _map,
}
