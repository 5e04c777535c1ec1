"""Shapes of the set-up hub."""

from typing import Any

from rest_framework import serializers

from accounts.roles import Role
from platform_site.api.serializers import Identifier, Lines, Moment, Shape, Text, Whole, YesNo
from setup_hub.models import TaskState
from setup_hub.progress import STATUSES

CHECK_ERRORS = ("timeout", "failed")


class SetupPersonOutput(Shape):
    id = Identifier()
    user_id = Whole()
    display_name = Text()


class SetupProgressOutput(Shape):
    """``percent`` is 100 only when every task is completed, or optional and skipped."""

    percent = Whole(min_value=0, max_value=100)
    completed = Whole(min_value=0)
    skipped = Whole(min_value=0)
    total = Whole(min_value=0)
    required_remaining = Whole(min_value=0)


class SetupTaskOutput(Shape):
    """``blockedBy`` are tasks of ``dependsOn`` that are not done; ``actionUrl`` is for administrators."""

    code = Text()
    app = Text()
    title = Text()
    description = Text()
    category = Text()
    order = Whole()
    required = YesNo()  # type: ignore[assignment]
    weight = Whole(min_value=1)
    min_role = serializers.ChoiceField(choices=Role.choices)
    estimate_minutes = Whole(min_value=0)
    status = serializers.ChoiceField(choices=TaskState.Status.choices)
    # An argument of every field is called so too; here it is a field.
    source = serializers.ChoiceField(choices=TaskState.Source.choices)  # type: ignore[assignment]
    checkable = YesNo()
    auto_detected = YesNo()
    depends_on = serializers.ListField(child=Text())
    blocked_by = serializers.ListField(child=Text())
    action_url = Text(allow_null=True)
    completed_at = Moment(allow_null=True)
    completed_by = SetupPersonOutput(allow_null=True)
    reason = Lines(allow_null=True)
    last_checked_at = Moment(allow_null=True)
    detail = Text(allow_null=True)


class SetupOutput(Shape):
    """``nextTask`` and ``newTasks`` are codes; the latter are required and came after the set-up was completed."""

    status = serializers.ChoiceField(choices=STATUSES)
    progress = SetupProgressOutput()
    completed_at = Moment(allow_null=True)
    completed_by = SetupPersonOutput(allow_null=True)
    can_complete = YesNo()
    new_tasks = serializers.ListField(child=Text())
    next_task = Text(allow_null=True)
    tasks = SetupTaskOutput(many=True)


class SetupTaskInput(Shape):
    status = serializers.ChoiceField(choices=TaskState.Status.choices)
    reason = Lines(required=False, allow_blank=True, max_length=500)
    force = YesNo(required=False)


class SetupTaskChangedOutput(Shape):
    task = SetupTaskOutput()
    progress = SetupProgressOutput()


class SetupMoveOutput(Shape):
    code = Text()
    to = serializers.ChoiceField(choices=TaskState.Status.choices)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # A word of the language.
        return {"from": serializers.ChoiceField(choices=TaskState.Status.choices), **super().get_fields()}


class SetupCheckErrorOutput(Shape):
    code = Text()
    error = serializers.ChoiceField(choices=CHECK_ERRORS)


class SetupCheckedOutput(Shape):
    checked = Whole(min_value=0)
    changed = SetupMoveOutput(many=True)
    errors = SetupCheckErrorOutput(many=True)  # type: ignore[assignment]
    progress = SetupProgressOutput()
    duration_ms = Whole(min_value=0)
