"""Frames for sockets, published to Valkey: a hint, never the truth.

One message is a header, a line break and the frame as clients get it. The header
says for whom (``to``: numbers of people), so that a process of sockets need not
read the frame. Each frame carries the count as it is now, never a difference, so
that one that was lost is healed by the next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import structlog
from django.db import transaction

from platform_site import valkey
from platform_site.binding import require_tenant

log = structlog.get_logger(__name__)

Kind = Literal["created", "read", "readAll", "dismissed"]


@dataclass(frozen=True, slots=True)
class Frame:
    """``notification.<kind>`` for one person."""

    kind: Kind
    user_id: int
    unread_count: int
    data: Mapping[str, Any]


def publish_on_commit(frames: Iterable[Frame]) -> None:
    """Publish once the caller's transaction is committed. Is Valkey away, sockets learn it when they ask again."""
    messages = [_message(frame) for frame in frames]
    channel = valkey.key("rt", require_tenant().id.hex)
    if messages:
        transaction.on_commit(lambda: _publish(channel, messages))


def _message(frame: Frame) -> bytes:
    header = orjson.dumps({"k": "ntf", "to": [frame.user_id]})
    body = {"t": f"notification.{frame.kind}", "d": {**frame.data, "unreadCount": frame.unread_count}}
    return header + b"\n" + orjson.dumps(body)


def _publish(channel: str, messages: list[bytes]) -> None:
    try:
        pipeline = valkey.client().pipeline(transaction=False)
        for message in messages:
            pipeline.publish(channel, message)
        pipeline.execute()
    except valkey.ValkeyAway as error:
        log.info("notifications.not_published", frames=len(messages), error=type(error).__name__)
