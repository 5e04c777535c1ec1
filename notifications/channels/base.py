"""What a channel is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from notifications.models import Delivery


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is written on a delivery that was sent."""

    mailer: str = ""
    provider_message_id: str = ""
    template_version: int | None = None
    template_fallback: bool = False


class Channel(ABC):
    """Takes one delivery to its person. ``delivery.notification.user`` is loaded."""

    key: ClassVar[str]

    def refuses(self, delivery: Delivery) -> str:
        """Why it cannot go to this person at all; "" when it can."""
        return ""

    @abstractmethod
    def send(self, delivery: Delivery) -> Outcome:
        """Send it, in no transaction. Raises what the world raises."""
