"""Serializers at the camelCase border: strict types, unknown fields refused, names translated.

Input and output shapes are declared in snake_case; the wire sees camelCase, and
so do error messages and the OpenAPI document, without a renaming parser that
would reach into free-form maps.
"""

import re
import unicodedata
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from platform_site import moments
from platform_site.errors import UNKNOWN_FIELD, error_code
from platform_site.names import camel

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


# What can be wrong with a single field: codes that stand in ``details`` under validation_failed. The words
# are those of the registry; in an answer DRF's own, which know the limits, take their place.
FIELD_CODES = {
    key: error_code(key, 400, message)
    for key, message in {
        "required": "This field is required.",
        "null": "This field may not be null.",
        "blank": "This field may not be blank.",
        "invalid": "This value is not valid.",
        "invalid_choice": "This is none of the choices.",
        "not_text": "This must be a text.",
        "control": "Control characters are not allowed.",
        "min_length": "This is too short.",
        "max_length": "This is too long.",
        "min_value": "This number is too small.",
        "max_value": "This number is too large.",
        "not_a_list": "This must be a list.",
        "not_a_dict": "This must be an object.",
        "empty": "This list may not be empty.",
        "naive": moments.NAIVE,
    }.items()
}


class Text(serializers.CharField):
    """A string that is a string: DRF's own takes numbers and booleans too. Control characters are refused."""

    default_error_messages = {
        "not_text": FIELD_CODES["not_text"].message,
        "control": FIELD_CODES["control"].message,
    }
    allowed_controls = ""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        text: str = super().to_internal_value(data)
        if any(
            unicodedata.category(character) == "Cc" and character not in self.allowed_controls for character in text
        ):
            self.fail("control")
        return text


class Lines(Text):
    """A text of several lines; of control characters only line breaks and tabs."""

    allowed_controls = "\n\r\t"


class Secret(Text):
    """A password or token: taken as it is, never trimmed, never shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"trim_whitespace": False, "write_only": True, "style": {"input_type": "password"}, **kwargs}
        )


class Whole(serializers.IntegerField):
    """An integer that is one: not a text, not a boolean; 1.0 counts, as JSON Schema says."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, (int, float)) or data != data // 1:
            self.fail("invalid")
        return int(data)


class YesNo(serializers.BooleanField):
    """true or false, and no text that looks like one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Identifier(serializers.UUIDField):
    """A UUID in its usual form: DRF's own takes integers and a dozen spellings."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid", value=data)
        return UUID(data)


class Moment(serializers.DateTimeField):
    """RFC 3339 on the way in, with an offset; UTC with milliseconds and Z on the way out."""

    default_error_messages = {
        "invalid": moments.INVALID,
        "naive": FIELD_CODES["naive"].message,
    }

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid")
        try:
            return moments.read_moment(value)
        except moments.NaiveMoment:
            self.fail("naive")
        except ValueError:
            self.fail("invalid")

    def to_representation(self, value: Any) -> Any:
        return None if value is None else moments.wire_time(value)


class FreeMap(serializers.JSONField):
    """An object whose keys belong to the client: they are neither renamed nor checked."""

    default_error_messages = {"not_a_dict": FIELD_CODES["not_a_dict"].message}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict")
        return data


class Shape(serializers.Serializer[Any]):
    # No docstring: drf-spectacular prints the nearest one as every component's description.

    @property
    def data(self) -> Any:
        """What is shown, by fields that are made once per shape: making them costs more than using them.

        Showing reads neither context nor other state of a serializer; reading input does, and keeps its own.
        """
        if self.instance is None or hasattr(self, "initial_data") or self._context:
            return super().data
        return _presenter(type(self)).to_representation(self.instance)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        renamed = {}
        for name, field in super().get_fields().items():
            wire = camel(name)
            if wire != name and field.source is None:
                # DRF clones fields from their first arguments, so these must know as well.
                field.source = field._kwargs["source"] = name  # type: ignore[attr-defined]
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


@cache
def _presenter(shape: type[Shape]) -> Shape:
    return shape()
