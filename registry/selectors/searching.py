"""Search in steps, each tried only when the ones before it did not find enough: known by, begins with, holds, is like.

Every step is one statement over one index. Records that became part of another one
and earlier names lead to the record of today.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from registry.matching.normalising import email_key, search_key
from registry.models import Entity

# Shorter texts are searched for at the beginning of names only: there is no index for what is shorter.
SHORTEST_WITHIN: Final = 3
# How many records that hold the text are ranked; a common surname has tens of thousands.
_RANKED: Final = 500
# What a search for slips of the pen may take before it is given up.
_LIKE_BUDGET_MS: Final = 300

_WHO: Final = "coalesce(e.merged_into_id, e.id) AS canonical_id, e.merged_into_id IS NOT NULL AS merged"
_CLASS: Final = "AND (%(class)s::varchar IS NULL OR e.entity_class = %(class)s::varchar)"

_KNOWN_BY: Final = """
SELECT i.entity_id AS canonical_id, false AS merged, 1.0::float8 AS score
FROM registry_identifier i
WHERE i.kind = 'email' AND i.value = %(key)s
  AND (%(class)s::varchar IS NULL OR i.entity_class = %(class)s::varchar)
ORDER BY i.entity_id LIMIT %(limit)s"""

# By code points, as the index is: whoever types more letters gets less of the same list.
_BEGINS_WITH: Final = f"""
SELECT {_WHO}, CASE WHEN e.name_key = %(text)s THEN 0.99 ELSE 0.9 END::float8 AS score
FROM registry_entity e
WHERE e.name_key LIKE %(prefix)s AND e.status <> 'erased' {_CLASS}
ORDER BY e.name_key, e.id LIMIT %(limit)s"""  # noqa: S608 - fragments of this module

_HOLDS: Final = f"""
SELECT canonical_id, merged, (0.5 + 0.4 * word_similarity(%(text)s, search_text))::float8 AS score
FROM (
    SELECT {_WHO}, e.search_text FROM registry_entity e
    WHERE e.search_text LIKE ALL (%(patterns)s) AND e.status <> 'erased' {_CLASS}
    LIMIT {_RANKED}
) held
ORDER BY score DESC, canonical_id LIMIT %(limit)s"""  # noqa: S608 - fragments of this module

_IS_LIKE: Final = f"""
SELECT canonical_id, merged, (0.5 * word_similarity(%(text)s, search_text))::float8 AS score
FROM (
    SELECT {_WHO}, e.search_text FROM registry_entity e
    WHERE %(text)s <%% e.search_text AND e.status <> 'erased' {_CLASS}
    LIMIT {_RANKED}
) alike
ORDER BY score DESC, canonical_id LIMIT %(limit)s"""  # noqa: S608 - fragments of this module


@dataclass(frozen=True, slots=True)
class Found:
    """``matched_on`` is name, email, alias (a name or address of before, or of a merged record) or identifier."""

    entity: Entity
    score: float
    matched_on: str


@dataclass(frozen=True, slots=True)
class Search:
    """``complete`` is false when the search for slips of the pen took too long."""

    found: list[Found]
    complete: bool = True


@dataclass(slots=True)
class _Hit:
    score: float
    matched_on: str | None


def entities_search(*, text: str, entity_class: str | None = None, limit: int) -> Search:
    """Records that are known by, called or like this text, the best first."""
    key = search_key(text)
    hits: dict[UUID, _Hit] = {}
    wanted: dict[str, Any] = {"class": entity_class, "limit": limit, "text": key}
    address = email_key(text) if "@" in text else None
    if address is not None:
        _add(hits, _rows(_KNOWN_BY, {**wanted, "key": address}), "identifier")
    if key and len(hits) < limit:
        _add(hits, _rows(_BEGINS_WITH, {**wanted, "prefix": f"{_escaped(key)}%"}))
    complete = True
    if len(key) >= SHORTEST_WITHIN and len(hits) < limit:
        patterns = [f"%{_escaped(word)}%" for word in key.split()]
        _add(hits, _rows(_HOLDS, {**wanted, "patterns": patterns}))
        # Who knows the whole address does not mean another one.
        if len(hits) < limit and not (address and hits):
            complete = _add_alike(hits, wanted)
    return Search(_found(hits, key, limit), complete)


def _add(hits: dict[UUID, _Hit], rows: list[tuple[UUID, bool, float]], matched_on: str | None = None) -> None:
    for canonical_id, merged, score in rows:
        found = "alias" if merged else matched_on
        if canonical_id not in hits:
            hits[canonical_id] = _Hit(score, found)


def _add_alike(hits: dict[UUID, _Hit], wanted: dict[str, Any]) -> bool:
    """Gives whether it came to its end."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_LIKE_BUDGET_MS)])
            rows = _rows(_IS_LIKE, wanted)
            cursor.execute(
                "SELECT set_config('statement_timeout', reset_val, true) FROM pg_settings"
                " WHERE name = 'statement_timeout'"
            )
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        return False
    _add(hits, rows)
    return True


def _found(hits: dict[UUID, _Hit], key: str, limit: int) -> list[Found]:
    best = sorted(hits.items(), key=lambda item: (-item[1].score, item[0]))[:limit]
    shown = ("id", "name", "email", "entity_class", "status", "links_count", "name_key")
    entities = Entity.objects.only(*shown).in_bulk([canonical_id for canonical_id, _ in best])
    return [
        Found(entity, round(hit.score, 4), hit.matched_on or _matched_on(entity, key))
        for canonical_id, hit in best
        # Erased in this moment.
        if (entity := entities.get(canonical_id)) is not None and entity.status == Entity.Status.ACTIVE
    ]


def _matched_on(entity: Entity, key: str) -> str:
    words = key.split()
    if all(word in entity.name_key for word in words):
        return "name"
    if entity.email and all(word in search_key(entity.email) for word in words):
        return "email"
    # Neither holds it as it stands: the name with a slip of the pen, or what it was called by some link.
    return "name" if _alike(entity.name_key, key) else "alias"


def _alike(name: str, key: str) -> bool:
    from rapidfuzz.fuzz import partial_ratio

    return partial_ratio(name, key) >= 60


def _rows(statement: str, params: dict[str, Any]) -> list[tuple[UUID, bool, float]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows: list[tuple[UUID, bool, float]] = cursor.fetchall()
        return rows


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
