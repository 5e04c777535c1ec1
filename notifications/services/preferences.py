"""What people choose for themselves, event by event and channel by channel."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from notifications import catalog, errors
from notifications.channels import CHANNELS
from notifications.models import Preference
from notifications.wishes import wish
from platform_site.api.identity import Identity
from platform_site.errors import ErrorCode, FieldError, PlatformError
from platform_site.journal.services import record
from platform_site.notification_events import IN_APP, NotificationEvent, notification_events


@dataclass(frozen=True, slots=True)
class Choice:
    """``enabled`` None: back to the default."""

    event_key: str
    channel: str
    enabled: bool | None


@transaction.atomic
def preferences_set(*, actor: Identity, choices: Sequence[Choice]) -> None:
    """Keep all of these choices, or none. The same choice again changes nothing.

    Raises ``unknown_event``, ``unknown_channel``, ``channel_not_supported``, or
    ``preference_locked`` when something mandatory is to be turned off.
    """
    for choice in choices:
        event = _event(choice)
        if choice.enabled is False and wish(event, choice.channel, None).locked:
            raise _refused(errors.PREFERENCE_LOCKED, "enabled")
    for choice in choices:
        _keep(actor.user_id, choice)
    record(
        catalog.PREFERENCE_CHANGED,
        subject=("user", actor.user_uuid),
        data={"choices": [{"eventKey": one.event_key, "channel": one.channel, "on": one.enabled} for one in choices]},
    )


def _event(choice: Choice) -> NotificationEvent:
    if choice.event_key not in notification_events:
        raise _refused(errors.UNKNOWN_EVENT, "eventKey")
    event = notification_events.get(choice.event_key)
    if choice.channel not in (IN_APP, *CHANNELS):
        raise _refused(errors.UNKNOWN_CHANNEL, "channel")
    if choice.channel not in event.channels:
        raise _refused(errors.CHANNEL_NOT_SUPPORTED, "channel")
    return event


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


def _refused(code: ErrorCode, field: str) -> PlatformError:
    return PlatformError(code, details=[FieldError(field, code.key, code.message)])
