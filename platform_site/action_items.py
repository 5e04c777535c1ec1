"""The catalogue of what waits for people, which apps fill in their ``catalog.py``.

A source finds what waits for whoever asks. Putting all sources together is for
``/me/action-items``; one that fails or takes too long is missing there, and said so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from platform_site.api.identity import Identity
from platform_site.catalog import Catalog
from platform_site.permissions import Permission

Priority = Literal["low", "normal", "high", "urgent"]
State = Literal["overdue", "due_soon", "open"]
# The least first.
PRIORITIES: Final[tuple[Priority, ...]] = ("low", "normal", "high", "urgent")
STATES: Final[tuple[State, ...]] = ("overdue", "due_soon", "open")


@dataclass(frozen=True, slots=True)
class Window:
    """Now, and days as the clocks of whoever asks show them: when today and tomorrow begin, and when "soon" ends."""

    now: datetime
    today: datetime
    tomorrow: datetime
    soon: datetime
    # No more than these are shown of all sources together.
    limit: int

    def state_of(self, due_at: datetime | None) -> State:
        """Something is overdue from the day after it was due on."""
        if due_at is None or due_at >= self.soon:
            return "open"
        return "overdue" if due_at < self.today else "due_soon"


@dataclass(frozen=True, slots=True)
class ActionItem:
    """One thing that waits. ``id`` is the same each time it is found; ``entity`` is a record of the registry."""

    id: str
    app: str
    type: str
    title: str
    url: str = ""
    priority: Priority = "normal"
    due_at: datetime | None = None
    entity: UUID | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """``due_today`` are among ``due_soon``."""

    total: int = 0
    overdue: int = 0
    due_today: int = 0
    due_soon: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What waits, and how much of it there is: a source with many items may give only the first of them."""

    items: Sequence[ActionItem]
    counts: Counts


NOTHING: Final = Found((), Counts())


def found(items: Sequence[ActionItem], window: Window) -> Found:
    """All that there is."""
    states = [window.state_of(item.due_at) for item in items]
    today = sum(item.due_at is not None and window.today <= item.due_at < window.tomorrow for item in items)
    return Found(items, Counts(len(items), states.count("overdue"), today, states.count("due_soon")))


@dataclass(frozen=True, slots=True)
class ActionSource:
    """``find`` reads only, with the tenant bound, in as many queries whatever there is, and within 500 milliseconds.

    With ``needs``, only for those who hold this permission.
    """

    key: str
    find: Callable[[Identity, Window], Found]
    needs: Permission | None = None


action_sources: Catalog[ActionSource] = Catalog("sources of action items")
