"""Ways out of the platform, one small class each. The inbox is none: what is told is there at once."""

from collections.abc import Mapping
from typing import Final

from notifications.channels.base import Channel
from notifications.channels.email import EmailChannel

CHANNELS: Final[Mapping[str, Channel]] = {channel.key: channel for channel in (EmailChannel(),)}
