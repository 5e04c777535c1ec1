"""When somebody's next digest comes: wall times of a place, read as quiet hours read them; no database."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from notifications.quiet_hours import moment_of

HOURLY: Final = "hourly"
DAILY: Final = "daily"
WEEKLY: Final = "weekly"
_QUARTER: Final = timedelta(minutes=15)


def next_run(frequency: str, minute: int, day_of_week: int, timezone: str, now: datetime) -> datetime:
    """The first time after ``now``, in UTC.

    Daily and weekly ones come at ``minute`` after midnight on the clocks of
    ``timezone``: what spring leaves out falls on the jump, and what autumn repeats
    on its first occurrence. ``day_of_week`` is 1 for Monday and counts for weekly
    ones only. Hourly ones come whenever the clocks there show a full hour. Raises
    ``ValueError`` for any other frequency.
    """
    zone = ZoneInfo(timezone)
    if frequency == HOURLY:
        return _full_hour(zone, now.astimezone(UTC))
    if frequency not in (DAILY, WEEKLY):
        raise ValueError(f"{frequency} comes at no time.")
    # The date there is that of UTC or one next to it; the jump over a whole day is one further.
    today = now.astimezone(UTC).toordinal()
    days = (date.fromordinal(number) for number in range(today - 2, today + 10))
    moments = (moment_of(day, minute, zone) for day in days if frequency == DAILY or day.isoweekday() == day_of_week)
    return next(moment for moment in moments if moment > now)


def _full_hour(zone: ZoneInfo, now: datetime) -> datetime:
    """Clocks differ from UTC by whole quarters of an hour, so that each full hour begins with one."""
    quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    # Two hours hold one always, also where clocks are moved by half an hour.
    following = [quarter + _QUARTER * number for number in range(1, 9)]
    return next(moment for moment in following if moment.astimezone(zone).minute == 0)
