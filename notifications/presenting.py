"""A notification as clients see it, in answers and in frames alike."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from notifications.models import Notification
from platform_site.moments import wire_time
from platform_site.notification_events import notification_events


def present_notification(told: Notification, names: Mapping[UUID, str]) -> dict[str, Any]:
    """``names`` are of those who caused it, by id; an actor who is not among them is left out."""
    known = told.event_key in notification_events
    event = notification_events.get(told.event_key) if known else None
    name = names.get(told.actor_id) if told.actor_id else None
    return {
        "id": str(told.id),
        "eventKey": told.event_key,
        "module": told.event_key.partition(".")[0],
        "severity": event.severity if event else "normal",
        "title": told.title,
        "body": told.body,
        "actionUrl": told.action_url or None,
        "data": told.data,
        "actor": {"id": str(told.actor_id), "displayName": name} if name is not None else None,
        "isRead": told.read_at is not None,
        "readAt": wire_time(told.read_at) if told.read_at else None,
        "createdAt": wire_time(told.created_at),
    }
