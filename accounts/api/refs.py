"""How paths and bodies name things: a person by number or by UUID, a profile by its number."""

import re
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

_NUMBER = r"[1-9][0-9]{0,17}"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class UserRefConverter:
    """``<user_ref:ref>`` gives an ``int`` or a ``UUID``; what is neither is no path."""

    regex = f"(?:{_NUMBER}|{_UUID})"

    def to_python(self, value: str) -> int | UUID:
        return int(value) if re.fullmatch(_NUMBER, value) else UUID(value)

    def to_url(self, value: int | UUID) -> str:
        return str(value)


class NumberConverter:
    """``<number:name>`` gives an ``int`` that fits into a column of PostgreSQL; anything else is no path."""

    regex = r"[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


@extend_schema_field(
    {"oneOf": [{"type": "integer", "minimum": 1, "maximum": 2**31 - 1}, {"type": "string", "format": "uuid"}]}
)
class PersonRef(serializers.Field[Any, Any, Any, Any]):
    """A person in a body, by number or by UUID."""

    default_error_messages = {"invalid": "Give a userId or an id."}

    def to_internal_value(self, data: Any) -> int | UUID:
        if isinstance(data, int) and not isinstance(data, bool) and 1 <= data < 2**31:
            return data
        try:
            return UUID(data) if isinstance(data, str) and len(data) == 36 else self.fail("invalid")
        except ValueError:
            self.fail("invalid")
