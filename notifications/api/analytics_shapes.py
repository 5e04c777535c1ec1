"""What analytics look like on the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from platform_site.api.serializers import Moment, Shape, Text, Whole, YesNo

SCOPES = ("tenant", "me")


class Rate(serializers.FloatField):
    """From 0 to 1; null where it would be over nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_null": True, **options})


@extend_schema_field({"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}})
class ByReason(serializers.DictField):
    """Counts by reason."""


class PeriodOutput(Shape):
    """Both days are included; they are those of this time zone."""

    to = serializers.DateField()
    timezone = Text()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # No attribute can be called so.
        return {"from": serializers.DateField(), **super().get_fields()}


class CountedOutput(Shape):
    created = Whole(min_value=0)
    suppressed = Whole(min_value=0)
    deferred = Whole(min_value=0)
    queued = Whole(min_value=0)
    sent = Whole(min_value=0)
    delivered = Whole(min_value=0)
    bounced = Whole(min_value=0)
    failed = Whole(min_value=0)
    opened = Whole(min_value=0)
    machine_opened = Whole(min_value=0)
    clicked = Whole(min_value=0)
    complained = Whole(min_value=0)
    unsubscribed = Whole(min_value=0)
    delivery_rate = Rate()
    open_rate = Rate()
    click_rate = Rate()
    failure_rate = Rate()


class NoticedOutput(Shape):
    """What is noticed on the channel."""

    delivered = YesNo()
    opens = YesNo()
    clicks = YesNo()


class EventCountedOutput(CountedOutput):
    event_key = Text()


class ChannelCountedOutput(CountedOutput):
    channel = Text()
    tracking = NoticedOutput()


class DayCountedOutput(Shape):
    date = serializers.DateField()
    created = Whole(min_value=0)
    suppressed = Whole(min_value=0)
    sent = Whole(min_value=0)
    delivered = Whole(min_value=0)
    failed = Whole(min_value=0)
    opened = Whole(min_value=0)
    clicked = Whole(min_value=0)


class TrackingOutput(Shape):
    """What the company's settings track in mails."""

    opens = YesNo()
    clicks = YesNo()


class AnalyticsMetaOutput(Shape):
    """``attribution``: everything counts for the day on which the delivery was created."""

    generated_at = Moment()
    attribution = serializers.ChoiceField(choices=("created",))
    tracking = TrackingOutput()


class AnalyticsOutput(Shape):
    period = PeriodOutput()
    scope = serializers.ChoiceField(choices=SCOPES)
    overview = CountedOutput()
    suppressed_by_reason = ByReason()
    by_event = EventCountedOutput(many=True)
    by_channel = ChannelCountedOutput(many=True)
    daily_trend = DayCountedOutput(many=True)
    meta = AnalyticsMetaOutput()


class DigestDayOutput(Shape):
    date = serializers.DateField()
    digests_sent = Whole(min_value=0)
    items_delivered = Whole(min_value=0)
    skipped_empty = Whole(min_value=0)
    failed = Whole(min_value=0)
    opened = Whole(min_value=0)
    clicked = Whole(min_value=0)


class SubscribersOutput(Shape):
    """People by how often they want digests."""

    off = Whole(min_value=0)
    hourly = Whole(min_value=0)
    daily = Whole(min_value=0)
    weekly = Whole(min_value=0)


class DigestAnalyticsOutput(Shape):
    period = PeriodOutput()
    scope = serializers.ChoiceField(choices=SCOPES)
    digests_sent = Whole(min_value=0)
    items_delivered = Whole(min_value=0)
    avg_items_per_digest = serializers.FloatField(allow_null=True)
    skipped_empty = Whole(min_value=0)
    failed = Whole(min_value=0)
    opened = Whole(min_value=0)
    clicked = Whole(min_value=0)
    subscribers = SubscribersOutput()
    daily_trend = DigestDayOutput(many=True)
