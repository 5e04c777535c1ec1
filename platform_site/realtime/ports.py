"""Where apps plug into the socket. The kit knows none of them; they register in their ``realtime.py``."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from platform_site.async_binding import Bound
from platform_site.binding import TenantRef
from platform_site.catalog import Catalog
from platform_site.realtime.envelopes import Kind
from platform_site.realtime.protocol import SignIn

if TYPE_CHECKING:
    from platform_site.realtime.connection import Connection


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a socket belongs to. ``until``: when the credential ends, in seconds since 1970.

    ``impersonator``: the staff member who is signed in as this person, else "";
    ``messages_until``: until when such a one may read messages, in seconds since 1970.
    """

    tenant: TenantRef
    session_id: UUID
    user_id: int
    user_uuid: UUID
    until: float
    # Another one means that the tenant was restored from a backup, and its numbers may have gone back.
    epoch: int
    impersonator: str = ""
    messages_until: float = 0.0

    @property
    def hears_messages(self) -> bool:
        return not self.impersonator or self.messages_until > time.time()


class Door(Protocol):
    """Who may come in, and who may stay. Raises ``Closing``."""

    async def by_token(self, token: str) -> Person: ...

    async def by_ticket(self, ticket: str) -> Person: ...

    async def alive(self, tenant: TenantRef, sessions: Collection[UUID]) -> set[UUID]:
        """Which of these sessions still live. Raises ``Closing`` when nobody of the tenant may stay."""


@dataclass(slots=True)
class Greeting:
    """What a source adds to ``ready``, and the frames after it. ``positions``: channel -> (seq, changeSeq)."""

    ready: dict[str, Any] = field(default_factory=dict)
    frames: list[Mapping[str, Any]] = field(default_factory=list)
    positions: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """An app that has something to say when somebody comes."""

    key: str
    greet: Callable[[Bound, Person, SignIn], Awaitable[Greeting]]


@dataclass(frozen=True, slots=True)
class Numbered:
    """One message or change as it was stored, ready to be handed on."""

    number: int
    to: Sequence[int]
    frame: Mapping[str, Any]


class Store(Protocol):
    """Where what is numbered is stored: the truth behind the lines of a tenant."""

    async def active(self, db: Bound, since: datetime | None) -> tuple[datetime, list[tuple[str, int, int]]]:
        """The database's time, and (channel, seq, changeSeq) of channels in which something happened since then.

        ``since`` is what this gave the last time, and None the first time. What
        was being committed at that time has to be among them.
        """

    async def stored(self, db: Bound, channel: str, kind: Kind, after: int, upto: int) -> list[Numbered]:
        """What has the numbers ``after + 1`` to ``upto``."""

    async def concerned(self, db: Bound, channels: Collection[str], user_ids: Collection[int]) -> set[str]:
        """Which of these channels have any of these people in them."""

    async def members(self, db: Bound, channel: str) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class ClientFrame:
    """A kind of frame that clients send. What ``handle`` returns is answered as ``ok``; None answers nothing."""

    key: str
    handle: Callable[["Connection", dict[str, Any]], Awaitable[Mapping[str, Any] | None]]


sources: Catalog[Source] = Catalog("sources of greetings")
client_frames: Catalog[ClientFrame] = Catalog("frames of clients")


@dataclass(slots=True)
class _Plugged:
    door: Door | None = None
    store: Store | None = None


_plugged = _Plugged()


def plug(*, door: Door | None = None, store: Store | None = None) -> None:
    """There is one door and one store; accounts and chat bring them."""
    _plugged.door = door or _plugged.door
    _plugged.store = store or _plugged.store


def the_door() -> Door:
    if _plugged.door is None:
        raise LookupError("Nobody says who may open a socket.")
    return _plugged.door


def the_store() -> Store:
    if _plugged.store is None:
        raise LookupError("Nobody stores what is numbered.")
    return _plugged.store
