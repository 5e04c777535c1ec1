"""A message as clients get it: from a row to the map that answers and frames share.

Pure: it asks no database and knows nothing of REST, so that the realtime process
can use it on rows of its own. Columns of a row: ``statements``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from platform_site.moments import wire_time

# In ``mentioned``: everybody in the channel.
EVERYBODY: Final = 0
DELETED_USER: Final = "Deleted user"
_ERASED: Final = "erased"


def message_from_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One message. A deleted one is a tombstone: a number, a time and a sender without words."""
    shown = sender_from_row(row)
    gone = row["deleted_at"] is not None
    return {
        "id": str(row["id"]),
        "channelId": str(row["channel_id"]),
        "seq": row["seq"],
        "changeSeq": row["change_seq"],
        "sender": shown,
        "senderName": DELETED_USER if shown is None else shown["displayName"],
        "content": "" if gone else row["content"],
        "contentType": "text/plain",
        "clientMessageId": row["client_message_id"],
        "replyTo": None if row["reply_to"] is None else str(row["reply_to"]),
        "mentions": [] if gone else [_mentioned(person) for person in row["mentioned_people"] or ()],
        "mentionsEveryone": not gone and EVERYBODY in row["mentioned"],
        "reactions": [] if gone else [_reaction(one) for one in row["reactions"] or ()],
        "createdAt": wire_time(row["created_at"]),
        "editedAt": _moment(row["edited_at"]),
        "deletedAt": _moment(row["deleted_at"]),
    }


def messages_from_rows(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [message_from_row(row) for row in rows]


def sender_from_row(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """None for somebody who was deleted for good: there is nobody left to show."""
    if row["sender_status"] == _ERASED:
        return None
    return {
        "id": str(row["sender_uuid"]),
        "userId": row["sender_id"],
        "displayName": row["sender_name"],
        "avatarUrl": row["sender_avatar_url"] or None,
        "active": row["sender_status"] == "active",
    }


def _mentioned(person: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(person["uuid"]),
        "userId": person["id"],
        "displayName": DELETED_USER if person["status"] == _ERASED else person["name"],
    }


def _reaction(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"emoji": one["emoji"], "count": len(one["users"]), "userIds": list(one["users"])}


def _moment(value: Any) -> str | None:
    return None if value is None else wire_time(value)
