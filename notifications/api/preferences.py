"""``/notifications/preferences``: what one wants to be told, on which channels, and when not."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    on_or_off,
    present_quiet,
)
from notifications.models import Preference
from notifications.selectors import chosen, policy
from notifications.services.do_not_disturb import KEEP, QuietChanges, quiet_hours_set, quiet_state
from notifications.services.preferences import Choice, events_named, preferences_set
from notifications.wishes import EVERYTHING, Policy, Wish, keys_of, module_key, wish
from platform_site.api.docs import operation
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.permissions import SignedIn
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.notification_events import NotificationEvent, notification_events

Rows = Mapping[tuple[int, str, str], Preference]


@dataclass(frozen=True, slots=True)
class _Own:
    """What one person chose, among the other layers."""

    user_id: int
    rows: Rows
    company: Policy

    @classmethod
    def of(cls, user_id: int) -> "_Own":
        return cls(user_id, chosen(user_ids=[user_id]), policy())

    def row(self, event_key: str, channel: str) -> Preference | None:
        return self.rows.get((self.user_id, event_key, channel))

    def wish(self, event: NotificationEvent, channel: str) -> Wish:
        said = {(key, channel): row.enabled for key in keys_of(event.key) if (row := self.row(key, channel))}
        return wish(event, channel, self.company, said)

    def preference(self, event_key: str, channel: str) -> dict[str, Any]:
        """Of a group, what was chosen for it, and else whether any of its events is on."""
        row = self.row(event_key, channel)
        wishes = [self.wish(event, channel) for event in events_named(event_key, channel)]
        decided = next((one for one in wishes if one.enabled), wishes[0])
        if row is not None and event_key not in notification_events:
            decided = Wish(row.enabled, "user")
        shown = {
            "event_key": event_key,
            "channel": channel,
            "enabled": decided.enabled,
            "source": decided.source,
            "locked": all(one.locked for one in wishes),
            "is_overridden": row is not None,
            "updated_at": row.updated_at if row else None,
        }
        return dict(PreferenceOutput(shown).data)

    def merged(self) -> list[dict[str, Any]]:
        groups = {EVERYTHING, *(module_key(event.key) for event in notification_events)}
        pairs = sorted((key, channel) for _, key, channel in self.rows if key in groups)
        pairs += [(event.key, channel) for event in notification_events for channel in event.channels]
        return [self.preference(*pair) for pair in pairs]


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
                            "tenantDefault": None,
                            "enforced": None,
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
        own = _Own.of(self.identity.user_id)
        modules: dict[str, list[dict[str, Any]]] = {}
        for event in notification_events:
            modules.setdefault(event.module, []).append(_event(event, own))
        return Response([{"module": module, "events": events} for module, events in modules.items()])


def _event(event: NotificationEvent, own: _Own) -> dict[str, Any]:
    return {
        "eventKey": event.key,
        "label": event.label,
        "description": event.description,
        "category": event.category,
        "severity": event.severity,
        "channels": [_channel(event, channel, own) for channel in event.channels],
    }


def _channel(event: NotificationEvent, channel: str, own: _Own) -> dict[str, Any]:
    found, row = own.wish(event, channel), own.row(event.key, channel)
    return {
        "channel": channel,
        "systemDefault": event.channels[channel],
        "tenantDefault": own.company.default(event.key, channel),
        "enforced": on_or_off(own.company.insists(event.key, channel)),
        "locked": found.locked,
        "userValue": row.enabled if row else None,
        "isOverridden": row is not None,
        "effective": found.enabled,
    }


class PreferencesView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    when_unpaid = WhenUnpaid.CONTINUES
    access = SignedIn()

    @operation(
        id="notifications_preferences",
        summary="What counts for every event and channel: one's own choices over the defaults",
        description="What one chose for groups of events, as `sales.*` or `*`, comes first.",
        output=PreferenceOutput,
        listed="all",
        example=examples.PREFERENCE,
    )
    def get(self, request: Request) -> Response:
        return Response(_Own.of(self.identity.user_id).merged())

    @operation(
        id="notifications_preferences_set",
        summary="Turn one event on one channel on or off",
        description="`eventKey` may be a group: all events of a module, as `sales.*`, or `*`. Of those choices the one"
        " for the event counts first, then its module's, then the one for all. null goes back to the default. What is"
        " mandatory, or what the company insists on, cannot be changed.",
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
        return Response(_Own.of(self.identity.user_id).preference(choice.event_key, choice.channel))

    patch = post = put


class DoNotDisturbView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    when_unpaid = WhenUnpaid.CONTINUES
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
