"""What people choose for themselves, event by event and channel by channel."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from notifications import catalog, errors
from notifications.channels import CHANNELS
from notifications.models import Preference
from notifications.selectors import policy
from notifications.wishes import EVERYTHING, Policy, module_key, wish
from platform_site.api.identity import Identity
from platform_site.errors import invalid_field
from platform_site.journal.services import record
from platform_site.notification_events import IN_APP, NotificationEvent, notification_events


@dataclass(frozen=True, slots=True)
class Choice:
    """``event_key`` may be a group of events, "sales.*" or "*". ``enabled`` None: back to the default."""

    event_key: str
    channel: str
    enabled: bool | None


@transaction.atomic
def preferences_set(*, actor: Identity, choices: Sequence[Choice]) -> None:
    """Keep all of these choices, or none. The same choice again changes nothing.

    What is locked keeps no choice: one that says the same is fine and is not
    needed. Raises ``unknown_event``, ``unknown_channel``, ``channel_not_supported``,
    or ``preference_locked`` when what is locked is to be turned the other way.
    """
    company = policy()
    kept = [choice for choice in choices if not _is_locked(choice, company)]
    for choice in kept:
        _keep(actor.user_id, choice)
    record(
        catalog.PREFERENCE_CHANGED,
        subject=("user", actor.user_uuid),
        data={"choices": [{"eventKey": one.event_key, "channel": one.channel, "on": one.enabled} for one in choices]},
    )


def events_named(event_key: str, channel: str) -> Sequence[NotificationEvent]:
    """The event of this key, or those of the group, that go through this channel.

    Raises ``unknown_event``, ``unknown_channel`` or ``channel_not_supported``.
    """
    named = [event for event in notification_events if event_key in (event.key, module_key(event.key), EVERYTHING)]
    if not named:
        raise invalid_field("eventKey", errors.UNKNOWN_EVENT)
    if channel not in (IN_APP, *CHANNELS):
        raise invalid_field("channel", errors.UNKNOWN_CHANNEL)
    found = [event for event in named if channel in event.channels]
    if not found:
        raise invalid_field("channel", errors.CHANNEL_NOT_SUPPORTED)
    return found


def _is_locked(choice: Choice, company: Policy) -> bool:
    """Whether this choice says what is so anyway. A group is locked when each of its events is."""
    wishes = [wish(event, choice.channel, company, {}) for event in events_named(choice.event_key, choice.channel)]
    if choice.enabled is None or not all(one.locked for one in wishes):
        return False
    if not any(one.enabled == choice.enabled for one in wishes):
        message = "Your company has turned this notification off." if choice.enabled else ""
        raise invalid_field("enabled", errors.PREFERENCE_LOCKED, message)
    return True


def _keep(user_id: int, choice: Choice) -> None:
    key = {"user_id": user_id, "event_key": choice.event_key, "channel": choice.channel}
    if choice.enabled is None:
        Preference.objects.filter(**key).delete()
        return
    Preference.objects.bulk_create(
        [Preference(**key, enabled=choice.enabled)],
        update_conflicts=True,
        unique_fields=["user", "event_key", "channel"],
        update_fields=["enabled", "updated_at"],
    )
