"""Calendar days in a tenant's time zone, as spans of moments."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

# No zone is further from UTC than this, and none ever was.
_FARTHEST: Final = timedelta(hours=16)


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of this day there, whatever the clocks do about midnight.

    A day that is left out, as when a country crosses the date line, begins with the next.
    """
    earliest = datetime.combine(day, time(), UTC) - _FARTHEST

    def shown(second: int) -> date:
        return (earliest + timedelta(seconds=second)).astimezone(zone).date()

    seconds = range(2 * int(_FARTHEST.total_seconds()))
    return earliest + timedelta(seconds=bisect_left(seconds, day, key=shown))


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
