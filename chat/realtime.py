"""Chat on the socket: where somebody stands, what they missed, reading and typing.

This runs in the realtime process, on connections of its own. The statements and
the way from a row to a frame are those of REST.
"""

import time
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from chat.catching_up import plan
from chat.presenting_messages import message_from_row
from chat.services.reading import channel_mark_read
from chat.statements import BEHIND, CHANGES, MESSAGES, RECIPIENTS_OF_MANY
from platform_site.async_binding import Bound
from platform_site.realtime.calling import call_service
from platform_site.realtime.connection import Connection
from platform_site.realtime.envelopes import Header, Kind, pack
from platform_site.realtime.ports import (
    ClientFrame,
    Greeting,
    Numbered,
    Person,
    Source,
    client_frames,
    plug,
    sources,
)
from platform_site.realtime.protocol import Refused, SignIn, whole

# Larger groups do not see who types.
TYPING_GROUP: Final = 50
TYPING_SECONDS: Final = 3.0
# A transaction that took a number may commit this much later than another one's look.
OVERLAP: Final = timedelta(seconds=30)
_FURTHEST: Final = 2**62

_ACTIVE: Final = """
SELECT now.at, channel.id, channel.last_seq, channel.change_seq
  FROM (SELECT clock_timestamp() AS at) AS now
  LEFT JOIN chat_channel AS channel ON channel.active_at > coalesce(%(since)s, now.at) - %(overlap)s
"""
_CONCERNED: Final = """
SELECT DISTINCT channel_id FROM chat_member
 WHERE channel_id = ANY(%(channels)s::uuid[]) AND user_id = ANY(%(people)s) AND left_at IS NULL
"""
_MEMBERS: Final = "SELECT user_id FROM chat_member WHERE channel_id = %(channel)s AND left_at IS NULL"
# When somebody last said in which channel that they type. Of people who are here, and of nobody else for long.
_typed: dict[tuple[UUID, int, str], float] = {}


async def greet(db: Bound, person: Person, hello: SignIn) -> Greeting:
    """Positions of all channels, and what was missed where the client says what it had."""
    # Support that may not read messages is told where things stand, and of no message.
    since = _positions(hello) if person.hears_messages else {}
    rows = await db.fetch(BEHIND, {"user_id": person.user_id, "since": orjson.dumps(since).decode()})
    missed = plan(rows, since)
    frames: list[Mapping[str, Any]] = []
    if missed.messages:
        frames += map(message_frame, await db.fetch(MESSAGES, missed.messages_wanted()))
    if missed.changes:
        frames += map(change_frame, missed.changes_kept(await db.fetch(CHANGES, missed.changes_wanted())))
    # One that is not listed has nothing new and is read to its end.
    news = {row["channel_id"] for row in missed.news}
    shown = [row for row in rows if row["channel_id"] in news or row["last_read_seq"] < row["last_seq"]]
    for row in shown:
        if row["known_seq"] is not None:
            frames.append(_caught_up(row, missed.gaps.get(row["channel_id"])))
    return Greeting(
        ready={"channels": [_position(row) for row in shown], "left": missed.left},
        frames=frames,
        positions={str(row["channel_id"]): (row["last_seq"], row["change_seq"]) for row in rows},
    )


def _positions(hello: SignIn) -> dict[str, tuple[int, int]]:
    """What the client says that it had; a number alone is a position without changes."""
    given = hello.since or {}
    return {
        channel.lower(): (position, 0) if isinstance(position, int) else position
        for channel, position in given.items()
        # No id of a channel, and nothing that jsonb would take.
        if "\x00" not in channel
    }


def _position(row: Mapping[str, Any]) -> list[Any]:
    return [str(row["channel_id"]), row["last_seq"], row["change_seq"], row["last_read_seq"]]


def _caught_up(row: Mapping[str, Any], gap: tuple[int, int] | None) -> dict[str, Any]:
    frame = {"c": str(row["channel_id"]), "to": row["last_seq"], "ch": row["change_seq"]}
    if gap is not None:
        return {"t": "gap", **frame, "from": gap[0], "to": gap[1]}
    return {"t": "resumed", **frame, "from": row["known_seq"] + 1}


