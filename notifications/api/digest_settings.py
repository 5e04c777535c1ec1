"""``/notifications/analytics/digest/settings``: one's own digests."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.serializers import WallTime
from notifications.models import DigestSetting
from notifications.services.digest_settings import DigestChanges, DigestState, digest_settings_set, digest_state
from platform_site.api.docs import operation
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.locale_fields import TimeZone
from platform_site.api.permissions import SignedIn
from platform_site.api.serializers import Moment, Shape, Text, Whole, YesNo
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.notification_events import EMAIL

FREQUENCIES = DigestSetting.Frequency.values
SETTINGS = {
    "enabled": True,
    "frequency": "daily",
    "time": "09:00",
    "dayOfWeek": 1,
    "timezone": "America/New_York",
    "timezoneSource": "own",
    "channels": ["email"],
    "skipIfEmpty": True,
    "nextRunAt": "2026-11-23T14:00:00.000Z",
}


class DigestSettingsInput(Shape):
    """What is not named stays. A null ``timezone``: one's own. ``channels`` and ``skipIfEmpty`` have one value each."""

    enabled = YesNo(required=False)
    frequency = serializers.ChoiceField(choices=FREQUENCIES, required=False)
    time = WallTime(required=False)
    day_of_week = Whole(required=False, min_value=1, max_value=7)
    timezone = TimeZone(required=False, allow_null=True, max_length=64)
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=(EMAIL,)), required=False, min_length=1, max_length=1
    )
    skip_if_empty = YesNo(required=False)

    def validate_skipIfEmpty(self, value: bool) -> bool:
        if not value:
            raise ValidationError("A digest with nothing in it is never sent.", code="invalid")
        return value


class DigestSettingsOutput(Shape):
    """``dayOfWeek`` counts for weekly ones, Monday is 1. ``nextRunAt`` is null where there are none."""

    enabled = YesNo()
    frequency = serializers.ChoiceField(choices=FREQUENCIES)
    time = WallTime()
    day_of_week = Whole(min_value=1, max_value=7)
    timezone = Text()
    timezone_source = serializers.ChoiceField(choices=("own", "profile"))
    channels = serializers.ListField(child=serializers.ChoiceField(choices=(EMAIL,)))
    skip_if_empty = YesNo()
    next_run_at = Moment(allow_null=True)


class DigestSettingsView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    when_unpaid = WhenUnpaid.CONTINUES
    access = SignedIn()

    @operation(
        id="notifications_digest_settings",
        summary="How often one wants one mail for many notifications, and when the next comes",
        output=DigestSettingsOutput,
        example=SETTINGS,
    )
    def get(self, request: Request) -> Response:
        return Response(_present(digest_state(user_id=self.identity.user_id)))

    @operation(
        id="notifications_digest_settings_set",
        summary="Change one's own digests",
        description="What is not named stays. `enabled` false and `frequency` off are the same; turned on without a"
        " frequency they are daily. `time` and `dayOfWeek` are wall times of `timezone`, hourly ones come at every full"
        " hour there. A time that the change to summer time leaves out falls on the change. Without anything to tell"
        " there is no mail.",
        input=DigestSettingsInput,
        output=DigestSettingsOutput,
        example_in={"enabled": True, "frequency": "daily", "time": "09:00", "timezone": "America/New_York"},
        example=SETTINGS,
    )
    def put(self, request: Request) -> Response:
        data = self.read(DigestSettingsInput)
        changes = DigestChanges(
            enabled=data.get("enabled"),
            frequency=data.get("frequency"),
            minute=data.get("time"),
            day_of_week=data.get("day_of_week"),
            timezone=(data["timezone"] or "") if "timezone" in data else None,
        )
        return Response(_present(digest_settings_set(actor=self.identity, changes=changes)))

    patch = put


def _present(state: DigestState) -> dict[str, Any]:
    row = state.row
    shown = {
        "enabled": row.frequency != DigestSetting.Frequency.OFF,
        "frequency": row.frequency,
        "time": row.minute,
        "day_of_week": row.day_of_week,
        "timezone": state.zone,
        "timezone_source": "own" if row.timezone else "profile",
        "channels": [EMAIL],
        "skip_if_empty": True,
        "next_run_at": state.next_run_at,
    }
    return dict(DigestSettingsOutput(shown).data)
