"""What records look like on the wire, and what may be said about them."""

from collections.abc import Mapping
from typing import Any

import orjson
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from events.sent import ID_IN_APP, NAME
from platform_site.api.serializers import FreeMap, Identifier, Moment, Shape, Text, Whole, YesNo
from registry.models import Entity, HistoryEntry, Link
from registry.models import Identifier as EntityIdentifier

MOST_BYTES = 32 * 1024
MOST_KEYS = 300
MOST_DEPTH = 10


class AppName(Text):
    """The name of an app, of a kind of its records, or of a class."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 50, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not NAME.fullmatch(text):
            self.fail("invalid")
        return text


@extend_schema_field(
    {"oneOf": [{"type": "integer"}, {"type": "string", "pattern": r"^[A-Za-z0-9_.:@-]{1,128}$"}], "example": 42}
)
class IdInApp(serializers.Field[Any, Any, Any, Any]):
    """An app's own id: a whole number or a text that can stand in a path; 42 and "42" are the same."""

    default_error_messages = {"invalid": "This must be a whole number, or up to 128 of A-Z a-z 0-9 . _ : @ -."}

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool) or not isinstance(data, (int, str)):
            self.fail("invalid")
        text = str(data)
        if not ID_IN_APP.fullmatch(text):
            self.fail("invalid")
        return text

    def to_representation(self, value: Any) -> str:
        return str(value)


class SnapshotMap(FreeMap):
    """What an app knows about its record: any fields, of which ``name``, ``email`` and a few more are understood."""

    default_error_messages = {"max_length": f"A snapshot has {MOST_BYTES} bytes at most.",
                              "invalid": f"At most {MOST_KEYS} keys, and {MOST_DEPTH} levels."}  # fmt: skip

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        value = super().to_internal_value(data)
        if len(value) > MOST_KEYS or not _within(value, MOST_DEPTH):
            self.fail("invalid")
        if len(orjson.dumps(value)) > MOST_BYTES:
            self.fail("max_length")
        return value


def _within(value: Any, levels: int) -> bool:
    if isinstance(value, Mapping):
        return levels > 0 and all(_within(item, levels - 1) for item in value.values())
    if isinstance(value, list):
        return levels > 0 and all(_within(item, levels - 1) for item in value)
    return True


class Email(Text):
    """An address as it is written; what it is compared by is worked out later."""

    default_error_messages = {"invalid": "This is no e-mail address."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 320, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        from registry.matching.normalising import email_key

        text = super().to_internal_value(data)
        if text and email_key(text) is None:
            self.fail("invalid")
        return text


class AppRecordInput(Shape):
    app = AppName()
    entity_type = AppName()
    entity_id = IdInApp()


class RegisterEntityInput(AppRecordInput):
    name = Text(max_length=255)
    email = Email(required=False, allow_blank=True, allow_null=True)
    entity_class = AppName(required=False)
    snapshot = SnapshotMap(required=False)
    observed_at = Moment(required=False)
    if_email_exists = serializers.ChoiceField(choices=["create", "link", "error"], required=False)


class EntityLinkInput(AppRecordInput):
    canonical_id = Identifier()
    snapshot = SnapshotMap(required=False)
    observed_at = Moment(required=False)
    confidence = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=1)
    move = YesNo(required=False)


class AutoLinkInput(AppRecordInput):
    email = Email()
    name = Text(required=False, allow_blank=True, max_length=255)
    entity_class = AppName(required=False)
    snapshot = SnapshotMap(required=False)
    observed_at = Moment(required=False)


class DecisionsMap(FreeMap):
    """By field: "winner", "loser", or {"value": ...}."""

    default_error_messages = {"invalid": 'Each is "winner", "loser" or an object with a "value".'}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        value = super().to_internal_value(data)
        for name, decision in value.items():
            given = isinstance(decision, dict) and set(decision) == {"value"}
            if not given and decision not in ("winner", "loser"):
                self.fail("invalid")
            if given and name in ("name", "email") and not isinstance(decision["value"], str):
                self.fail("invalid")
        return value


class VersionsMap(FreeMap):
    """Versions by canonical id."""

    default_error_messages = {"invalid": "Each is a version by a canonical id."}

    def to_internal_value(self, data: Any) -> dict[Any, int]:
        value = super().to_internal_value(data)
        read = Identifier()
        if any(isinstance(one, bool) or not isinstance(one, int) for one in value.values()):
            self.fail("invalid")
        return {read.to_internal_value(name): version for name, version in value.items()}


class MergeInput(Shape):
    winner_id = Identifier()
    loser_id = Identifier()
    reason = Text(required=False, allow_blank=True, max_length=500)
    field_decisions = DecisionsMap(required=False)
    dry_run = YesNo(required=False)
    expected_versions = VersionsMap(required=False)


class ReasonInput(Shape):
    reason = Text(required=False, allow_blank=True, max_length=500)


class EntityInput(Shape):
    pin = SnapshotMap(required=False)
    unpin = serializers.ListField(child=Text(max_length=100), required=False, max_length=100)
    locked = YesNo(required=False)
    version = Whole(required=False, min_value=1, max_value=2**31 - 1)


class EntityOutput(Shape):
    canonical_id = serializers.UUIDField()
    name = Text()
    email = Text(allow_null=True)
    entity_class = Text()
    status = serializers.ChoiceField(choices=Entity.Status.choices)
    merged_into = serializers.UUIDField(allow_null=True)
    locked = YesNo()
    version = Whole()
    links_count = Whole()
    orphaned = YesNo()
    created_at = Moment()
    updated_at = Moment()