def message_frame(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"t": "message.created", "c": str(row["channel_id"]), "seq": row["seq"], "d": message_from_row(row)}


def change_frame(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "t": "message.updated",
        "c": str(row["channel_id"]),
        "seq": row["seq"],
        "ch": row["change_seq"],
        "d": message_from_row(row),
    }


class ChatStore:
    """What the hub asks when Valkey's word did not come."""

    async def active(self, db: Bound, since: datetime | None) -> tuple[datetime, list[tuple[str, int, int]]]:
        rows = await db.fetch(_ACTIVE, {"since": since, "overlap": OVERLAP})
        found = [(str(row["id"]), row["last_seq"], row["change_seq"]) for row in rows if row["id"] is not None]
        return rows[0]["at"], found

    async def stored(self, db: Bound, channel: str, kind: Kind, after: int, upto: int) -> list[Numbered]:
        ranges: dict[str, Any] = {"channels": [UUID(channel)], "firsts": [after + 1], "lasts": [upto]}
        people = await db.fetch(RECIPIENTS_OF_MANY, {"channels": [UUID(channel)]})
        if kind == "message":
            rows = await db.fetch(MESSAGES, ranges)
            return [Numbered(row["seq"], _to(people, row), message_frame(row)) for row in rows]
        everywhere = {"floors": [0], "tops": [_FURTHEST], "limit": upto - after}
        rows = await db.fetch(CHANGES, ranges | everywhere)
        return [Numbered(row["change_seq"], _to(people, row), change_frame(row)) for row in rows]

    async def concerned(self, db: Bound, channels: Collection[str], user_ids: Collection[int]) -> set[str]:
        rows = await db.fetch(_CONCERNED, {"channels": list(map(UUID, channels)), "people": list(user_ids)})
        return {str(row["channel_id"]) for row in rows}

    async def members(self, db: Bound, channel: str) -> list[int]:
        return [row["user_id"] for row in await db.fetch(_MEMBERS, {"channel": UUID(channel)})]


def _to(people: list[dict[str, Any]], row: Mapping[str, Any]) -> list[int]:
    return [one["user_id"] for one in people if one["hidden_seq"] < row["seq"]]


async def read(connection: Connection, frame: dict[str, Any]) -> Mapping[str, Any]:
    """``read``: the service of REST, in a thread that no other socket waits for."""
    state = await call_service(
        connection.somebody,
        channel_mark_read,
        user_id=connection.somebody.user_id,
        channel_id=_channel(frame),
        seq=whole(frame, "seq"),
    )
    return {
        "channelId": str(state.channel_id),
        "lastReadSeq": state.last_read_seq,
        "unreadCount": state.unread,
        "totalUnread": state.total,
    }


async def typing(connection: Connection, frame: dict[str, Any]) -> None:
    """``typing``: to the others who are there. It may be lost."""
    person, channel = connection.somebody, str(_channel(frame))
    now = time.monotonic()
    if now - _typed.get((person.tenant.id, person.user_id, channel), -TYPING_SECONDS) < TYPING_SECONDS:
        return
    members = await _members(connection, channel)
    if person.user_id not in members:
        raise Refused("not_found", "There is nothing here.")
    if len(_typed) > 10_000:
        _typed.clear()
    _typed[person.tenant.id, person.user_id, channel] = now
    others = tuple(sorted(members - {person.user_id}))
    if others and len(members) <= TYPING_GROUP:
        header = Header(kind="fleeting", to=others, at=time.time())
        said = {"t": "typing", "c": channel, "userId": person.user_id}
        await connection.hub.publish(person.tenant.id, pack(header, said))


async def _members(connection: Connection, channel: str) -> frozenset[int]:
    room = connection.hub.room_of(connection)
    known = room.members(channel)
    if known is not None:
        return known
    async with connection.bound() as db:
        return room.remember(channel, await ChatStore().members(db, channel))


def _channel(frame: dict[str, Any]) -> UUID:
    try:
        return UUID(frame["channelId"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Refused("validation_failed", "channelId has to be the id of a channel.") from None


plug(store=ChatStore())
sources.add(Source("chat", greet))
client_frames.add(ClientFrame("read", read))
client_frames.add(ClientFrame("typing", typing))
