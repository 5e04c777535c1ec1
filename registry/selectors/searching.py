"""Search in steps, each tried only when the ones before it did not find enough: known by, begins with, holds, is like.

Every step is one statement over one index. Records that became part of another one
and earlier names lead to the record of today.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled
from rapidfuzz.fuzz import partial_ratio

from registry.matching.normalising import email_candidate_key, email_key, search_key

# Shorter texts are searched for at the beginning of names only: there is no index for what is shorter.
SHORTEST_WITHIN: Final = 3
# How many records that hold the text are ranked; a common surname has tens of thousands.
_RANKED: Final = 500
# Whoever types more has typed a sentence.
_MOST_WORDS: Final = 8
# What a search for slips of the pen may take before it is given up.
_LIKE_BUDGET_MS: Final = 300
_BUDGET: Final = "SELECT set_config('statement_timeout', %s, true)"
_NO_BUDGET: Final = """
SELECT set_config('statement_timeout', reset_val, true) FROM pg_settings WHERE name = 'statement_timeout'"""
# How alike a text and a name have to be, of 100, for the one to be a misspelt other.
_SAME_NAME: Final = 60

_CLASS: Final = "AND (%(class)s::varchar IS NULL OR e.entity_class = %(class)s::varchar)"

# Every step gives the record of today for each hit, and what is shown of it: one statement, one round trip.
# Parameters of all: class (or None), limit, text. Rows of canonical_id, merged, score, name, email, entity_class,
# links_count, name_key; the best first.
_STEP: Final = """
SELECT w.id AS canonical_id, hit.merged, hit.score, w.name, w.email, w.entity_class, w.links_count, w.name_key
FROM ({hits}) AS hit JOIN registry_entity w ON w.id = hit.canonical_id AND w.status = 'active'
ORDER BY hit.score DESC, hit.place, w.id"""
_WHO: Final = "coalesce(e.merged_into_id, e.id) AS canonical_id, e.merged_into_id IS NOT NULL AS merged"

# Whose address it is, and who has the same mailbox without being known by it. More parameters: key, mailbox.
# Those of the mailbox are found before they are put in order, lest all records are walked through in that order.
_KNOWN_BY: Final = _STEP.format(
    hits=f"""
    WITH same AS MATERIALIZED (
        SELECT e.id FROM registry_entity e
        WHERE e.match_keys && ARRAY[%(mailbox)s]::varchar[] AND e.status = 'active' {_CLASS}
    ), owner AS (
        SELECT e.entity_id FROM registry_identifier e WHERE e.kind = 'email' AND e.value = %(key)s {_CLASS}
    )
    SELECT entity_id AS canonical_id, false AS merged, 1.0::float8 AS score, '' AS place FROM owner
    UNION ALL
    (SELECT id, false, 0.95::float8, '' FROM same
     WHERE id NOT IN (SELECT entity_id FROM owner) ORDER BY id LIMIT %(limit)s)"""  # noqa: S608 - of this module
)

# By code points, as the index is: whoever types more letters gets less of the same list. More: prefix.
_BEGINS_WITH: Final = _STEP.format(
    hits=f"""
    SELECT {_WHO}, CASE WHEN e.name_key = %(text)s THEN 0.99 ELSE 0.9 END::float8 AS score, e.name_key AS place
    FROM registry_entity e
    WHERE e.name_key LIKE %(prefix)s AND e.status <> 'erased' {_CLASS}
    ORDER BY e.name_key, e.id LIMIT %(limit)s"""  # noqa: S608 - fragments of this module
)

# With a condition for each word; the index takes no list of them.
_HOLDS: Final = _STEP.format(
    hits=f"""
    SELECT canonical_id, merged, (0.5 + 0.4 * word_similarity(%(text)s, search_text))::float8 AS score, '' AS place
    FROM (
        SELECT {_WHO}, e.search_text FROM registry_entity e
        WHERE {{conditions}} AND e.status <> 'erased' {_CLASS}
        LIMIT {_RANKED}
    ) held
    ORDER BY score DESC, canonical_id LIMIT %(limit)s"""  # noqa: S608 - fragments of this module
)

_IS_LIKE: Final = _STEP.format(
    hits=f"""
    SELECT canonical_id, merged, (0.5 * word_similarity(%(text)s, search_text))::float8 AS score, '' AS place
    FROM (
        SELECT {_WHO}, e.search_text FROM registry_entity e
        WHERE %(text)s <%% e.search_text AND e.status <> 'erased' {_CLASS}
        LIMIT {_RANKED}
    ) alike
    ORDER BY score DESC, canonical_id LIMIT %(limit)s"""  # noqa: S608 - fragments of this module
)

_Row = tuple[UUID, bool, float, str, str, str, int, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A record of today. ``matched_on`` is name, email, identifier, or alias: a name or address of before."""

    canonical_id: UUID
    name: str
    email: str
    entity_class: str
    links_count: int
    score: float
    matched_on: str


