"""Sending one delivery: the job that the outbox runs, outside of any transaction."""

from smtplib import SMTPRecipientsRefused
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notifications.channels import CHANNELS
from notifications.models import Delivery
from notifications.selectors import chosen
from notifications.wishes import wish
from platform_site.notification_events import notification_events
from platform_site.outbox.registry import job_kind

DELIVER = "notifications.deliver"


@job_kind(DELIVER)
def deliver(delivery_id: UUID) -> None:
    """Send it unless something has happened since that makes it pointless.

    Whatever a mail server says that may pass is raised, and the outbox tries
    again for about two hours. What it refuses for good is written down. A crash
    between the server's yes and our mark sends the mail again under the same
    Message-ID.
    """
    delivery = (
        Delivery.objects.select_related("notification__user")
        .filter(id=delivery_id, status=Delivery.Status.PENDING)
        .first()
    )
    if delivery is None:
        return
    reason = _pointless(delivery)
    if reason:
        _close(delivery, Delivery.Status.SUPPRESSED, reason)
        return
    try:
        CHANNELS[delivery.channel].send(delivery)
    except SMTPRecipientsRefused as refused:
        if not all(500 <= code < 600 for code, _ in refused.recipients.values()):
            raise
        _close(delivery, Delivery.Status.FAILED, "address_refused")
    else:
        _close(delivery, Delivery.Status.SENT, "")


def _pointless(delivery: Delivery) -> str:
    """Why it need not go any more; "" when it has to."""
    told = delivery.notification
    if told.user.status != User.Status.ACTIVE:
        return "user_inactive"
    if told.event_key not in notification_events:
        return "unknown_event"
    if told.read_at is not None or told.dismissed_at is not None:
        return "already_read"
    event = notification_events.get(told.event_key)
    row = chosen(user_ids=[told.user_id], event_key=event.key).get((told.user_id, event.key, delivery.channel))
    if (
        delivery.channel not in event.channels
        or not wish(event, delivery.channel, row.enabled if row else None).enabled
    ):
        return "preference"
    return ""


@transaction.atomic
def _close(delivery: Delivery, status: Delivery.Status, reason: str) -> None:
    sent_at = timezone.now() if status == Delivery.Status.SENT else None
    Delivery.objects.filter(pk=delivery.pk).update(status=status, reason=reason, sent_at=sent_at, held_until=None)
