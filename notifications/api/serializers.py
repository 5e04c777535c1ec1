"""What notifications look like on the wire."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.refs import PersonRef
from notifications.models import Notification
from notifications.presenting import present_notification
from notifications.quiet_hours import parse_wall_time, wall_time
from notifications.selectors import actors
from notifications.services.do_not_disturb import QuietState
from platform_site.api.locale_fields import TimeZone
from platform_site.api.pagination import PageMeta
from platform_site.api.serializers import FreeMap, Moment, Shape, Text, Whole, YesNo

SEVERITIES = ("low", "normal", "high", "urgent")
CATEGORIES = ("security", "transactional", "activity")
ENFORCED = ("on", "off")
SOURCES = ("mandatory", "enforced", "user", "tenant", "system")


class ActorOutput(Shape):
    id = serializers.UUIDField()
    display_name = Text()


class NotificationOutput(Shape):
    """``actor`` is who caused it, null for the platform itself."""

    id = serializers.UUIDField()
    event_key = Text()
    module = Text()
    severity = serializers.ChoiceField(choices=SEVERITIES)
    title = Text()
    body = Text()
    action_url = Text(allow_null=True)
    # A map whose keys are the event's own.
    data = FreeMap()
    actor = ActorOutput(allow_null=True)
    is_read = YesNo()
    read_at = Moment(allow_null=True)
    created_at = Moment()


class InboxMeta(PageMeta):
    unread_count = Whole(min_value=0)


class UnreadCountOutput(Shape):
    count = Whole(min_value=0)
    capped = YesNo()


class ReadOutput(Shape):
    notification = NotificationOutput()
    unread_count = Whole(min_value=0)


class ReadAllInput(Shape):
    before = Moment(required=False)


class ReadAllOutput(Shape):
    updated = Whole(min_value=0)
    unread_count = Whole(min_value=0)


class DismissedOutput(Shape):
    id = serializers.UUIDField()
    dismissed = YesNo()
    unread_count = Whole(min_value=0)


class PreferenceOutput(Shape):
    """``source`` is the layer that decided; what is locked cannot be changed."""

    event_key = Text()
    channel = Text()
    enabled = YesNo()
    # An argument of every field is called so too; here it is a field.
    source = serializers.ChoiceField(choices=SOURCES)  # type: ignore[assignment]
    locked = YesNo()
    is_overridden = YesNo()
    updated_at = Moment(allow_null=True)


class ChannelStateOutput(Shape):
    """``tenantDefault`` is the company's, ``enforced`` what it insists on; null where it says nothing."""

    channel = Text()
    system_default = YesNo()
    tenant_default = YesNo(allow_null=True)
    enforced = serializers.ChoiceField(choices=ENFORCED, allow_null=True)
    locked = YesNo()
    user_value = YesNo(allow_null=True)
    is_overridden = YesNo()
    effective = YesNo()


class EventOutput(Shape):
    event_key = Text()
    # Arguments of every field are called so too; here they are fields.
    label = Text()  # type: ignore[assignment]
    description = Text()
    category = serializers.ChoiceField(choices=CATEGORIES)
    severity = serializers.ChoiceField(choices=SEVERITIES)
    channels = ChannelStateOutput(many=True)


class ModuleOutput(Shape):
    module = Text()
    events = EventOutput(many=True)


class PreferenceInput(Shape):
    """``eventKey``: an event, all of a module as ``sales.*``, or ``*``. ``enabled`` null goes back to the default."""

    event_key = Text(max_length=80)
    channel = Text(max_length=20)
    enabled = YesNo(allow_null=True)


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
class WallTime(Text):
    """``HH:MM``, as minutes after midnight."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return parse_wall_time(super().to_internal_value(data))
        except ValueError:
            raise ValidationError("Give the time as 22:00.", code="invalid") from None

    def to_representation(self, value: Any) -> str:
        return wall_time(value)


class QuietHoursInput(Shape):
    """What is not named stays. ``days``: on which they begin, Monday is 1. A null ``timezone``: one's own."""

    enabled = YesNo(required=False)
    start_time = WallTime(required=False)
    end_time = WallTime(required=False)
    timezone = TimeZone(required=False, allow_null=True, max_length=64)
    days = serializers.ListField(child=Whole(min_value=1, max_value=7), required=False, max_length=7)
    snooze_until = Moment(required=False, allow_null=True)


class QuietHoursOutput(Shape):
    """``until``: when the present quiet ends. ``nextStart``: when the next begins."""

    enabled = YesNo()
    start_time = WallTime()
    end_time = WallTime()
    timezone = Text()
    timezone_source = serializers.ChoiceField(choices=("own", "profile"))
    days = serializers.ListField(child=Whole())
    snooze_until = Moment(allow_null=True)
    allow_urgent = YesNo()
    is_active = YesNo()
    until = Moment(allow_null=True)
    next_start = Moment(allow_null=True)


class RaiseInput(Shape):
    """``data`` fills the event's texts. The same ``dedupKey`` tells one person once."""

    event_key = Text(max_length=80)
    user_ids = serializers.ListField(child=PersonRef(), min_length=1, max_length=1000)
    data = FreeMap(required=False)
    dedup_key = Text(required=False, max_length=64)


class RaisedOutput(Shape):
    told = Whole(min_value=0)


def on_or_off(value: bool | None) -> str | None:
    """What the company insists on, as clients see it."""
    return None if value is None else ENFORCED[not value]


def present_inbox(told: Sequence[Notification]) -> list[dict[str, Any]]:
    names = actors(told)
    return [present_notification(one, names) for one in told]


def present_quiet(state: QuietState) -> dict[str, Any]:
    row = state.row
    shown = {
        "enabled": row.enabled,
        "start_time": row.start_minute,
        "end_time": row.end_minute,
        "timezone": state.zone,
        "timezone_source": "own" if row.timezone else "profile",
        "days": row.days,
        "snooze_until": row.snooze_until,
        "allow_urgent": True,
        "is_active": state.until is not None,
        "until": state.until,
        "next_start": state.next_start,
    }
    return dict(QuietHoursOutput(shown).data)