@dataclass(frozen=True, slots=True)
class Search:
    """``complete`` is false when the search for slips of the pen took too long."""

    found: list[Found]
    complete: bool = True


def entities_search(*, text: str, entity_class: str | None = None, limit: int) -> Search:
    """Records that are known by, called or like this text, the best first."""
    key = search_key(text)
    wanted: dict[str, Any] = {"class": entity_class, "limit": limit, "text": key}
    address = email_key(text) if "@" in text else None
    if address is not None:
        mailbox = f"e:{email_candidate_key(text)}"
        known = _rows(_KNOWN_BY, {**wanted, "key": address, "mailbox": mailbox})
        if known:
            # Who knows the whole address means nobody else.
            return Search([_found(row, key, "identifier" if row[2] == 1 else "email") for row in known[:limit]])
    hits: dict[UUID, _Row] = {}
    if key:
        _add(hits, _rows(_BEGINS_WITH, {**wanted, "prefix": f"{_escaped(key)}%"}))
    complete = True
    if len(key) >= SHORTEST_WITHIN and len(hits) < limit:
        words = {f"word{number}": f"%{_escaped(word)}%" for number, word in enumerate(key.split()[:_MOST_WORDS])}
        conditions = " AND ".join(f"e.search_text LIKE %({name})s" for name in words)
        _add(hits, _rows(_HOLDS.format(conditions=conditions), {**wanted, **words}))
        if len(hits) < limit:
            complete = _add_alike(hits, wanted)
    best = sorted(hits.values(), key=lambda row: (-row[2], row[0]))[:limit]
    return Search([_found(row, key) for row in best], complete)


def _add(hits: dict[UUID, _Row], rows: list[_Row]) -> None:
    for row in rows:
        hits.setdefault(row[0], row)


def _add_alike(hits: dict[UUID, _Row], wanted: dict[str, Any]) -> bool:
    """Gives whether it came to its end."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_BUDGET, [str(_LIKE_BUDGET_MS)])
            rows = _rows(_IS_LIKE, wanted)
            cursor.execute(_NO_BUDGET)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        return False
    _add(hits, rows)
    return True


def _found(row: _Row, key: str, matched_on: str = "") -> Found:
    canonical_id, merged, score, name, email, entity_class, links_count, name_key = row
    matched_on = "alias" if merged else matched_on or _matched_on(name_key, email, key)
    return Found(canonical_id, name, email, entity_class, links_count, round(score, 4), matched_on)


def _matched_on(name_key: str, email: str, key: str) -> str:
    words = key.split()
    if all(word in name_key for word in words):
        return "name"
    if email and all(word in search_key(email) for word in words):
        return "email"
    # Neither holds it as it stands: the name with a slip of the pen, or what some link calls it.
    return "name" if partial_ratio(name_key, key) >= _SAME_NAME else "alias"


def _rows(statement: str, params: dict[str, Any]) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows: list[_Row] = cursor.fetchall()
        return rows


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
