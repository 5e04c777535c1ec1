"""Reading and putting away what one was told. Every change gives the count that is left."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from notifications.counting import Change, count
from notifications.frames import Frame, Kind, publish_on_commit
from notifications.models import Delivery, Notification
from notifications.selectors import inbox, notification_find, unread_count
from notifications.services.delivering import DELIVER
from notifications.services.outcomes import deliveries_suppressed
from platform_site.moments import wire_time
from platform_site.notification_events import IN_APP
from platform_site.outbox.services import jobs_drop


@dataclass(frozen=True, slots=True)
class Changed:
    """``count``: how many changed now, 0 when it was so already."""

    notification: Notification | None
    count: int
    unread: int


@transaction.atomic
def notification_read(*, user_id: int, notification_id: UUID) -> Changed:
    """Mark one as read; the first time counts. Its mail that still waits is not sent. Raises ``not_found``."""
    told = notification_find(user_id=user_id, notification_id=notification_id, lock=True)
    if told.read_at is not None:
        return Changed(told, 0, unread_count(user_id=user_id))
    told.read_at = timezone.now()
    told.save(update_fields=["read_at"])
    _call_back([told.id])
    count([_opened(told)])
    return _changed("read", user_id, told)


@transaction.atomic
def notifications_read_all(*, user_id: int, before: datetime | None = None) -> Changed:
    """Mark everything from before then as read, by default until now, so that what comes in meanwhile stays unread."""
    now = timezone.now()
    before = min(before or now, now)
    rows = inbox(user_id=user_id, unread=True).filter(created_at__lte=before).order_by()
    unread_ones = list(rows.select_for_update(of=("self",)).only("id", "event_key", "created_at"))
    ids = [one.id for one in unread_ones]
    Notification.objects.filter(id__in=ids).update(read_at=now)
    _call_back(ids)
    count(_opened(one) for one in unread_ones)
    unread = unread_count(user_id=user_id)
    if ids:
        publish_on_commit([Frame("readAll", user_id, unread, {"before": wire_time(before)})])
    return Changed(None, len(ids), unread)


@transaction.atomic
def notification_dismiss(*, user_id: int, notification_id: UUID) -> Changed:
    """Put one away for good. Raises ``not_found``, also the second time."""
    told = notification_find(user_id=user_id, notification_id=notification_id, lock=True)
    told.dismissed_at = timezone.now()
    told.save(update_fields=["dismissed_at"])
    _call_back([told.id])
    return _changed("dismissed", user_id, told)


def _changed(kind: Kind, user_id: int, told: Notification) -> Changed:
    unread = unread_count(user_id=user_id)
    publish_on_commit([Frame(kind, user_id, unread, {"id": str(told.id)})])
    return Changed(told, 1, unread)


def _opened(told: Notification) -> Change:
    return Change(told.event_key, IN_APP, told.created_at, {"opened": 1})


def _call_back(notification_ids: list[UUID]) -> None:
    """Mails about these that still wait are pointless now. What is in a digest is looked at when it is sent."""
    waiting = Delivery.objects.select_related("notification").filter(
        notification_id__in=notification_ids, status=Delivery.Status.PENDING, digest=None
    )
    found = list(waiting)
    if found:
        jobs_drop(kind=DELIVER, subject_ids=[one.pk for one in found])
        deliveries_suppressed(found, "already_read")
