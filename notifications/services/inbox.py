"""Reading and putting away what one was told. Every change gives the count that is left."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from notifications.frames import Frame, Kind, publish_on_commit
from notifications.models import Delivery, Notification
from notifications.selectors import inbox, notification_find, unread_count
from notifications.services.delivering import DELIVER
from platform_site.moments import wire_time
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
    return _changed("read", user_id, told)


@transaction.atomic
def notifications_read_all(*, user_id: int, before: datetime | None = None) -> Changed:
    """Mark everything from before then as read, by default until now, so that what comes in meanwhile stays unread."""
    now = timezone.now()
    before = min(before or now, now)
    rows = inbox(user_id=user_id, unread=True).filter(created_at__lte=before).order_by()
    ids = list(rows.select_for_update(of=("self",)).values_list("id", flat=True))
    Notification.objects.filter(id__in=ids).update(read_at=now)
    _call_back(ids)
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


def _call_back(notification_ids: list[UUID]) -> None:
    """Mails about these that still wait are pointless now."""
    waiting = Delivery.objects.filter(notification_id__in=notification_ids, status=Delivery.Status.PENDING)
    ids = list(waiting.values_list("id", flat=True))
    if not ids:
        return
    jobs_drop(kind=DELIVER, subject_ids=ids)
    waiting.update(status=Delivery.Status.SUPPRESSED, reason="already_read", held_until=None)
