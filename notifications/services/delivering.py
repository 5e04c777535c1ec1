"""Sending one delivery: the job that the outbox runs, outside of any transaction."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from notifications.channels import CHANNELS
from notifications.mailing.mailers import AddressRefused, MailerPaused
from notifications.models import Delivery
from notifications.selectors import quiet_until
from notifications.services.outcomes import (
    GAVE_UP,
    OPEN,
    deliveries_failed,
    deliveries_sent,
    deliveries_suppressed,
    outcome_of,
)
from notifications.services.suppressing import refused_for_good
from notifications.services.wanting import unwanted
from platform_site.notification_events import notification_events
from platform_site.outbox.clock import working_now
from platform_site.outbox.registry import job_kind

DELIVER: Final = "notifications.deliver"
# What could not be sent for so long says nothing new to anybody.
LONGEST_WAIT: Final = timedelta(days=7)


def _gave_up(delivery_id: UUID) -> None:
    delivery = _open(delivery_id)
    if delivery is not None:
        deliveries_failed([delivery], GAVE_UP)


@job_kind(DELIVER, gave_up=_gave_up, mails=True)
def deliver(delivery_id: UUID) -> datetime | None:
    """Send it unless something has happened since that makes it pointless. Gives until when it has to wait.

    Whatever a mail server says that may pass is raised, and the outbox tries
    again for about two hours. What it refuses for good is written down. A crash
    between the server's yes and our mark sends the mail again under the same
    Message-ID.
    """
    from notifications.services.digests import bundle_what_was_held

    delivery = _open(delivery_id)
    if delivery is None:
        return None
    if delivery.sent_at is not None:
        # Whoever sent it did not come to the rest.
        deliveries_sent([delivery], outcome_of(delivery), delivery.sent_at)
        return None
    reason = _pointless(delivery)
    if reason:
        deliveries_suppressed([delivery], reason)
        return None
    until = _held_until(delivery)
    if until is not None:
        Delivery.objects.filter(pk=delivery.pk).update(held_until=until)
        return until
    if delivery.held_until is not None and bundle_what_was_held(delivery):
        return None
    return _send(delivery)


def _open(delivery_id: UUID) -> Delivery | None:
    """It, unless it is done or goes out as a part of something else."""
    rows = Delivery.objects.select_related("notification__user")
    return rows.filter(OPEN, id=delivery_id, digest=None).first()


def _send(delivery: Delivery) -> datetime | None:
    try:
        outcome = CHANNELS[delivery.channel].send(delivery)
    except MailerPaused as paused:
        return paused.until
    except AddressRefused:
        deliveries_failed([delivery], "address_refused")
        refused_for_good(delivery.notification.user.email)
    except Exception as error:
        # Raised again: the outbox decides about another attempt.
        _note(delivery, error)
        raise
    else:
        now = working_now()
        # First and by itself: until it stands there, a crash sends the mail again.
        Delivery.objects.filter(pk=delivery.pk).update(sent_at=now, **asdict(outcome))
        deliveries_sent([delivery], outcome, now)
    return None


def _note(delivery: Delivery, error: Exception) -> None:
    """The kind of the error, for who asks why it has not come; texts of mail servers hold addresses."""
    Delivery.objects.filter(pk=delivery.pk).update(last_error=type(error).__name__[:80])


def _pointless(delivery: Delivery) -> str:
    """Why it need not go any more; "" when it has to."""
    reason = unwanted([delivery])[delivery.pk]
    if reason:
        return reason
    if working_now() - delivery.created_at > LONGEST_WAIT:
        return "expired"
    return CHANNELS[delivery.channel].refuses(delivery)


def _held_until(delivery: Delivery) -> datetime | None:
    """Quiet hours may have begun, or been moved, since it was told."""
    told = delivery.notification
    urgent = notification_events.get(told.event_key).severity == "urgent"
    return None if urgent else quiet_until(told.user, working_now())
