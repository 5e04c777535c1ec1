"""The sockets of one tenant in one process, and what is known here about the tenant's channels."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from platform_site.binding import TenantRef
from platform_site.realtime.envelopes import Kind
from platform_site.realtime.lines import Line
from platform_site.realtime.outbound import Message

if TYPE_CHECKING:
    from platform_site.realtime.connection import Connection

# To whom (None: everybody), what, and how many bytes it has.
Waiting = tuple[Sequence[int] | None, Message, int]


class Room:
    """The sockets of one tenant in this process. Nothing crosses from one room to another."""

    __slots__ = (
        "_members",
        "counting",
        "dirty",
        "lines",
        "looked",
        "people",
        "present",
        "swept",
        "swept_until",
        "tenant",
        "watchers",
    )

    def __init__(self, tenant: TenantRef) -> None:
        self.tenant = tenant
        self.people: dict[int, list[Connection]] = {}
        # How many sockets of their own people have here: support that is signed in as somebody is not them.
        self.present: dict[int, int] = {}
        self.watchers: dict[int, set[Connection]] = {}
        self.lines: dict[tuple[str, Kind], Line[Waiting]] = {}
        # Whose counts may have changed.
        self.dirty: set[int] = set()
        self.counting = False
        self.swept = time.monotonic()
        # Everything before it was swept, by the database's clock; None before the first time.
        self.swept_until: datetime | None = None
        self.looked = time.monotonic()
        self._members: dict[str, tuple[float, frozenset[int]]] = {}

    def arrive(self, user_id: int) -> bool:
        """Count a socket of this person's own; gives whether it is the first here."""
        self.present[user_id] = self.present.get(user_id, 0) + 1
        return self.present[user_id] == 1

    def depart(self, user_id: int) -> bool:
        """One less; gives whether it was the last here."""
        self.present[user_id] -= 1
        if self.present[user_id]:
            return False
        del self.present[user_id]
        return True

    def line(self, channel: str, kind: Kind) -> Line[Waiting]:
        line = self.lines.get((channel, kind))
        if line is None:
            line = self.lines[channel, kind] = Line()
        return line

    def heard_of(self, channel: str) -> bool:
        """Whether anybody here was told of it."""
        line = self.lines.get((channel, "message"))
        return line is not None and line.known is not None

    @property
    def connections(self) -> Iterable["Connection"]:
        return (connection for own in self.people.values() for connection in own)

    def members(self, channel: str) -> frozenset[int] | None:
        """Who is in a channel, as it was at most half a minute ago and before any word of a change; None: ask."""
        found = self._members.get(channel)
        return found[1] if found and found[0] > time.monotonic() else None

    def remember(self, channel: str, members: Iterable[int]) -> frozenset[int]:
        if len(self._members) > 1000:
            self._members.clear()
        known = frozenset(members)
        self._members[channel] = (time.monotonic() + 30, known)
        return known

    def forget_members(self, channel: str) -> None:
        self._members.pop(channel, None)
