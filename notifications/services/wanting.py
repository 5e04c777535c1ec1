"""Whether what was told is still worth sending."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from accounts.models import User
from notifications.models import Delivery
from notifications.selectors import layers
from notifications.wishes import Layers
from platform_site.notification_events import notification_events


def unwanted(deliveries: Sequence[Delivery]) -> Mapping[UUID, str]:
    """Why each of these need not go any more, "" when it has to. ``notification.user`` is loaded.

    People, reading and preferences are looked at again; how many queries that
    takes does not depend on how many they are.
    """
    decided = layers(user_ids={one.notification.user_id for one in deliveries})
    return {one.pk: _reason(one, decided) for one in deliveries}


def _reason(delivery: Delivery, decided: Layers) -> str:
    told = delivery.notification
    if told.user.status != User.Status.ACTIVE:
        return "user_inactive"
    if told.event_key not in notification_events:
        return "unknown_event"
    if told.read_at is not None or told.dismissed_at is not None:
        return "already_read"
    event = notification_events.get(told.event_key)
    if delivery.channel not in event.channels or not decided.wish(event, delivery.channel, told.user_id).enabled:
        return "preference"
    return ""
