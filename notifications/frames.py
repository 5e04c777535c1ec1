"""Frames about notifications: a hint, never the truth.

Each carries the count as it is now, never a difference, so that one that was lost
is healed by the next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from platform_site.realtime import publishing
from platform_site.realtime.envelopes import Header

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
    publishing.publish_on_commit(
        (
            Header(kind="plain", to=(frame.user_id,)),
            {"t": f"notification.{frame.kind}", "d": {**frame.data, "unreadCount": frame.unread_count}},
        )
        for frame in frames
    )
