"""Frames about messages. ``docs/realtime.md`` has their shapes.

Both are numbered: one that is lost is found by the sweeper, or by the client that
misses its number.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from platform_site.realtime.envelopes import Header
from platform_site.realtime.publishing import Envelope


def message_created(message: Mapping[str, Any], recipients: Iterable[int]) -> Envelope:
    """``message`` as ``presenting_messages`` gives it."""
    channel, seq = message["channelId"], message["seq"]
    header = Header(kind="message", to=tuple(recipients), channel=channel, number=seq)
    return header, {"t": "message.created", "c": channel, "seq": seq, "d": message}


def message_updated(message: Mapping[str, Any], recipients: Iterable[int]) -> Envelope:
    """Edited, deleted or reacted to."""
    channel, seq, change = message["channelId"], message["seq"], message["changeSeq"]
    header = Header(kind="change", to=tuple(recipients), channel=channel, number=change)
    return header, {"t": "message.updated", "c": channel, "seq": seq, "ch": change, "d": message}
