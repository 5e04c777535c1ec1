"""What events look like on the wire. ``events.decoding`` reads what is sent; its shape is here for the document."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from events.metadata import MAX_KEYS
from events.sent import MAX_ACTION, MAX_BATCH, MAX_CATEGORY, MAX_MESSAGE_ID
from platform_site.api.pagination import CursorMeta
from platform_site.api.serializers import FreeMap, Identifier, Moment, Shape, Text, Whole, YesNo

NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,49}$"}
_ID_IN_APP = {"type": "string", "pattern": "^[A-Za-z0-9_.:@-]{1,128}$"}
_UUID = {"type": "string", "format": "uuid"}
_COUNTS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
_BATCH = {"type": "array", "items": {"$ref": "#/components/schemas/PlatformEventRequest"}, "minItems": 1,
          "maxItems": MAX_BATCH}  # fmt: skip
BATCH = {
    "oneOf": [
        {"type": "object", "properties": {"events": _BATCH}, "required": ["events"], "additionalProperties": False},
        _BATCH,
    ]
}


@extend_schema_field(NAME)
class Name(Text):
    """The name of an app, or of a kind of its records."""


@extend_schema_field({"oneOf": [{"type": "integer"}, _ID_IN_APP]})
class IdInApp(serializers.Field[Any, Any, Any, Any]):
    """An id in an app: a number is the same as its digits."""


@extend_schema_field({"oneOf": [{"type": "integer", "minimum": 1}, _UUID, {"type": "null"}]})
class PersonRef(serializers.Field[Any, Any, Any, Any]):
    """A person, by id or number."""


@extend_schema_field(
    {
        "type": ["object", "null"],
        "additionalProperties": True,
        "maxProperties": MAX_KEYS,
        "propertyNames": {"pattern": "^(?:[^$]|$)"},
    }
)
class Metadata(FreeMap):
    """Whatever the app wants to keep with it."""


@extend_schema_field(_COUNTS)
class Counts(FreeMap):
    """How many by name, the most first."""


class EventSourceInput(Shape):
    entity_type = Name()
    entity_id = IdInApp()


class PlatformEventInput(Shape):
    canonical_id = Identifier()
    app = Name()
    category = Text(min_length=1, max_length=MAX_CATEGORY)
    action = Text(min_length=1, max_length=MAX_ACTION)
    occurred_at = Moment(required=False, allow_null=True)
    message_id = Text(required=False, allow_null=True, min_length=1, max_length=MAX_MESSAGE_ID)
    actor_id = PersonRef(required=False)
    metadata = Metadata(required=False)

    def get_fields(self) -> dict[str, Any]:
        # A field has an attribute of that name.
        return {**super().get_fields(), "source": EventSourceInput(required=False, allow_null=True)}


class IngestedEventOutput(Shape):
    id = Identifier()
    canonical_id = Identifier()
    sent_canonical_id = Identifier(allow_null=True)
    received_at = Moment()
    duplicate = YesNo()


class EventProblemOutput(Shape):
    index = Whole(min_value=0)
    message_id = Text(allow_null=True)
    code = Text()
    field = Text()
    message = Text()


class IngestReportOutput(Shape):
    received = Whole(min_value=1)
    accepted = Whole(min_value=0)
    duplicates = Whole(min_value=0)
    rejected = Whole(min_value=0)
    ids = serializers.ListField(child=Identifier(allow_null=True))
    duplicate_indexes = serializers.ListField(child=Whole(min_value=0))

    def get_fields(self) -> dict[str, Any]:
        # A serializer has an attribute of that name.
        return {**super().get_fields(), "errors": EventProblemOutput(many=True)}


class EventSourceOutput(Shape):
    entity_type = Text()
    entity_id = Text()


class PlatformEventOutput(Shape):
    id = Identifier()
    canonical_id = Identifier()
    sent_canonical_id = Identifier(allow_null=True)
    app = Text()
    category = Text()
    action = Text()
    occurred_at = Moment()
    received_at = Moment()
    message_id = Text(allow_null=True)
    actor_id = Identifier(allow_null=True)
    metadata = FreeMap()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "source": EventSourceOutput(allow_null=True)}


class PlatformEventsMeta(CursorMeta):
    # Not with a cursor: whoever goes on has been told.
    page = Whole(required=False, min_value=1)
    total = Whole(required=False, min_value=0)
    total_pages = Whole(required=False, min_value=0)
    total_is_estimate = YesNo(required=False)


class ActionCountOutput(Shape):
    app = Text()
    category = Text()
    action = Text()
    count = Whole(min_value=1)


class EventSummaryOutput(Shape):
    canonical_id = Identifier()
    timezone = Text()
    total = Whole(min_value=0)
    first_at = Moment(allow_null=True)
    last_at = Moment(allow_null=True)
    days_since_last = Whole(allow_null=True, min_value=0)
    active_days_30 = Whole(min_value=0)
    last_30 = Whole(min_value=0)
    prev_30 = Whole(min_value=0)
    delta_pct = serializers.FloatField(allow_null=True)
    by_app = Counts()
    by_category = Counts()
    top_actions = ActionCountOutput(many=True)
    linked_apps = serializers.ListField(child=Text())


class EventCellOutput(Shape):
    app = Text()
    category = Text()
    count = Whole(min_value=1)


class EventWindowOutput(Shape):
    to = serializers.DateField()
    total = Whole(min_value=0)
    by_app = Counts()
    by_category = Counts()
    matrix = EventCellOutput(many=True)

    def get_fields(self) -> dict[str, Any]:
        # No name in Python.
        return {"from": serializers.DateField(), **super().get_fields()}


class EventWindowsOutput(Shape):
    def get_fields(self) -> dict[str, Any]:
        return {f"{days}d": EventWindowOutput() for days in (30, 90, 365)}


class EventActivityOutput(Shape):
    canonical_id = Identifier()
    as_of = serializers.DateField()
    timezone = Text()
    windows = EventWindowsOutput()
