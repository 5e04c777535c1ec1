"""What a client missed, worked out from its positions: the same for sockets and for ``POST /chat/sync``.

Pure. Three statements surround it: ``BEHIND`` gives the rows for ``plan``, and
``MESSAGES`` and ``CHANGES`` take what the plan asks for. Positions are read before
messages, so what happens meanwhile is told twice and never left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final
from uuid import UUID

# Messages of one channel, and changes of one channel.
MOST_OF_A_CHANNEL: Final = 100
# Messages and changes of all channels together.
MOST_IN_ALL: Final = 2000

Position = Sequence[int]


@dataclass
class Plan:
    """``news`` are the rows of ``BEHIND`` that a client has to hear of.

    ``gaps`` are (first, last) by channel: numbers that are too many to be sent and
    are read by REST. Where the first is not beyond what the client knew, messages
    that it has may have changed as well: it loads the channel again.
    """

    limit: int
    news: list[Mapping[str, Any]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    messages: list[tuple[UUID, int, int]] = field(default_factory=list)
    changes: list[tuple[UUID, int, int, int, int]] = field(default_factory=list)
    gaps: dict[UUID, tuple[int, int]] = field(default_factory=dict)

    def messages_wanted(self) -> dict[str, Any]:
        """Parameters of ``MESSAGES``."""
        return _columns(("channels", "firsts", "lasts"), self.messages)

    def changes_wanted(self) -> dict[str, Any]:
        """Parameters of ``CHANGES``: one row more than may be sent, so that too many are noticed."""
        named = _columns(("channels", "firsts", "lasts", "floors", "tops"), self.changes)
        return {**named, "limit": self.limit + 1}

    def changes_kept(self, rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """What ``CHANGES`` gave, without channels of which there is too much: these are gaps now."""
        asked = {channel: (floor + 1, top) for channel, _, _, floor, top in self.changes}
        kept: list[Mapping[str, Any]] = []
        for channel, found in groupby(rows, key=lambda row: row["channel_id"]):
            changed = list(found)
            if len(changed) > self.limit:
                self.miss(channel, *asked[channel])
            else:
                kept += changed
        return kept

    def miss(self, channel: UUID, first: int, last: int) -> None:
        """These numbers are not sent; together with others of the channel they are one gap."""
        if first <= last:
            known = self.gaps.get(channel, (first, last))
            self.gaps[channel] = (min(first, known[0]), max(last, known[1]))


def plan(
    behind: Iterable[Mapping[str, Any]],
    since: Mapping[str, Position],
    *,
    limit: int = MOST_OF_A_CHANNEL,
    most: int = MOST_IN_ALL,
) -> Plan:
    """From rows of ``BEHIND`` and the client's positions, by channel id in lower case."""
    made, left = Plan(limit), set(since)
    for row in behind:
        channel: UUID = row["channel_id"]
        left.discard(str(channel))
        unknown = row["known_seq"] is None
        moved = not unknown and (row["known_seq"], row["known_change"]) != (row["last_seq"], row["change_seq"])
        # What is unread is always told: another device may have read it meanwhile, and this one finds out by that.
        if unknown or moved or row["last_read_seq"] < row["last_seq"]:
            made.news.append(row)
        if moved:
            most -= _missed(made, row, most)
    made.left = sorted(left)
    return made


def _missed(made: Plan, row: Mapping[str, Any], most: int) -> int:
    """Plan what is sent of one channel. Gives how much that is at most."""
    channel, floor, last, known = row["channel_id"], row["floor_seq"], row["last_seq"], row["known_seq"]
    changed = row["change_seq"] - row["known_change"]
    if known > last or changed < 0:
        # A position of another history, from before a backup was restored: nothing of it can be trusted.
        made.miss(channel, floor + 1, last)
        return 0
    used, first = 0, max(known, floor) + 1
    missing = last - first + 1
    if 0 < missing <= min(made.limit, most):
        made.messages.append((channel, first, last))
        used = missing
    else:
        made.miss(channel, first, last)
    if changed and known > floor:
        # So many numbers can be one message only, so here it is rows that count.
        rows = min(changed, made.limit, known - floor)
        if used + rows <= most:
            made.changes.append((channel, row["known_change"] + 1, row["change_seq"], floor, known))
            used += rows
        else:
            made.miss(channel, floor + 1, known)
    return used


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
