"""How much has happened to a record, and when: figures over calendar days of the tenant's zone.

Events that lie ahead are not counted. All figures of one answer are of one
moment, and each answer takes the same number of queries, whatever there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from events.days import day_begins, day_of
from platform_site.binding import require_tenant
from tenancy.models import Tenant

# Lengths of the windows in days, today among them. Each holds the ones before it.
WINDOWS: Final = (30, 90, 365)
MOST_ACTIONS: Final = 10

_COUNTED: Final = """
SELECT GROUPING(app) = 0, GROUPING(category) = 0, app, category, count(*), min(occurred_at), max(occurred_at),
       count(*) FILTER (WHERE occurred_at >= %(last30)s),
       count(*) FILTER (WHERE occurred_at >= %(prev30)s AND occurred_at < %(last30)s),
       count(DISTINCT (occurred_at AT TIME ZONE %(zone)s)::date) FILTER (WHERE occurred_at >= %(last30)s)
FROM events_event
WHERE canonical_id = ANY(%(ids)s::uuid[]) AND occurred_at <= %(now)s
GROUP BY GROUPING SETS ((), (app), (category))
"""
_ACTIONS: Final = """
SELECT app, category, action, count(*) FROM events_event
WHERE canonical_id = ANY(%(ids)s::uuid[]) AND occurred_at <= %(now)s
GROUP BY app, category, action ORDER BY count(*) DESC, app, category, action LIMIT %(most)s
"""
_MATRIX: Final = """
SELECT app, category, count(*) FILTER (WHERE occurred_at >= %(shortest)s),
       count(*) FILTER (WHERE occurred_at >= %(middle)s), count(*)
FROM events_event
WHERE canonical_id = ANY(%(ids)s::uuid[]) AND occurred_at >= %(longest)s AND occurred_at <= %(now)s
GROUP BY app, category
"""


@dataclass(frozen=True, slots=True)
class ActionCount:
    app: str
    category: str
    action: str
    count: int


@dataclass(frozen=True, slots=True)
class Summary:
    """``days_since_last`` and the ends are None where nothing happened, ``delta_percent`` where nothing did before."""

    total: int
    first_at: datetime | None
    last_at: datetime | None
    days_since_last: int | None
    active_days: int
    last_30: int
    prev_30: int
    delta_percent: float | None
    by_app: Mapping[str, int]
    by_category: Mapping[str, int]
    top_actions: Sequence[ActionCount]
    zone: str


@dataclass(frozen=True, slots=True)
class Cell:
    app: str
    category: str
    count: int


@dataclass(frozen=True, slots=True)
class Window:
    """Both days are in it. The most frequent cell comes first."""

    first: date
    last: date
    cells: Sequence[Cell]

    @property
    def total(self) -> int:
        return sum(cell.count for cell in self.cells)

    def by(self, name: str) -> dict[str, int]:
        """Counts by ``app`` or ``category``, the highest first."""
        sums: dict[str, int] = {}
        for cell in self.cells:
            key = getattr(cell, name)
            sums[key] = sums.get(key, 0) + cell.count
        return _ranked(sums.items())


@dataclass(frozen=True, slots=True)
class Activity:
    as_of: date
    zone: str
    windows: Mapping[int, Window]


def tenant_zone() -> str:
    return Tenant.objects.values_list("timezone", flat=True).get(id=require_tenant().id) or "UTC"


def events_summary(ids: Sequence[UUID], *, now: datetime | None = None) -> Summary:
    """Three queries."""
    now, zone = now or timezone.now(), ZoneInfo(tenant_zone())
    today = day_of(now, zone)
    values = {
        "ids": list(ids),
        "now": now,
        "zone": zone.key,
        "last30": day_begins(today - timedelta(days=29), zone),
        "prev30": day_begins(today - timedelta(days=59), zone),
        "most": MOST_ACTIONS,
    }
    counted = _rows(_COUNTED, values)
    # The set of everything is there also where nothing is.
    ((total, first_at, last_at, last, before, active),) = [row[4:] for row in counted if not (row[0] or row[1])]
    return Summary(
        total=total,
        first_at=first_at,
        last_at=last_at,
        days_since_last=(today - day_of(last_at, zone)).days if last_at else None,
        active_days=active,
        last_30=last,
        prev_30=before,
        delta_percent=round((last - before) / before * 100, 1) if before else None,
        by_app=_ranked((row[2], row[4]) for row in counted if row[0]),
        by_category=_ranked((row[3], row[4]) for row in counted if row[1]),
        top_actions=[ActionCount(*row) for row in _rows(_ACTIONS, values)],
        zone=zone.key,
    )


def events_activity(ids: Sequence[UUID], *, now: datetime | None = None) -> Activity:
    """Two queries."""
    now, zone = now or timezone.now(), ZoneInfo(tenant_zone())
    today = day_of(now, zone)
    firsts = [today - timedelta(days=days - 1) for days in WINDOWS]
    shortest, middle, longest = (day_begins(first, zone) for first in firsts)
    values = {"ids": list(ids), "now": now, "shortest": shortest, "middle": middle, "longest": longest}
    rows = _rows(_MATRIX, values)
    windows = {
        days: Window(first, today, _cells((app, category, counts[place]) for app, category, *counts in rows))
        for place, (days, first) in enumerate(zip(WINDOWS, firsts, strict=True))
    }
    return Activity(today, zone.key, windows)


def _cells(rows: Any) -> list[Cell]:
    found = [Cell(app, category, count) for app, category, count in rows if count]
    return sorted(found, key=lambda cell: (-cell.count, cell.app, cell.category))


def _ranked(pairs: Any) -> dict[str, int]:
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _rows(statement: str, values: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
