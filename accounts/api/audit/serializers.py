"""What the audit log looks like on the wire."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.audit import AuditItem
from platform_site.api.serializers import FreeMap, Moment, Shape, Text, Whole

ACTOR_KINDS = ("person", "api_key", "system")


@extend_schema_field({})
class AnyValue(serializers.JSONField):
    """Whatever the fact is about, null included."""


class AuditActorOutput(Shape):
    """``id`` is a person's UUID or an API key's; ``userId`` only people have."""

    id = serializers.UUIDField(allow_null=True)
    user_id = Whole(allow_null=True)
    display_name = Text()
    kind = serializers.ChoiceField(choices=ACTOR_KINDS)


class AuditSubjectOutput(Shape):
    type = Text()
    id = Text()
    # An argument of every field is called so too; here it is a field.
    label = Text(allow_null=True)  # type: ignore[assignment]


class AuditEntryOutput(Shape):
    id = serializers.UUIDField()
    at = Moment()
    key = Text()
    meaning = Text()
    actor = AuditActorOutput(allow_null=True)
    impersonator = Text(allow_null=True)
    origin = Text(allow_null=True)
    request_id = Text(allow_null=True)
    subject = AuditSubjectOutput(allow_null=True)
    before = AnyValue()
    after = AnyValue()
    data = FreeMap()


def present_entries(items: Sequence[AuditItem]) -> list[dict[str, Any]]:
    shape: Any = AuditEntryOutput(items, many=True)
    return list(shape.data)
