"""Writing events: one statement for as many as there are, and what was there already."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import msgspec
from django.db import DataError, connection, transaction
from django.db.backends.postgresql.base import ServerBindingCursor

from events.new_event import NewEvent

# Two statements that write the same message ids or count for the same records take them in the same order, and
# all ids before the first count: neither can wait for the other in a circle.
_WRITE: Final = """
WITH written AS (
    INSERT INTO events_event (id, canonical_id, app, category, action, occurred_at, message_id, actor_id,
                              source_type, source_id, metadata)
    SELECT (new->>0)::uuid, (new->>1)::uuid, new->>2, new->>3, new->>4, (new->>5)::timestamptz, new->>6,
           (new->>7)::uuid, new->>8, new->>9, new->10
    FROM jsonb_array_elements(%s::jsonb) AS new
    ON CONFLICT (app, message_id) WHERE message_id IS NOT NULL DO NOTHING
    RETURNING canonical_id, occurred_at
), counted AS (
    INSERT INTO events_eventstat AS s (canonical_id, total, first_at, last_at)
    SELECT canonical_id, count(*), min(occurred_at), max(occurred_at) FROM written
    GROUP BY canonical_id ORDER BY canonical_id
    ON CONFLICT (canonical_id) DO UPDATE SET
        total = s.total + excluded.total,
        first_at = least(s.first_at, excluded.first_at),
        last_at = greatest(s.last_at, excluded.last_at)
)
SELECT count(*), statement_timestamp() FROM written
"""
_THERE: Final = """
SELECT e.app, e.message_id, e.id, e.canonical_id, e.received_at
FROM unnest(%s::text[], %s::text[]) AS sent(app, message_id)
JOIN events_event e ON e.app = sent.app AND e.message_id = sent.message_id
"""


# A struct, because five hundred are made for each batch, and a frozen dataclass takes five times as long.
class Stored(msgspec.Struct, frozen=True, gc=False):
    """An event that is there. ``again``: since before, with this id, and about whom it was told then."""

    id: str
    canonical_id: str
    received_at: datetime
    again: bool = False


# For each of the rows, in their order.
Outcome = Sequence[Stored | None]


def events_store(rows: Sequence[NewEvent]) -> Outcome:
    """Write these in the caller's transaction. Gives where each of them is.

    No two of them have the same app and message id.
    """
    outcome: list[Stored | None] = [None] * len(rows)
    keys = [_key(row) for row in rows]
    waiting = sorted(range(len(rows)), key=[(app, message_id or "") for app, message_id in keys].__getitem__)
    while waiting:
        count, now = _write([rows[place] for place in waiting])
        for place in waiting:
            row = rows[place]
            outcome[place] = Stored(row.id, row.canonical_id, now)
        if count == len(waiting):
            break
        there = _there([rows[place] for place in waiting])
        for place in waiting:
            if found := there.get(keys[place]):
                outcome[place] = found
        # What was in the way has been let go of since: then there is room for it.
        waiting = [place for place in waiting if rows[place].message_id is not None and keys[place] not in there]
    return outcome


def events_store_one_by_one(rows: Sequence[NewEvent]) -> Outcome:
    """The same when the database refuses something: halves of halves, until what it refuses stands alone.

    That one has None.
    """
    try:
        with transaction.atomic():
            return events_store(rows)
    except DataError:
        if len(rows) == 1:
            return [None]
    middle = len(rows) // 2
    return [*events_store_one_by_one(rows[:middle]), *events_store_one_by_one(rows[middle:])]


def _key(row: NewEvent) -> tuple[str, str | None]:
    return row.app, row.message_id


def _write(rows: Sequence[NewEvent]) -> tuple[int, datetime]:
    with _server_binds(), connection.cursor() as cursor:
        cursor.execute(_WRITE, [msgspec.json.encode(rows).decode()])
        ((count, now),) = cursor.fetchall()
    return count, now


@contextmanager
def _server_binds() -> Iterator[None]:
    """Cursors that are opened now send values beside the statement. A text of a hundred kilobytes is then neither
    quoted here nor read as SQL there.
    """
    connection.ensure_connection()
    wrapped = connection.connection
    usual = wrapped.cursor_factory
    wrapped.cursor_factory = ServerBindingCursor
    try:
        yield
    finally:
        wrapped.cursor_factory = usual


def _there(rows: Sequence[NewEvent]) -> dict[tuple[str, str | None], Stored]:
    keyed = [row for row in rows if row.message_id is not None]
    own = {row.id for row in keyed}
    with connection.cursor() as cursor:
        cursor.execute(_THERE, [[row.app for row in keyed], [row.message_id for row in keyed]])
        return {
            (app, message_id): Stored(str(event_id), str(canonical_id), received_at, again=str(event_id) not in own)
            for app, message_id, event_id, canonical_id, received_at in cursor.fetchall()
        }
