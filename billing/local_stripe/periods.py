"""Billing periods: calendar months and years, counted from an anchor."""

import calendar
from datetime import UTC, datetime, timedelta


def after(anchor: int, interval: str, count: int, times: int) -> int:
    """The end of the `times`-th period since the anchor.

    Counted from the anchor and not from the last period: what begins on the 31st ends on the 28th of February and
    then on the 31st of March again.
    """
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in {"day", "week"}:
        days = count * times * (7 if interval == "week" else 1)
        return int((start + timedelta(days=days)).timestamp())
    months = count * times * (12 if interval == "year" else 1)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def next_end(anchor: int, start: int, interval: str, count: int) -> int:
    """The first end of a period that lies after `start`."""
    times = 1
    while (end := after(anchor, interval, count, times)) <= start:
        times += 1
    return end
