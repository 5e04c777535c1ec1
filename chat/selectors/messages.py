"""Reading messages, as one of a channel's members sees them. Rows are those of ``chat.statements``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from chat import statements
from chat.catching_up import MOST_OF_A_CHANNEL, Plan, Position, plan
from chat.mentions import Named
from chat.presenting_messages import message_from_row, messages_from_rows
from platform_site.errors import NOT_FOUND, PlatformError

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """A range of a channel's numbers, both ends in it; empty when the first is beyond the last."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a channel is, and its member in it. What can be seen begins behind ``floor_seq``."""

    last_seq: int
    change_seq: int
    last_read_seq: int
    floor_seq: int
    around_seq: int | None

    def newest(self, limit: int) -> Window:
        return self._cut(self.last_seq - limit + 1, self.last_seq)

    def before(self, seq: int, limit: int) -> Window:
        """The latest that are older."""
        last = min(seq - 1, self.last_seq)
        return self._cut(last - limit + 1, last)

    def after(self, seq: int, limit: int) -> Window:
        """The first that are newer."""
        first = max(seq, self.floor_seq) + 1
        return self._cut(first, first + limit - 1)

    def around(self, limit: int) -> Window:
        """With the message in the middle, as far as there is something on both sides. Raises ``not_found``."""
        if self.around_seq is None or self.around_seq <= self.floor_seq:
            raise PlatformError(NOT_FOUND)
        last = max(min(self.around_seq + limit // 2, self.last_seq), self.floor_seq + limit)
        return self._cut(last - limit + 1, last)

    def _cut(self, first: int, last: int) -> Window:
        return Window(max(first, self.floor_seq + 1), min(last, self.last_seq))


def rows_of(statement: str, params: Mapping[str, Any]) -> list[Row]:
    """The rows of one of chat's statements, by column."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def place_in(*, user_id: int, channel_id: UUID, around: UUID | None = None) -> Place:
    """Somebody's place in a channel; raises ``not_found`` for who is not in it."""
    found = rows_of(statements.POSITION, {"user_id": user_id, "channel_id": channel_id, "around": around})
    if not found:
        raise PlatformError(NOT_FOUND)
    return Place(**found[0])


def messages_in(channel_id: UUID, window: Window) -> list[dict[str, Any]]:
    """Messages of these numbers, the oldest first, in one query. Numbers have no holes, so a page is a range."""
    if window.first > window.last:
        return []
    wanted = {"channels": [channel_id], "firsts": [window.first], "lasts": [window.last]}
    return messages_from_rows(rows_of(statements.MESSAGES, wanted))


def message_shown(message_id: UUID) -> dict[str, Any]:
    """A message as clients get it now."""
    return message_from_row(message_row(message_id))


def message_row(message_id: UUID) -> Row:
    """Raises ``not_found``: its time may have been over a moment ago."""
    found = rows_of(statements.MESSAGE, {"id": message_id})
    if not found:
        raise PlatformError(NOT_FOUND)
    return found[0]


def recipients_of(channel_id: UUID, seq: int, *, statement: str = statements.RECIPIENTS) -> list[int]:
    """Whom a message goes to, or a change of it."""
    return [row["user_id"] for row in rows_of(statement, {"channel_id": channel_id, "seq": seq})]


def people_named(channel_id: UUID, named: Named) -> list[Row]:
    """Who of those in a text is in the channel; no query when nobody is in the text."""
    if not named.anybody:
        return []
    wanted = {"channel_id": channel_id, "numbers": list(named.numbers), "uuids": list(named.uuids)}
    return rows_of(statements.MEMBERS_AMONG, wanted)


def messages_found(
    *, user_id: int, query: str, channel_id: UUID | None = None, before: UUID | None = None, limit: int
) -> list[Row]:
    """Messages with all the words, the newest first. Raises ``not_found`` for a channel that the person is not in."""
    if channel_id is not None:
        place_in(user_id=user_id, channel_id=channel_id)
    wanted = {"user_id": user_id, "query": query, "channel_id": channel_id, "before": before, "limit": limit}
    return rows_of(statements.SEARCH, wanted)


@dataclass(frozen=True, slots=True)
class Missed:
    """What a client missed. ``messages`` and ``changes`` are as clients get them."""

    plan: Plan
    messages: Sequence[dict[str, Any]]
    changes: Sequence[dict[str, Any]]


def missed(*, user_id: int, since: Mapping[str, Position], limit: int = MOST_OF_A_CHANNEL) -> Missed:
    """What is behind these positions (by channel id in lower case): three queries at most."""
    behind = rows_of(statements.BEHIND, {"user_id": user_id, "since": orjson.dumps(since).decode()})
    made = plan(behind, since, limit=limit)
    messages = rows_of(statements.MESSAGES, made.messages_wanted()) if made.messages else []
    changes = rows_of(statements.CHANGES, made.changes_wanted()) if made.changes else []
    kept = made.changes_kept(changes)
    return Missed(made, messages_from_rows(messages), messages_from_rows(kept))
