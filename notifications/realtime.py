"""Notifications on the socket: what came in since the last one that a client has seen."""

from typing import Any, Final
from uuid import UUID

from notifications.models import Notification
from notifications.presenting import present_notification
from platform_site.async_binding import Bound
from platform_site.realtime.ports import Greeting, Person, Source, sources
from platform_site.realtime.protocol import Close, Closing, SignIn

# More than this many are not pushed: the client loads its inbox.
PUSHED_AT_MOST: Final = 50

# The inbox's index has these, newest first.
_NEWEST: Final = """
SELECT id FROM notifications_notification
 WHERE user_id = %(user)s AND in_inbox AND dismissed_at IS NULL ORDER BY id DESC LIMIT 1
"""
_SINCE: Final = """
SELECT id, event_key, title, body, action_url, data, actor_id, created_at, read_at, unread.count AS unread
  FROM notifications_notification, (
       SELECT count(*) AS count FROM notifications_notification
        WHERE user_id = %(user)s AND in_inbox AND dismissed_at IS NULL AND read_at IS NULL) AS unread
 WHERE user_id = %(user)s AND in_inbox AND dismissed_at IS NULL AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""


async def greet(db: Bound, person: Person, hello: SignIn) -> Greeting:
    """The newest one's id; with ``lastNotificationId`` those that came after it, or ``refresh`` when they are many."""
    newest = await db.fetch(_NEWEST, {"user": person.user_id})
    ready = {"lastNotificationId": str(newest[0]["id"]) if newest else None}
    seen = _seen(hello)
    if seen is None or not newest or newest[0]["id"] <= seen:
        return Greeting(ready=ready)
    rows = await db.fetch(_SINCE, {"user": person.user_id, "after": seen, "limit": PUSHED_AT_MOST + 1})
    if len(rows) > PUSHED_AT_MOST:
        return Greeting(ready=ready, frames=[{"t": "refresh"}])
    return Greeting(ready=ready, frames=[_created(row) for row in rows])


def _seen(hello: SignIn) -> UUID | None:
    if hello.last_notification_id is None:
        return None
    try:
        return UUID(hello.last_notification_id)
    except ValueError:
        raise Closing(Close.BAD_FRAMES, "lastNotificationId has to be an id") from None


def _created(row: dict[str, Any]) -> dict[str, Any]:
    """As it would have been published."""
    unread = row.pop("unread")
    told = present_notification(Notification(**row), {})
    return {"t": "notification.created", "d": {**told, "unreadCount": unread}}


sources.add(Source("notifications", greet))
