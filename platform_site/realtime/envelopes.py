"""What goes through Valkey: a header for processes, a line break, and the frame as clients get it.

The header says for whom, so that a process need not read the frame, and every
client gets the same bytes. One message is one envelope, whatever the number of
those it goes to. Shapes of the frames: ``docs/realtime.md``.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import orjson

# message: the next message of a channel.  change: the next change of one.  plain: anything else.
# fleeting: what may be dropped when a socket is busy.  presence: about one person, to those who watch them.
# look: no frame; sessions whose records have changed.  count: no frame; people whose counts have changed.
Kind = Literal["message", "change", "plain", "fleeting", "presence", "look", "count"]


class Header(msgspec.Struct, omit_defaults=True, rename={"kind": "k", "channel": "c", "number": "n", "at": "t"}):
    """``to``: numbers of people of this tenant; None is everybody.

    ``channel`` and ``number`` place a message or change in its channel. A plain
    envelope that names a channel is about its members or its being there, with
    ``number`` and ``change`` as the position from which a new member hears of it.
    ``at``: when it was published, in seconds.
    """

    kind: Kind
    to: tuple[int, ...] | None = None
    channel: str | None = None
    number: int = 0
    change: int = 0
    at: float = 0.0
    # look: ids of sessions; none is every session of the tenant.
    sessions: tuple[str, ...] = ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Header).decode


def pack(header: Header, frame: Mapping[str, Any] | bytes = b"") -> bytes:
    return _encode(header) + b"\n" + (frame if isinstance(frame, bytes) else orjson.dumps(frame))


def unpack(envelope: bytes) -> tuple[Header, bytes]:
    """Raises ``msgspec.DecodeError`` for what no process of ours has published."""
    head, _, frame = envelope.partition(b"\n")
    return _decode(head), frame
