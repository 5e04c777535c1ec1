"""What a channel is."""

from abc import ABC, abstractmethod
from typing import ClassVar

from notifications.models import Delivery


class Channel(ABC):
    """Takes one delivery to its person."""

    key: ClassVar[str]

    @abstractmethod
    def send(self, delivery: Delivery) -> None:
        """Send it, in no transaction; ``delivery.notification.user`` is loaded. Raises what the world raises."""
