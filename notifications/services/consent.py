"""Whether it may be noticed that somebody opens a mail or follows a link in it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from notifications import catalog
from notifications.email_settings.read import tracking_settings
from notifications.models import TrackingConsent
from platform_site.api.identity import Identity
from platform_site.journal.services import record


@dataclass(frozen=True, slots=True)
class TrackedWays:
    opens: bool
    clicks: bool


def tracked_ways(user_id: int) -> TrackedWays:
    """What the company wants to know, and this person lets it know, now."""
    chosen = tracking_settings()
    if not (chosen.open_tracking or chosen.click_tracking):
        return TrackedWays(False, False)
    if chosen.require_consent and not TrackingConsent.objects.filter(user_id=user_id).exists():
        return TrackedWays(False, False)
    return TrackedWays(chosen.open_tracking, chosen.click_tracking)


def consent_given_at(*, user_id: int) -> datetime | None:
    """When somebody agreed; None for who did not."""
    return TrackingConsent.objects.filter(user_id=user_id).values_list("given_at", flat=True).first()


@transaction.atomic
def consent_set(*, actor: Identity, consent: bool) -> datetime | None:
    """Agree, or agree no longer. The same again changes nothing. Gives since when."""
    if consent:
        row, changed = TrackingConsent.objects.get_or_create(
            user_id=actor.user_id, defaults={"given_at": timezone.now()}
        )
        given_at: datetime | None = row.given_at
    else:
        changed, given_at = bool(TrackingConsent.objects.filter(user_id=actor.user_id).delete()[0]), None
    if changed:
        record(catalog.CONSENT_CHANGED, subject=("user", actor.user_uuid), data={"consent": consent})
    return given_at
