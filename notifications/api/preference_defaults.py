"""``/notifications/preferences/defaults``: what the company wants people to be told."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import errors
from notifications.api.serializers import ENFORCED, on_or_off
from notifications.catalog import DEFAULTS_MANAGE
from notifications.channels import CHANNELS
from notifications.models import TenantPreference
from notifications.services.preference_defaults import default_set
from notifications.wishes import EVERYTHING
from platform_site.api.docs import operation
from platform_site.api.permissions import Needs
from platform_site.api.serializers import Moment, Shape, Text, YesNo
from platform_site.api.views import ApiView
from platform_site.notification_events import IN_APP, notification_events

DEFAULT = {
    "eventKey": "sales.lead_assigned",
    "channel": "email",
    "systemDefault": True,
    "tenantDefault": False,
    "enforced": None,
    "mandatory": False,
    "updatedAt": "2026-11-23T08:00:00.000Z",
}


class DefaultInput(Shape):
    """What is not named stays; null says nothing any more. ``eventKey`` may be ``*``: every event."""

    event_key = Text(max_length=80)
    channel = Text(max_length=20)
    default_enabled = YesNo(required=False, allow_null=True)
    enforced = serializers.ChoiceField(choices=ENFORCED, required=False, allow_null=True)


class DefaultOutput(Shape):
    """``tenantDefault`` counts for who chose nothing, ``enforced`` for everybody. What is mandatory is always on."""

    event_key = Text()
    channel = Text()
    system_default = YesNo(allow_null=True)
    tenant_default = YesNo(allow_null=True)
    enforced = serializers.ChoiceField(choices=ENFORCED, allow_null=True)
    mandatory = YesNo()
    updated_at = Moment(allow_null=True)


class DefaultsView(ApiView):
    access = Needs(DEFAULTS_MANAGE)

    @operation(
        id="notifications_defaults",
        summary="What the company wants of every event on every channel",
        description="First those for `*`, every event, which count where the event itself says nothing;"
        " they have no `systemDefault`.",
        output=DefaultOutput,
        listed="all",
        example=DEFAULT,
    )
    def get(self, request: Request) -> Response:
        rows = {(row.event_key, row.channel): row for row in TenantPreference.objects.all()}
        pairs = [(EVERYTHING, channel) for channel in (IN_APP, *CHANNELS)]
        pairs += [(event.key, channel) for event in notification_events for channel in event.channels]
        return Response([_present(*pair, rows.get(pair)) for pair in pairs])

    @operation(
        id="notifications_defaults_set",
        summary="Set what the company wants of an event on a channel",
        description="`defaultEnabled` counts for who chose nothing, `enforced` for everybody: nobody can choose"
        " otherwise. What is not named stays, null takes it back. What is mandatory cannot be turned off.",
        input=DefaultInput,
        output=DefaultOutput,
        example_in={"eventKey": "sales.lead_assigned", "channel": "email", "defaultEnabled": False},
        example=DEFAULT,
        errors=[
            errors.UNKNOWN_EVENT,
            errors.UNKNOWN_CHANNEL,
            errors.CHANNEL_NOT_SUPPORTED,
            errors.PREFERENCE_LOCKED,
        ],
    )
    def put(self, request: Request) -> Response:
        data = self.read(DefaultInput)
        event_key, channel = data["event_key"], data["channel"]
        changes: dict[str, bool | None] = {}
        if "default_enabled" in data:
            changes["default_enabled"] = data["default_enabled"]
        if "enforced" in data:
            changes["enforced"] = None if data["enforced"] is None else data["enforced"] == "on"
        default_set(event_key=event_key, channel=channel, changes=changes)
        row = TenantPreference.objects.filter(event_key=event_key, channel=channel).first()
        return Response(_present(event_key, channel, row))

    patch = put


def _present(event_key: str, channel: str, row: TenantPreference | None) -> dict[str, Any]:
    event = notification_events.get(event_key) if event_key != EVERYTHING else None
    shown = {
        "event_key": event_key,
        "channel": channel,
        "system_default": event.channels[channel] if event else None,
        "tenant_default": row.default_enabled if row else None,
        "enforced": on_or_off(row.enforced) if row else None,
        "mandatory": event is not None and channel in event.mandatory,
        "updated_at": row.updated_at if row else None,
    }
    return dict(DefaultOutput(shown).data)
