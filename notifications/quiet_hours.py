"""Quiet hours: wall times of a place, and the moments they fall on.

A wall time falls on the first moment at which the clocks there show it or have gone past it. That is
all there is to know about daylight saving: what spring leaves out falls on the jump, and what autumn
repeats falls on its first occurrence.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from platform_site.locales import valid_timezone

_WALL_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_MINUTES: Final = range(24 * 60)
_WEEK: Final = frozenset(range(1, 8))
# A snooze until the end of the calendar is somebody's way to say "for ever": no window is looked for there.
_LAST_DAY: Final = date.max.toordinal() - 2


def parse_wall_time(text: str) -> int:
    """Minutes after midnight of "HH:MM"; raises ``ValueError`` with a sentence for people."""
    found = _WALL_TIME.fullmatch(text)
    if found is None:
        raise ValueError("This is no time of day from 00:00 to 23:59.")
    return int(found[1]) * 60 + int(found[2])


def wall_time(minutes: int) -> str:
    """The opposite of ``parse_wall_time``."""
    if minutes not in _MINUTES:
        raise ValueError("A day has the minutes from 0 to 1439.")
    return f"{minutes // 60:02}:{minutes % 60:02}"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When somebody is not to be disturbed.

    ``start`` and ``end`` are wall times of ``timezone`` in minutes after midnight; ``days`` are ISO
    weekdays (1 Monday) on which a window begins. A window holds its start and not its end, and spans
    midnight when it ends earlier than it starts. Without days only a snooze is quiet.
    """

    start: int
    end: int
    timezone: str
    days: frozenset[int] = _WEEK
    snooze_until: datetime | None = None

    def __post_init__(self) -> None:
        if self.start not in _MINUTES or self.end not in _MINUTES:
            raise ValueError("Quiet hours start and end at minutes from 0 to 1439.")
        if self.start == self.end:
            raise ValueError("Quiet hours that start and end at one time could be none or all.")
        if not self.days <= _WEEK:
            raise ValueError("Weekdays are numbers from 1, Monday, to 7.")
        valid_timezone(self.timezone)
        if self.snooze_until is not None:
            _utc(self.snooze_until)

    def until(self, now: datetime) -> datetime | None:
        """When the quiet of ``now`` is over, in UTC; None when it is not quiet.

        What follows without a break is one quiet: this is the first moment at which one may disturb.
        """
        began = moment = _utc(now)
        if self.snooze_until is not None:
            moment = max(moment, _utc(self.snooze_until))
        while (end := self._window_end(moment)) is not None:
            moment = end
        return moment if moment > began else None

    def next_start(self, now: datetime) -> datetime | None:
        """The next moment after ``now`` at which a window begins, in UTC, be it quiet already or not."""
        moment = _utc(now)
        # Four weeks: the one day of the week may be the one whose window is left out in spring.
        return next((start for start, _ in self._windows(moment, days_ahead=28) if start > moment), None)

    def _window_end(self, moment: datetime) -> datetime | None:
        ends = (end for start, end in self._windows(moment, days_ahead=2) if start <= moment < end)
        return next(ends, None)

    def _windows(self, moment: datetime, *, days_ahead: int) -> Iterator[tuple[datetime, datetime]]:
        """Windows in their order, among them every one that can hold ``moment``.

        The date there is that of UTC or one next to it. A window that is open has begun on that date or
        the day before; and where the clocks went back over midnight, as in St. John's, on the day after.
        """
        zone = ZoneInfo(self.timezone)
        today = moment.toordinal()
        for number in range(today - 2, min(today + days_ahead, _LAST_DAY) + 1):
            day = date.fromordinal(number)
            if day.isoweekday() not in self.days:
                continue
            last_day = day if self.start < self.end else day + timedelta(days=1)
            start, end = moment_of(day, self.start, zone), moment_of(last_day, self.end, zone)
            # Both are the jump when spring leaves out the whole window.
            if start < end:
                yield start, end


def moment_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The first moment at which the clocks show this wall time or have gone past it."""
    wall = datetime.combine(day, time(*divmod(minute, 60)))
    moment, other = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if moment <= other:
        return moment
    # It is left out. Read with the offset after the jump it is before it, and the other way round.
    seconds = range(int((moment - other).total_seconds()))

    def shown(second: int) -> datetime:
        return (other + timedelta(seconds=second)).astimezone(zone).replace(tzinfo=None)

    return other + timedelta(seconds=bisect_left(seconds, wall, key=shown))


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("A moment needs its offset from UTC.")
    return moment.astimezone(UTC)
