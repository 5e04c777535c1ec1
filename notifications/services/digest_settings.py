"""How often somebody wants one mail for many notifications, and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notifications import catalog
from notifications.digest_times import next_run
from notifications.models import DigestSetting
from notifications.quiet_hours import parse_wall_time
from notifications.selectors import company_zone, zone_of
from notifications.services.digests import digests_changed
from platform_site.api.identity import Identity
from platform_site.journal.services import record

DEFAULT_MINUTE: Final = parse_wall_time("09:00")
_OFF: Final = DigestSetting.Frequency.OFF


@dataclass(frozen=True, slots=True)
class DigestState:
    """What was chosen, and when the next comes. ``zone`` is the one that counts."""

    row: DigestSetting
    zone: str
    next_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class DigestChanges:
    """What is to change; what is ``None`` stays. ``timezone`` "" is the profile's."""

    enabled: bool | None = None
    frequency: str | None = None
    minute: int | None = None
    day_of_week: int | None = None
    timezone: str | None = None


def digest_state(*, user_id: int, now: datetime | None = None) -> DigestState:
    """One's own digests; the defaults, turned off, when nothing was chosen."""
    user = User.objects.only("id", "timezone").get(id=user_id)
    return _state(_row(user), user, now or timezone.now())


@transaction.atomic
def digest_settings_set(*, actor: Identity, changes: DigestChanges, now: datetime | None = None) -> DigestState:
    """Change one's own digests. What was gathered is given its new time at once.

    To turn them off and to choose ``off`` are the same; turned on without a
    frequency they are daily.
    """
    now = now or timezone.now()
    user = User.objects.select_for_update(of=("self",), no_key=True).only("id", "timezone").get(id=actor.user_id)
    row = _row(user)
    for name in ("frequency", "minute", "day_of_week", "timezone"):
        value = getattr(changes, name)
        if value is not None:
            setattr(row, name, value)
    if changes.enabled is False:
        row.frequency = _OFF
    elif changes.enabled and row.frequency == _OFF:
        row.frequency = DigestSetting.Frequency.DAILY
    row.save()
    digests_changed(user_id=user.id, now=now)
    record(catalog.DIGEST_SETTINGS_CHANGED, subject=("user", actor.user_uuid), data={"frequency": str(row.frequency)})
    return _state(row, user, now)


def _row(user: User) -> DigestSetting:
    return DigestSetting.objects.filter(user=user).first() or DigestSetting(user=user, minute=DEFAULT_MINUTE)


def _state(row: DigestSetting, user: User, now: datetime) -> DigestState:
    zone = row.timezone or zone_of(user, company_zone())
    comes = row.frequency != _OFF
    return DigestState(row, zone, next_run(row.frequency, row.minute, row.day_of_week, zone, now) if comes else None)
