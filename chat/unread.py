"""What is unread, as SQL: an answer and a socket read the same text, by Django's connection or by psycopg's own.

Nothing is counted up or down. What is unread of a channel is the distance between
two numbers, without what was deleted in between; so it cannot drift, and its cost
does not grow with the messages.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection

# Of a row of chat_member and its row of chat_channel. Whose messages are all read costs no look at messages.
_READ_UP_TO: Final = "GREATEST(chat_member.last_read_seq, chat_channel.purged_seq)"
_ANYTHING: Final = f"chat_channel.last_seq > {_READ_UP_TO}"
UNREAD: Final = f"""CASE WHEN {_ANYTHING} THEN
    chat_channel.last_seq - {_READ_UP_TO} - (
        SELECT count(*) FROM chat_message AS gone
         WHERE gone.channel_id = chat_channel.id AND gone.seq > {_READ_UP_TO} AND gone.deleted_at IS NOT NULL)
    ELSE 0 END"""  # noqa: S608 - constants of this file, as everywhere below
MENTIONS: Final = f"""CASE WHEN {_ANYTHING} THEN (
        SELECT count(*) FROM chat_mention AS named
          JOIN chat_message AS said ON said.channel_id = named.channel_id AND said.seq = named.seq
         WHERE named.user_id = chat_member.user_id AND named.channel_id = chat_channel.id
           AND named.seq > {_READ_UP_TO} AND said.deleted_at IS NULL)
    ELSE 0 END"""  # noqa: S608

# One row for each of %(users)s who has something unread; who has nothing has no row. What is muted, left or
# archived asks for nobody's attention. OFFSET keeps the planner from counting twice what is used twice.
TOTALS: Final = f"""
SELECT user_id,
       sum(unread)::bigint AS unread,
       count(*) FILTER (WHERE unread > 0) AS channels,
       sum(mentions)::bigint AS mentions
  FROM (SELECT chat_member.user_id, {UNREAD} AS unread, {MENTIONS} AS mentions
          FROM chat_member JOIN chat_channel ON chat_channel.id = chat_member.channel_id
         WHERE chat_member.user_id = ANY(%(users)s::bigint[]) AND chat_member.left_at IS NULL
           AND chat_channel.archived_at IS NULL
           AND (chat_member.muted_until IS NULL OR chat_member.muted_until <= now())
           AND {_ANYTHING}
         OFFSET 0) AS each
 GROUP BY user_id"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Totals:
    """``channels``: how many have something unread."""

    unread: int = 0
    channels: int = 0
    mentions: int = 0


def unread_totals(user_ids: Iterable[int]) -> Mapping[int, Totals]:
    """What each of these people has not read, in one query."""
    wanted = list(user_ids)
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, {"users": wanted})
        found = {row[0]: Totals(*row[1:]) for row in cursor.fetchall()}
    return {user_id: found.get(user_id, Totals()) for user_id in wanted}


def unread_total(user_id: int) -> Totals:
    return unread_totals([user_id])[user_id]
