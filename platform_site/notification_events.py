"""The catalogue of notification events, which apps fill in their ``notification_events.py``.

An event says what people are told, through which channels, and which fact in the
journal it follows. Telling them is for the notifications app; the event's own app
never calls it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from platform_site.catalog import Catalog
from platform_site.journal.keys import JournalKey
from platform_site.journal.models import JournalEntry

Severity = Literal["low", "normal", "high", "urgent"]
Category = Literal["security", "transactional", "activity"]
IN_APP: Final = "in_app"
EMAIL: Final = "email"


@dataclass(frozen=True, slots=True)
class Trigger:
    """Which fact an event follows.

    ``audience`` gives the numbers of the people to tell, and ``values`` what the
    texts are filled with; both run with the tenant bound. No audience, nobody is told.
    """

    key: JournalKey
    audience: Callable[[JournalEntry], Iterable[int]]
    values: Callable[[JournalEntry], Mapping[str, Any]] = lambda entry: {}


@dataclass(frozen=True, slots=True)
class NotificationEvent:
    """``title`` and ``body`` are Liquid texts over the names in ``sample``, which shows one value for each.

    ``channels`` are those that it can go through, with their defaults; nobody can
    turn off those in ``mandatory``. Urgent events go through quiet hours. Without
    a ``trigger`` it is raised from outside, with an API key.
    """

    key: str
    label: str
    description: str
    title: str
    body: str
    sample: Mapping[str, Any]
    channels: Mapping[str, bool]
    category: Category = "activity"
    severity: Severity = "normal"
    mandatory: frozenset[str] = field(default_factory=frozenset)
    trigger: Trigger | None = None
    # A path in the product's frontend, as Liquid; "" for none.
    action_path: str = ""
    # May come in a digest, for who wants digests.
    digestible: bool = True

    @property
    def in_digests(self) -> bool:
        """Whether its mail may wait for a digest: nothing that is urgent, mandatory or about security may."""
        calm = self.severity in ("low", "normal") and self.category != "security"
        return self.digestible and calm and EMAIL not in self.mandatory

    @property
    def module(self) -> str:
        return self.key.partition(".")[0]


notification_events: Catalog[NotificationEvent] = Catalog("notification events")


def notification_event(event: NotificationEvent) -> NotificationEvent:
    """Declare an event. Raises ``ValueError`` when a mandatory channel is not among its channels."""
    if not event.mandatory <= event.channels.keys():
        raise ValueError(f"{event.key} cannot insist on a channel that it has not.")
    return notification_events.add(event)