class EntityLinkOutput(Shape):
    link_id = serializers.UUIDField()
    app = Text()
    entity_type = Text()
    entity_id = Text()
    snapshot = FreeMap()
    observed_at = Moment()
    method = serializers.ChoiceField(choices=Link.Method.choices)
    confidence = serializers.FloatField(allow_null=True)
    origin_canonical_id = serializers.UUIDField()
    created_at = Moment()


class FormerLinkOutput(EntityLinkOutput):
    canonical_id = serializers.UUIDField()
    unlinked_at = Moment(allow_null=True)


class IdentifierOutput(Shape):
    kind = serializers.ChoiceField(choices=EntityIdentifier.Kind.choices)
    value = Text()
    raw = Text()
    link_id = serializers.UUIDField(allow_null=True)


class EntityDetailOutput(EntityOutput):
    attributes = FreeMap()
    requested_id = serializers.UUIDField()
    resolved = YesNo()
    merged_ids = serializers.ListField(child=serializers.UUIDField())
    identifiers = IdentifierOutput(many=True)
    links = EntityLinkOutput(many=True)


class EntityFoundOutput(Shape):
    canonical_id = serializers.UUIDField()
    name = Text()
    email = Text(allow_null=True)
    entity_class = Text()
    score = serializers.FloatField()
    matched_on = serializers.ChoiceField(choices=["name", "email", "alias", "identifier"])
    links_count = Whole()


class LinkedOutput(Shape):
    canonical = EntityOutput()
    link = EntityLinkOutput()
    history = FormerLinkOutput(many=True)


class HistoryOutput(Shape):
    id = serializers.UUIDField()
    seq = Whole()
    at = Moment()
    op = serializers.ChoiceField(choices=HistoryEntry.Op.choices)
    actor_id = serializers.UUIDField(allow_null=True)
    reason = Text()
    canonical_id_at_time = serializers.UUIDField()
    payload = FreeMap()


class CandidateOutput(Shape):
    canonical_id = serializers.UUIDField()
    name = Text()
    email = Text(allow_null=True)
    score = serializers.FloatField()
    reasons = serializers.ListField(child=FreeMap())


class RegisteredEntityOutput(Shape):
    canonical_id = serializers.UUIDField()
    link_id = serializers.UUIDField()
    created = YesNo()
    entity = EntityOutput()
    possible_duplicates = CandidateOutput(many=True)
    erased_before = YesNo()


class EmailConflictOutput(Shape):
    email_owner = serializers.UUIDField()


class AutoLinkedOutput(RegisteredEntityOutput):
    action = serializers.ChoiceField(choices=["created", "linked", "existing"])
    matched_by = Text(allow_null=True)
    reason = serializers.ChoiceField(choices=["blocked_identifier", "email_of_another"], allow_null=True)
    conflict = EmailConflictOutput(allow_null=True)


class AttachedOutput(Shape):
    canonical_id = serializers.UUIDField()
    link_id = serializers.UUIDField()
    created = YesNo()
    resolved = YesNo()
    moved_from = serializers.UUIDField(allow_null=True)
    link = EntityLinkOutput()


class DetachedOutput(Shape):
    canonical_id = serializers.UUIDField()
    remaining_links = Whole()
    orphaned = YesNo()
    split_to = serializers.UUIDField(allow_null=True)
    new_link_id = serializers.UUIDField(allow_null=True)


class MovedOutput(Shape):
    links = Whole()
    identifiers = Whole()
    open_duplicates = Whole(required=False)


class FieldsShape(Shape):
    # DRF keeps the name ``fields`` for itself; on the wire it is the natural one.
    fields_by_name = FreeMap()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        found = super().get_fields()
        found["fields"] = found.pop("fieldsByName")
        return found


class MergeOutput(FieldsShape):
    merge_id = serializers.UUIDField(allow_null=True)
    dry_run = YesNo()
    already_merged = YesNo()
    winner_id = serializers.UUIDField()
    loser_id = serializers.UUIDField()
    winner = EntityOutput()
    moved = MovedOutput()
    blockers = serializers.ListField(child=FreeMap())


class UndoneOutput(Shape):
    merge_id = serializers.UUIDField()
    winner = EntityOutput()
    loser = EntityOutput()
    moved = MovedOutput()
    conflicts = serializers.ListField(child=Text())


class ErasedEntityOutput(Shape):
    canonical_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Entity.Status.choices)


class DuplicateOutput(Shape):
    records = EntityOutput(many=True)
    score = serializers.FloatField()
    reasons = serializers.ListField(child=FreeMap())
    found_at = Moment()


class PairDismissedOutput(Shape):
    dismissed = YesNo()


class EntityProfileOutput(EntityOutput, FieldsShape):
    requested_id = serializers.UUIDField()
    merged_ids = serializers.ListField(child=serializers.UUIDField())
    apps = FreeMap()
    identifiers = IdentifierOutput(many=True)
    open_duplicates = Whole()


class MergeRecordOutput(Shape):
    merge_id = serializers.UUIDField()
    winner_id = serializers.UUIDField()
    loser_id = serializers.UUIDField()
    reason = Text()
    at = Moment()
    actor_id = serializers.UUIDField(allow_null=True)
