"""``/notifications/preferences``: what one wants to be told, on which channels, and when not."""

from collections.abc import Iterator
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from notifications import errors
from notifications.api import examples
from notifications.api.serializers import (
    ModuleOutput,
    PreferenceInput,
    PreferenceOutput,
    QuietHoursInput,
    QuietHoursOutput,
    present_quiet,
)
from notifications.models import Preference
from notifications.selectors import chosen
from notifications.services.do_not_disturb import KEEP, QuietChanges, quiet_hours_set, quiet_state
from notifications.services.preferences import Choice, preferences_set
from notifications.wishes import wish
from platform_site.api.docs import operation
from platform_site.api.permissions import SignedIn
from platform_site.api.views import ApiView
from platform_site.notification_events import NotificationEvent, notification_events

Rows = dict[tuple[int, str, str], Preference]


def _preference(event: NotificationEvent, channel: str, row: Preference | None) -> dict[str, Any]:
    found = wish(event, channel, row.enabled if row else None)
    shown = {
        "event_key": event.key,
        "channel": channel,
        "enabled": found.enabled,
        "source": found.source,
        "locked": found.locked,
        "is_overridden": row is not None,
        "updated_at": row.updated_at if row else None,
    }
    return dict(PreferenceOutput(shown).data)


def _merged(user_id: int, rows: Rows) -> Iterator[dict[str, Any]]:
    for event in notification_events:
        for channel in event.channels:
            yield _preference(event, channel, rows.get((user_id, event.key, channel)))


class CatalogView(ApiView):
    access = SignedIn()

    @operation(
        id="notifications_preferences_catalog",
        summary="Every event by module, with the channels it goes through and what counts on each",
        output=ModuleOutput,
        listed="all",
        example={
            "module": "sales",
            "events": [
                {
                    "eventKey": "sales.lead_assigned",
                    "label": "A lead was assigned to you",
                    "description": "When somebody gives you a sales lead.",
                    "category": "transactional",
                    "severity": "normal",
                    "channels": [
                        {
                            "channel": "email",
                            "systemDefault": True,
                            "locked": False,
                            "userValue": False,
                            "isOverridden": True,
                            "effective": False,
                        }
                    ],
                }
            ],
        },
    )
    def get(self, request: Request) -> Response:
        user_id = self.identity.user_id
        rows = chosen(user_ids=[user_id])
        modules: dict[str, list[dict[str, Any]]] = {}
        for event in notification_events:
            modules.setdefault(event.module, []).append(_event(event, user_id, rows))
        return Response([{"module": module, "events": events} for module, events in modules.items()])


def _event(event: NotificationEvent, user_id: int, rows: Rows) -> dict[str, Any]:
    return {
        "eventKey": event.key,
        "label": event.label,
        "description": event.description,
        "category": event.category,
        "severity": event.severity,
        "channels": [_channel(event, channel, rows.get((user_id, event.key, channel))) for channel in event.channels],
    }


def _channel(event: NotificationEvent, channel: str, row: Preference | None) -> dict[str, Any]:
    found = wish(event, channel, row.enabled if row else None)
    return {
        "channel": channel,
        "systemDefault": event.channels[channel],
        "locked": found.locked,
        "userValue": row.enabled if row else None,
        "isOverridden": row is not None,
        "effective": found.enabled,
    }


class PreferencesView(ApiView):
    access = SignedIn()

    @operation(
        id="notifications_preferences",
        summary="What counts for every event and channel: one's own choices over the defaults",
        output=PreferenceOutput,
        listed="all",
        example=examples.PREFERENCE,
    )
    def get(self, request: Request) -> Response:
        user_id = self.identity.user_id
        return Response(list(_merged(user_id, chosen(user_ids=[user_id]))))

    @operation(
        id="notifications_preferences_set",
        summary="Turn one event on one channel on or off",
        description="null goes back to the default. What is mandatory cannot be turned off.",
        input=PreferenceInput,
        output=PreferenceOutput,
        example_in={"eventKey": "sales.lead_assigned", "channel": "email", "enabled": False},
        example=examples.PREFERENCE,
        errors=[
            errors.UNKNOWN_EVENT,
            errors.UNKNOWN_CHANNEL,
            errors.CHANNEL_NOT_SUPPORTED,
            errors.PREFERENCE_LOCKED,
        ],
    )
    def put(self, request: Request) -> Response:
        choice = Choice(**self.read(PreferenceInput))
        preferences_set(actor=self.identity, choices=[choice])
        user_id = self.identity.user_id
        rows = chosen(user_ids=[user_id], event_key=choice.event_key)
        row = rows.get((user_id, choice.event_key, choice.channel))
        return Response(_preference(notification_events.get(choice.event_key), choice.channel, row))

    patch = post = put


class DoNotDisturbView(ApiView):
    access = SignedIn()

    @operation(
        id="notifications_dnd",
        summary="One's quiet hours, and what they mean now",
        output=QuietHoursOutput,
        example=examples.QUIET_HOURS,
    )
    def get(self, request: Request) -> Response:
        return Response(present_quiet(quiet_state(user_id=self.identity.user_id)))

    @operation(
        id="notifications_dnd_set",
        summary="Change one's quiet hours",
        description="What is not named stays. Mail waits until they end, unless it is urgent. Hours that begin later"
        " than they end go over midnight. `snoozeUntil` is one quiet time from now on.",
        input=QuietHoursInput,
        output=QuietHoursOutput,
        example_in={"enabled": True, "startTime": "22:00", "endTime": "08:00", "timezone": "America/New_York"},
        example=examples.QUIET_HOURS,
        errors=[errors.EMPTY_WINDOW],
    )
    def put(self, request: Request) -> Response:
        data = self.read(QuietHoursInput)
        changes = QuietChanges(
            enabled=data.get("enabled"),
            start_minute=data.get("start_time"),
            end_minute=data.get("end_time"),
            timezone=(data["timezone"] or "") if "timezone" in data else None,
            days=tuple(data["days"]) if "days" in data else None,
            snooze_until=data.get("snooze_until", KEEP),
        )
        return Response(present_quiet(quiet_hours_set(actor=self.identity, changes=changes)))

    patch = put
