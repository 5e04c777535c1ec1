"""What somebody wants of an event on a channel: the layers of preferences, most binding first."""

from dataclasses import dataclass
from typing import Literal

from platform_site.notification_events import NotificationEvent

Source = Literal["mandatory", "user", "system"]


@dataclass(frozen=True, slots=True)
class Wish:
    """Whether it is to be sent, and which layer said so."""

    enabled: bool
    source: Source

    @property
    def locked(self) -> bool:
        return self.source == "mandatory"


def wish(event: NotificationEvent, channel: str, chosen: bool | None) -> Wish:
    """``chosen`` is what the person said, None for nothing."""
    if channel in event.mandatory:
        return Wish(True, "mandatory")
    if chosen is not None:
        return Wish(chosen, "user")
    return Wish(event.channels[channel], "system")
