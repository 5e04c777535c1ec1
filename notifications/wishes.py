"""What somebody wants of an event on a channel: the layers of preferences, most binding first.

Mandatory; what the company insists on; what the person chose for this event, for
its module, for everything; the company's default; the event's own. The rows of
all layers are loaded before, so that deciding asks nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from platform_site.notification_events import NotificationEvent

Source = Literal["mandatory", "enforced", "user", "tenant", "system"]
# Instead of an event's key: every event. With a module before it, as in "sales.*", every event of that module.
EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class Wish:
    """Whether it is to be sent, and which layer said so."""

    enabled: bool
    source: Source

    @property
    def locked(self) -> bool:
        """Nobody can choose otherwise."""
        return self.source in ("mandatory", "enforced")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the company wants, by event or ``EVERYTHING`` and channel; None says nothing."""

    defaults: Mapping[tuple[str, str], bool | None] = field(default_factory=dict)
    enforced: Mapping[tuple[str, str], bool | None] = field(default_factory=dict)

    def default(self, event_key: str, channel: str) -> bool | None:
        return _first(self.defaults, (event_key, EVERYTHING), channel)

    def insists(self, event_key: str, channel: str) -> bool | None:
        return _first(self.enforced, (event_key, EVERYTHING), channel)


@dataclass(frozen=True, slots=True)
class Layers:
    """Everything that decides: the company's policy, and what people chose, by person, event and channel."""

    policy: Policy = field(default_factory=Policy)
    chosen: Mapping[int, Mapping[tuple[str, str], bool]] = field(default_factory=dict)

    def wish(self, event: NotificationEvent, channel: str, user_id: int) -> Wish:
        return wish(event, channel, self.policy, self.chosen.get(user_id, {}))


def keys_of(event_key: str) -> tuple[str, str, str]:
    """Under which keys a person may have chosen something about this event, the most particular first."""
    return event_key, module_key(event_key), EVERYTHING


def module_key(event_key: str) -> str:
    """The key for every event of this one's module."""
    return f"{event_key.partition('.')[0]}.{EVERYTHING}"


def wish(event: NotificationEvent, channel: str, policy: Policy, chosen: Mapping[tuple[str, str], bool | None]) -> Wish:
    """``chosen`` is what the person said, by event, module or ``EVERYTHING`` and channel."""
    if channel in event.mandatory:
        return Wish(True, "mandatory")
    if (enforced := policy.insists(event.key, channel)) is not None:
        return Wish(enforced, "enforced")
    if (own := _first(chosen, keys_of(event.key), channel)) is not None:
        return Wish(own, "user")
    if (default := policy.default(event.key, channel)) is not None:
        return Wish(default, "tenant")
    return Wish(event.channels[channel], "system")


def _first(rows: Mapping[tuple[str, str], bool | None], keys: tuple[str, ...], channel: str) -> bool | None:
    """What the first of these keys says that says anything."""
    return next((said for key in keys if (said := rows.get((key, channel))) is not None), None)
