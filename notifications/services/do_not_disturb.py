"""Quiet hours: keeping them, and letting mail wait for their end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notifications import catalog, errors
from notifications.models import Delivery, DoNotDisturb
from notifications.quiet_hours import parse_wall_time
from notifications.selectors import company_zone, held_until, quiet_hours_of, zone_of
from notifications.services.delivering import DELIVER
from platform_site.api.identity import Identity
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError
from platform_site.journal.services import record
from platform_site.outbox.services import jobs_move

DEFAULT_START: Final = parse_wall_time("22:00")
DEFAULT_END: Final = parse_wall_time("08:00")
EVERY_DAY: Final = (1, 2, 3, 4, 5, 6, 7)
KEEP: Final = object()


@dataclass(frozen=True, slots=True)
class QuietState:
    """What was chosen, and what it means now. ``zone`` is the one that counts."""

    row: DoNotDisturb
    zone: str
    until: datetime | None
    next_start: datetime | None


@dataclass(frozen=True, slots=True)
class QuietChanges:
    """What is to change; what is ``None`` stays. ``timezone`` "" is the profile's."""

    enabled: bool | None = None
    start_minute: int | None = None
    end_minute: int | None = None
    timezone: str | None = None
    days: tuple[int, ...] | None = None
    # None takes it off.
    snooze_until: object = KEEP


def quiet_state(*, user_id: int) -> QuietState:
    """One's own quiet hours; the defaults, turned off, when nothing was chosen."""
    user = User.objects.only("id", "timezone").get(id=user_id)
    return _state(_row(user), zone_of(user, company_zone()), timezone.now())


@transaction.atomic
def quiet_hours_set(*, actor: Identity, changes: QuietChanges, now: datetime | None = None) -> QuietState:
    """Change one's own quiet hours. What waits is given a new time at once.

    Raises ``empty_window`` when they would begin and end at one time, and
    ``validation_failed`` for a snooze in the past.
    """
    now = now or timezone.now()
    user = User.objects.select_for_update(of=("self",), no_key=True).only("id", "timezone").get(id=actor.user_id)
    row = _row(user)
    for name in ("enabled", "start_minute", "end_minute", "timezone"):
        value = getattr(changes, name)
        if value is not None:
            setattr(row, name, value)
    if changes.days is not None:
        row.days = sorted(set(changes.days))
    if changes.snooze_until is not KEEP:
        row.snooze_until = _snooze(changes.snooze_until, now)
    if row.start_minute == row.end_minute:
        code = errors.EMPTY_WINDOW
        raise PlatformError(code, details=[FieldError("endTime", code.key, code.message)])
    row.save()
    record(catalog.PREFERENCE_CHANGED, subject=("user", actor.user_uuid), data={"quietHours": row.enabled})
    zone = zone_of(user, company_zone())
    _move_what_waits(row, held_until(row, zone, now) or now)
    return _state(row, zone, now)


def _row(user: User) -> DoNotDisturb:
    found = DoNotDisturb.objects.filter(user=user).first()
    return found or DoNotDisturb(user=user, start_minute=DEFAULT_START, end_minute=DEFAULT_END, days=list(EVERY_DAY))


def _snooze(value: object, now: datetime) -> datetime | None:
    if isinstance(value, datetime) and value <= now:
        raise PlatformError(VALIDATION_FAILED, details=[FieldError("snoozeUntil", "invalid", "This time is over.")])
    return value if isinstance(value, datetime) else None


def _state(row: DoNotDisturb, zone: str, now: datetime) -> QuietState:
    hours = quiet_hours_of(row, zone)
    if not row.enabled:
        return QuietState(row, hours.timezone, None, None)
    return QuietState(row, hours.timezone, hours.until(now), hours.next_start(now))


def _move_what_waits(row: DoNotDisturb, due: datetime) -> None:
    held = Delivery.objects.filter(
        notification__user_id=row.user_id, status=Delivery.Status.PENDING, held_until__isnull=False
    )
    ids = list(held.values_list("id", flat=True))
    if ids:
        jobs_move(kind=DELIVER, subject_ids=ids, due_at=due)
        Delivery.objects.filter(id__in=ids).update(held_until=due)
