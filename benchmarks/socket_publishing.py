"""How messages get to sockets: as the product publishes them, and by a channel layer."""

import time
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

import orjson
from channels.layers import get_channel_layer

from chat.presenting_messages import message_from_row
from platform_site.ids import uuid7
from platform_site.realtime.envelopes import Header
from platform_site.realtime.publishing import publish, topic

# In the content, so that who receives the frame finds it without reading JSON.
MARK = b"~"
# The digits of time.time_ns(), a dot, and those of a message's number.
TIME_DIGITS, NUMBER_DIGITS = 19, 9
_FILLING = "Hello team! The numbers for the third quarter are in; have a look before we talk."
_ROW: dict[str, Any] = {
    "change_seq": 0,
    "sender_id": 1,
    "sender_uuid": uuid4(),
    "sender_name": "Ada Lovelace",
    "sender_avatar_url": "",
    "sender_status": "active",
    "client_message_id": None,
    "reply_to": None,
    "mentioned": [],
    "mentioned_people": None,
    "reactions": None,
    "created_at": datetime(2026, 11, 27, 9, tzinfo=UTC),
    "edited_at": None,
    "deleted_at": None,
}


class Channel(Protocol):
    """Somewhere to publish to; messages are numbered 1, 2, 3 …"""

    number: int

    async def publish(self) -> None: ...


def message_created(channel: UUID, number: int) -> dict[str, Any]:
    """The frame of a new message as chat makes it, with the time of now in it."""
    content = f"~{time.time_ns():0{TIME_DIGITS}}.{number:0{NUMBER_DIGITS}} {_FILLING}"
    row = {**_ROW, "id": uuid7(), "channel_id": channel, "seq": number, "content": content}
    return {"t": "message.created", "c": str(channel), "seq": number, "d": message_from_row(row)}


class OurChannel:
    """A channel of the product: one envelope for all who are in it."""

    def __init__(self, tenant: str, channel: str, members: list[int]) -> None:
        self.number = 0
        self._topic, self._channel, self._members = topic(UUID(tenant)), UUID(channel), tuple(members)

    async def publish(self) -> None:
        self.number += 1
        header = Header("message", to=self._members, channel=str(self._channel), number=self.number)
        publish(self._topic, [(header, message_created(self._channel, self.number))])


class StockChannel:
    """A group of a channel layer, sent to from one event loop: the cheapest way that there is."""

    def __init__(self, group: str) -> None:
        self.number = 0
        self._layer, self._group, self._channel = get_channel_layer(), group, uuid7()

    async def publish(self) -> None:
        self.number += 1
        text = orjson.dumps(message_created(self._channel, self.number)).decode()
        await self._layer.group_send(self._group, {"type": "chat.message", "text": text})


def channel(what: dict[str, Any]) -> Channel:
    return StockChannel(**what) if "group" in what else OurChannel(**what)
