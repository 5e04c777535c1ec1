"""Sending one mail for many notifications: the job that the outbox runs, outside of any transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from notifications.channels.base import Outcome
from notifications.mailing.letters import letter_of_many
from notifications.mailing.mailers import AddressRefused, MailerPaused, Posted
from notifications.mailing.sending import Subject, send
from notifications.mailing.way_back import way_out
from notifications.models import Delivery, Digest
from notifications.selectors import quiet_until
from notifications.services.digests import ENDED, SEND_DIGEST, end, gathered
from notifications.services.outcomes import GAVE_UP, deliveries_failed, deliveries_sent, deliveries_suppressed
from notifications.services.suppressing import is_suppressed, refused_for_good
from notifications.services.wanting import unwanted
from platform_site.outbox.clock import working_now
from platform_site.outbox.registry import job_kind

# Of one that has more, the newest are shown and the others counted.
MOST_SHOWN: Final = 50


def _gave_up(digest_id: UUID) -> None:
    digest = _open(digest_id)
    if digest is not None:
        _failed(digest, gathered(digest), GAVE_UP)


@job_kind(SEND_DIGEST, gave_up=_gave_up, mails=True)
def send_digest(digest_id: UUID) -> datetime | None:
    """Send it with what is still news. Gives until when it has to wait.

    Fails and is tried again like any delivery; a crash between the server's yes
    and our mark sends the same mail again under the same Message-ID.
    """
    digest = _open(digest_id)
    if digest is None:
        return None
    if digest.sent_at is not None:
        # Whoever sent it did not come to the rest.
        _sent(digest, gathered(digest), Outcome(), digest.sent_at)
        return None
    until = quiet_until(digest.user, working_now())
    if until is not None:
        return until
    news = _close(digest)
    if not news:
        return None
    try:
        posted = _post(digest, news)
    except MailerPaused as paused:
        return paused.until
    except AddressRefused:
        _failed(digest, news, "address_refused")
        refused_for_good(digest.user.email)
        return None
    now = working_now()
    # First and by itself: until it stands there, a crash sends the mail again.
    Digest.objects.filter(pk=digest.pk).update(sent_at=now)
    _sent(digest, news, Outcome(posted.mailer, posted.provider_message_id), now)
    return None


@transaction.atomic
def _sent(digest: Digest, news: Sequence[Delivery], outcome: Outcome, now: datetime) -> None:
    deliveries_sent(news, outcome, now)
    end(digest, Digest.Status.SENT, {"sent": 1, "items": len(news)}, sent_at=now, items=len(news))


def _open(digest_id: UUID) -> Digest | None:
    return Digest.objects.select_related("user").filter(id=digest_id).exclude(status__in=ENDED).first()


def _post(digest: Digest, news: Sequence[Delivery]) -> Posted:
    shown = [one.notification for one in news[:MOST_SHOWN]]
    out = way_out(digest.user, None)
    letter = letter_of_many(digest.user, shown, out, more=len(news) - len(shown))
    return send(letter, to=digest.user, out=out, about=Subject("g", digest.id, "digest", "digest"))


@transaction.atomic
def _failed(digest: Digest, news: Sequence[Delivery], reason: str) -> None:
    deliveries_failed(news, reason)
    end(digest, Digest.Status.FAILED, {"failed": 1})


@transaction.atomic
def _close(digest: Digest) -> Sequence[Delivery]:
    """Let it take nothing more, and drop what is no news any more. Gives what is left, newest first."""
    Digest.objects.select_for_update().get(pk=digest.pk)
    Digest.objects.filter(pk=digest.pk).update(status=Digest.Status.CLOSED)
    items = gathered(digest)
    reasons = unwanted(items)
    if is_suppressed(digest.user.email, optional=True):
        reasons = {one.pk: reasons[one.pk] or "suppression_list" for one in items}
    for reason in sorted({reason for reason in reasons.values() if reason}):
        deliveries_suppressed([one for one in items if reasons[one.pk] == reason], reason)
    news = [one for one in items if not reasons[one.pk]]
    if not news:
        end(digest, Digest.Status.SKIPPED, {"suppressed": 1})
    return news
