"""What settings look like on the wire."""

from collections.abc import Iterable
from typing import Any, get_args

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from platform_site.api.identity import Identity
from platform_site.api.serializers import Shape, Text, YesNo
from tenancy.org_settings.registry import Kind
from tenancy.org_settings.selectors import SettingState, may_write
from tenancy.org_settings.values import as_json

KINDS = get_args(Kind)
# A text, a whole number, a flag, or a map whose keys are the client's.
TYPES = ["string", "integer", "boolean", "object"]
VALUES = {"type": "object", "additionalProperties": {"type": [*TYPES, "null"], "additionalProperties": True}}


@extend_schema_field({"type": TYPES, "additionalProperties": True})
class SettingValue(serializers.JSONField):
    """Any JSON: what it has to be is the setting's own business."""


class OrgSettingInput(Shape):
    value = SettingValue(allow_null=True)


class OrgSettingOutput(Shape):
    """``type`` is the kind of value. A secret's value is {"set": true} or {"set": false}, and its default null."""

    key = Text()
    category = Text()
    # An argument of every field is called so too; here it is a field.
    label = Text()  # type: ignore[assignment]
    type = serializers.ChoiceField(choices=KINDS)
    value = SettingValue(allow_null=True)
    default = SettingValue(allow_null=True)
    is_default = YesNo()
    secret = YesNo()
    writable = YesNo()
    choices = serializers.ListField(child=Text())


def present_setting(state: SettingState, actor: Identity) -> dict[str, Any]:
    definition = state.definition
    return {
        "key": definition.key,
        "category": definition.category,
        "label": definition.label,
        "type": definition.kind,
        "value": _value(state),
        "default": None if definition.secret else as_json(definition.default()),
        "isDefault": state.is_default,
        "secret": definition.secret,
        "writable": may_write(actor, definition),
        "choices": list(definition.choices),
    }


def present_values(states: Iterable[SettingState]) -> dict[str, Any]:
    """Values by key; the keys are the registry's and stay as they are."""
    return {state.definition.key: _value(state) for state in states}


def _value(state: SettingState) -> Any:
    return {"set": not state.is_default} if state.definition.secret else as_json(state.value)
