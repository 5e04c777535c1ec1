"""How much has happened to a record, and when: figures over calendar days of the tenant's zone.

Events that lie ahead are not counted. Each answer takes the same number of
queries, whatever there is.
"""

from collections.abc import Iterable, Mapping, Sequence
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

# Nothing but the index is read, and nothing is sorted, as it would be for GROUPING SETS.
_COUNTED: Final = """
SELECT app, category, count(*), min(occurred_at), max(occurred_at),
       count(*) FILTER (WHERE occurred_at >= %(last30)s),
       count(*) FILTER (WHERE occurred_at >= %(prev30)s AND occurred_at < %(last30)s),
       (
           SELECT count(DISTINCT (occurred_at AT TIME ZONE %(zone)s)::date) FROM events_event
           WHERE canonical_id = ANY(%(ids)s::uuid[]) AND occurred_at >= %(last30)s AND occurred_at <= %(now)s
       )
FROM events_event
WHERE canonical_id = ANY(%(ids)s::uuid[]) AND occurred_at <= %(now)s
GROUP BY app, category
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
        return _added((getattr(cell, name), cell.count) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Activity:
    as_of: date
    zone: str
    windows: Mapping[int, Window]


@dataclass(frozen=True, slots=True)
class _Counted:
    """One app and category of a summary; ``active_days`` are those of all."""

    app: str
    category: str
    count: int
    first_at: datetime
    last_at: datetime
    last_30: int
    prev_30: int
    active_days: int


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
    rows = [_Counted(*row) for row in _rows(_COUNTED, values)]
    last, before = sum(row.last_30 for row in rows), sum(row.prev_30 for row in rows)
    last_at = max((row.last_at for row in rows), default=None)
    return Summary(
        total=sum(row.count for row in rows),
        first_at=min((row.first_at for row in rows), default=None),
        last_at=last_at,
        days_since_last=(today - day_of(last_at, zone)).days if last_at else None,
        active_days=rows[0].active_days if rows else 0,
        last_30=last,
        prev_30=before,
        delta_percent=round((last - before) / before * 100, 1) if before else None,
        by_app=_added((row.app, row.count) for row in rows),
        by_category=_added((row.category, row.count) for row in rows),
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


def _added(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The sum of each name, the highest first."""
    sums: dict[str, int] = {}
    for name, count in pairs:
        sums[name] = sums.get(name, 0) + count
    return dict(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))


def _rows(statement: str, values: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
