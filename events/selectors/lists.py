"""The events of a record, as a list in parts.

Ordered by when they happened, so it makes no difference when they arrived. The
index gives for each id of the merged set as many as are wanted, and only the
rows of the page are read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from events.models import Event, EventStat

# Counting stops here, as in all lists.
EXACT_TOTAL: Final = 10_000
Place = tuple[datetime, UUID]

_PAGE: Final = """
SELECT e.* FROM (
    SELECT part.id FROM unnest(%(ids)s::uuid[]) AS one(id) CROSS JOIN LATERAL (
        SELECT k.id, k.occurred_at FROM events_event k
        WHERE k.canonical_id = one.id{conditions}
        ORDER BY k.occurred_at {way}, k.id {way} LIMIT %(beginning)s
    ) part
    ORDER BY part.occurred_at {way}, part.id {way} LIMIT %(limit)s OFFSET %(offset)s
) page JOIN events_event e ON e.id = page.id
ORDER BY e.occurred_at {way}, e.id {way}
"""
_MATCHING: Final = "FROM events_event k WHERE k.canonical_id = ANY(%(ids)s::uuid[]){conditions}"
_CONDITIONS: Final = {
    "app": "k.app = %(app)s",
    "category": "k.category = %(category)s",
    "action": "k.action = %(action)s",
    "since": "k.occurred_at >= %(since)s",
    "until": "k.occurred_at < %(until)s",
    "words": "k.action ILIKE %(words)s",
}


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What is looked for; None is everything. ``since`` belongs to the span of time, ``until`` does not."""

    app: str | None = None
    category: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    # Found anywhere in the action, in any case of the letters.
    words: str | None = None

    def values(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in _CONDITIONS if getattr(self, name) is not None}
        if "words" in found:
            found["words"] = f"%{_literally(found['words'])}%"
        return found


def _literally(text: str) -> str:
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return text


def events_beyond(
    ids: Sequence[UUID], wanted: EventFilter, *, place: Place, newer: bool = False, limit: int
) -> list[Event]:
    """The next older ones than ``place``, newest first; or the next ``newer``, oldest first. One query."""
    sign, way = (">", "ASC") if newer else ("<", "DESC")
    extra = f"(k.occurred_at, k.id) {sign} (%(at)s, %(after)s)"
    return _page(ids, wanted, way=way, limit=limit, extra=extra, values={"at": place[0], "after": place[1]})


def events_page(ids: Sequence[UUID], wanted: EventFilter, *, offset: int, limit: int) -> list[Event]:
    """The part of the list that begins behind ``offset`` events, newest first. One query."""
    return _page(ids, wanted, way="DESC", limit=limit, offset=offset)


def _page(
    ids: Sequence[UUID],
    wanted: EventFilter,
    *,
    way: str,
    limit: int,
    offset: int = 0,
    extra: str = "",
    values: dict[str, Any] | None = None,
) -> list[Event]:
    conditions = wanted.values()
    statement = _PAGE.format(conditions=_and(conditions, extra), way=way)
    numbers = {"limit": limit, "offset": offset, "beginning": limit + offset}
    # Values are parameters; what is put together are words of this module.
    return list(Event.objects.raw(statement, {"ids": list(ids), **conditions, **(values or {}), **numbers}))


def _and(conditions: dict[str, Any], extra: str = "") -> str:
    parts = [_CONDITIONS[name] for name in conditions] + [extra] * bool(extra)
    return "".join(f" AND {part}" for part in parts)


def events_total(ids: Sequence[UUID], wanted: EventFilter) -> tuple[int, bool]:
    """How many there are, and whether that is an estimate. Without a filter it is known; else they are counted."""
    conditions = wanted.values()
    if not conditions:
        known = EventStat.objects.filter(canonical_id__in=ids).aggregate(total=Sum("total"))["total"]
        return int(known or 0), False
    matching = _MATCHING.format(conditions=_and(conditions))
    values = {"ids": list(ids), **conditions, "limit": EXACT_TOTAL + 1}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 {matching} LIMIT %(limit)s) AS counted", values)  # noqa: S608
        ((counted,),) = cursor.fetchall()
        if counted <= EXACT_TOTAL:
            return counted, False
        cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT 1 {matching}", values)
        ((plan,),) = cursor.fetchall()
    found = json.loads(plan) if isinstance(plan, str) else plan
    return max(counted, int(found[0]["Plan"]["Plan Rows"])), True
