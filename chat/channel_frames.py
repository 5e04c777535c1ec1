"""Frames about channels: being in one, what everybody sees of it, and up to where somebody has read.

``docs/realtime.md`` has their shapes. They are hints: whoever misses one finds out by loading the channel.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import orjson

from chat.models import Channel
from chat.presenting_channels import present_channel
from chat.selectors.channels import channel_views, memberships
from platform_site.realtime.envelopes import Header
from platform_site.realtime.publishing import Envelope

# In larger groups nobody is told up to where others have read: one person reading would be a frame for everybody.
RECEIPTS_UP_TO: Final = 50


def channel_added(channel_id: UUID, user_ids: Iterable[int]) -> list[Envelope]:
    """For those who are in it now. Most of them see the same, and get it in one envelope."""
    views = channel_views(memberships(user_ids=user_ids, channel_id=channel_id))
    seen: dict[bytes, list[int]] = {}
    for view in views:
        seen.setdefault(orjson.dumps(present_channel(view)), []).append(view.member.user_id)
    return [
        (_header(views[0].channel, people), _frame("channel.added", views[0].channel, shown, position=True))
        for shown, people in seen.items()
    ]


def channel_updated(channel: Channel, user_ids: Iterable[int], changed: Mapping[str, Any]) -> list[Envelope]:
    return _plain(channel, user_ids, "channel.updated", changed)


def channel_removed(channel: Channel, user_ids: Iterable[int]) -> list[Envelope]:
    return _plain(channel, user_ids, "channel.removed")


def channel_read(
    *, channel_id: UUID, user_id: int, seq: int, others: Iterable[int], unread: int, total: int
) -> list[Envelope]:
    """For all devices of the reader with the counts that are left, and for others without.

    The headers name no channel: nobody came or went.
    """
    frame = {"t": "channel.read", "c": str(channel_id), "userId": user_id, "seq": seq}
    own = {**frame, "d": {"unreadCount": unread, "totalUnread": total}}
    told: list[Envelope] = [(Header(kind="plain", to=(user_id,)), own)]
    watching = tuple(other for other in others if other != user_id)
    if watching:
        told.append((Header(kind="plain", to=watching), frame))
    return told


def _plain(
    channel: Channel, user_ids: Iterable[int], kind: str, changed: Mapping[str, Any] | None = None
) -> list[Envelope]:
    people = sorted(user_ids)
    shown = None if changed is None else orjson.dumps(changed)
    return [(_header(channel, people), _frame(kind, channel, shown))] if people else []


def _header(channel: Channel, people: Iterable[int]) -> Header:
    return Header(
        kind="plain", to=tuple(people), channel=str(channel.id), number=channel.last_seq, change=channel.change_seq
    )


def _frame(kind: str, channel: Channel, shown: bytes | None, *, position: bool = False) -> dict[str, Any]:
    frame: dict[str, Any] = {"t": kind, "c": str(channel.id)}
    if position:
        frame |= {"seq": channel.last_seq, "ch": channel.change_seq}
    return frame if shown is None else {**frame, "d": orjson.Fragment(shown)}
