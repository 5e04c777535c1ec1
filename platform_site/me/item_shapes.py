"""Shapes of action items."""

import re
from typing import Any, Final

from rest_framework import serializers

from accounts.api.refs import PersonRef
from accounts.roles import Role
from platform_site.action_items import PRIORITIES, STATES
from platform_site.api.serializers import Identifier, Moment, Shape, Text, Whole, YesNo
from platform_site.me.models import StoredItem

STORED_STATES = ("open", *StoredItem.Closed.values)
# A path of the frontend's own, or a page elsewhere: nothing that a browser would run.
_ADDRESS: Final = re.compile(r"(?:/(?![/\\])|https?://[^\s/\\@]+(?:/|$))[^\s\\]*")


class Address(Text):
    default_error_messages = {"invalid": "This is neither a path nor a web address."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if text and not _ADDRESS.fullmatch(text):
            self.fail("invalid")
        return text


class ItemEntity(Shape):
    canonical_id = Identifier()


class ActionItemOutput(Shape):
    """``dueAt`` is a moment; what is overdue or due soon goes by days on the clocks of whoever asks."""

    id = Text()
    # An argument of every field is called so too; here it is a field.
    source = Text()  # type: ignore[assignment]
    app = Text()
    type = Text()
    title = Text()
    url = Text(allow_null=True)
    priority = serializers.ChoiceField(choices=PRIORITIES)
    due_at = Moment(allow_null=True)
    state = serializers.ChoiceField(choices=STATES)
    entity = ItemEntity(allow_null=True)
    created_at = Moment(allow_null=True)


class ItemCountsOutput(Shape):
    """Of all, also of those beyond ``limit``. ``dueToday`` are among ``dueSoon``."""

    total = Whole(min_value=0)
    overdue = Whole(min_value=0)
    due_today = Whole(min_value=0)
    due_soon = Whole(min_value=0)


class ActionItemsOutput(Shape):
    """Each item once: overdue, due soon, or one of the other ``tasks``. ``bySource`` counts by name of the source."""

    tasks = ActionItemOutput(many=True)
    overdue = ActionItemOutput(many=True)
    due_soon = ActionItemOutput(many=True)
    counts = ItemCountsOutput()
    by_source = serializers.DictField(child=Whole(min_value=0))
    partial = YesNo()  # type: ignore[assignment]
    errors = serializers.ListField(child=Text())  # type: ignore[assignment]


class ItemInput(Shape):
    """For exactly one of ``assignee``, ``permission`` and ``role``."""

    assignee = PersonRef(required=False)
    permission = Text(required=False, max_length=80)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    type = serializers.RegexField(r"^[a-z][a-z0-9_]{0,49}\Z", required=False)
    title = Text(max_length=200)
    url = Address(required=False, allow_blank=True, max_length=500)
    priority = serializers.ChoiceField(choices=PRIORITIES, required=False)
    due_at = Moment(required=False, allow_null=True)
    entity = ItemEntity(required=False, allow_null=True)


class StoredItemOutput(Shape):
    """``state`` is "open" until it is "done" or "withdrawn"."""

    id = Identifier()
    app = Text()
    key = Text()
    type = Text()
    title = Text()
    url = Text(allow_null=True)
    priority = serializers.ChoiceField(choices=PRIORITIES)
    due_at = Moment(allow_null=True)
    entity = ItemEntity(allow_null=True)
    state = serializers.ChoiceField(choices=STORED_STATES)
    closed_at = Moment(allow_null=True)
    created_at = Moment()
