"""Serializers at the camelCase border: strict types, unknown fields refused, names translated.

Input and output shapes are declared in snake_case; the wire sees camelCase, and
so do error messages and the OpenAPI document, without a renaming parser that
would reach into free-form maps.
"""

import re
import unicodedata
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from platform_site.api.renderers import wire_time
from platform_site.errors import UNKNOWN_FIELD

_UNDERSCORE = re.compile(r"_([a-z0-9])")


def camel(name: str) -> str:
    """``first_name`` becomes ``firstName``."""
    return _UNDERSCORE.sub(lambda match: match[1].upper(), name)


class Text(serializers.CharField):
    """A string that is a string: DRF's own takes numbers and booleans too. Control characters are refused."""

    default_error_messages = {"not_text": "This must be a text.", "control": "Control characters are not allowed."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        text = super().to_internal_value(data)
        if any(unicodedata.category(character) == "Cc" for character in text):
            self.fail("control")
        return text


class Secret(Text):
    """A password or token: taken as it is, never trimmed, never shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, write_only=True, style={"input_type": "password"}, **kwargs)


class Whole(serializers.IntegerField):
    """An integer that is one: not a text, not a boolean; 1.0 counts, as JSON Schema says."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            self.fail("invalid")
        return super().to_internal_value(data)


class YesNo(serializers.BooleanField):
    """true or false, and no text that looks like one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Moment(serializers.DateTimeField):
    """RFC 3339 UTC with milliseconds and Z on the way out."""

    def to_representation(self, value: Any) -> Any:
        return None if value is None else wire_time(value)


class Shape(serializers.Serializer[Any]):
    serializer_field_mapping: dict[Any, Any] = {}

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        renamed = {}
        for name, field in super().get_fields().items():
            wire = camel(name)
            if wire != name and field.source is None:
                # DRF clones fields from their first arguments, so these must know as well.
                field.source = field._kwargs["source"] = name
            renamed[wire] = field
        return renamed

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = [name for name in data if name not in known]
            if unknown:
                raise ValidationError(
                    {name: [ErrorDetail(UNKNOWN_FIELD.message, UNKNOWN_FIELD.key)] for name in unknown}
                )
        return super().to_internal_value(data)
