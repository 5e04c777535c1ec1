"""The hub's way of fanning out as a channel layer, for consumers of Channels.

``CHANNEL_LAYERS = {"default": {"BACKEND": "platform_site.realtime.layer.HubChannelLayer"}}``

A group is one name in Valkey, and a process subscribes to it once, whoever of its
consumers are in it. A message is therefore published once and decoded once in each
process. What waits for a consumer that does not take it is bounded; beyond that
messages are dropped for this consumer and counted, as the specification of layers
allows.
"""

import asyncio
from collections import defaultdict
from typing import Any, Final
from uuid import uuid4

import msgspec
import structlog
from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer
from django.conf import settings

from platform_site.realtime.subscription import Subscription

log = structlog.get_logger(__name__)

_SPECIFIC: Final = "hub"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode

Inbox = asyncio.Queue[dict[str, Any]]


class _Process:
    """What consumers of one event loop share."""

    def __init__(self) -> None:
        self.name = f"{_SPECIFIC}.{uuid4().hex}"
        self.inboxes: dict[str, Inbox] = {}
        self.groups: defaultdict[str, set[str]] = defaultdict(set)
        self.dropped = 0
        self.subscription = Subscription(self._hear, self._again)
        self.task = asyncio.get_running_loop().create_task(self.subscription.run())

    async def _hear(self, name: bytes, body: bytes) -> None:
        topic = name.decode()
        message = _decode(body)
        # A message to one consumer names it; one to a group is for whoever is in it.
        channel = message.pop("__channel__", None)
        for each in (channel,) if channel else tuple(self.groups.get(topic, ())):
            inbox = self.inboxes.get(each)
            if inbox is None:
                continue
            try:
                inbox.put_nowait(message)
            except asyncio.QueueFull:
                self.dropped += 1
        # A consumer that has something to do gets its turn before the next message.
        await asyncio.sleep(0)

    async def _again(self) -> None:
        log.warning("realtime.layer_missed_something")


class HubChannelLayer(BaseChannelLayer):
    """``capacity``: messages that may wait for one consumer."""

    extensions = ["groups"]

    def __init__(self, capacity: int = 500, expiry: int = 60, **_: Any) -> None:
        super().__init__(expiry=expiry, capacity=capacity)
        self._processes: dict[asyncio.AbstractEventLoop, _Process] = {}

    async def new_channel(self, prefix: str = "specific") -> str:
        process = self._process()
        await process.subscription.add(self._topic(process.name))
        channel = f"{prefix}.{process.name}!{uuid4().hex}"
        process.inboxes[channel] = asyncio.Queue(self.capacity)
        return channel

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """To one consumer, wherever it is."""
        self.require_valid_channel_name(channel)
        process = self._process()
        inbox = process.inboxes.get(channel)
        if inbox is not None:
            try:
                inbox.put_nowait(dict(message))
            except asyncio.QueueFull:
                raise ChannelFull from None
            return
        owner = channel.rpartition("!")[0].partition(".")[2]
        await process.subscription.publish(self._topic(owner), _encode({**message, "__channel__": channel}))

    async def receive(self, channel: str) -> dict[str, Any]:
        process = self._process()
        try:
            return await process.inboxes.setdefault(channel, asyncio.Queue(self.capacity)).get()
        except (asyncio.CancelledError, GeneratorExit):
            # A consumer that ended: nothing more is kept for it.
            process.inboxes.pop(channel, None)
            raise

    async def group_add(self, group: str, channel: str) -> None:
        self.require_valid_group_name(group)
        process, topic = self._process(), self._topic(group)
        process.groups[topic].add(channel)
        await process.subscription.add(topic)

    async def group_discard(self, group: str, channel: str) -> None:
        self.require_valid_group_name(group)
        process, topic = self._process(), self._topic(group)
        members = process.groups.get(topic)
        if members is None:
            return
        members.discard(channel)
        if not members:
            del process.groups[topic]
            await process.subscription.remove(topic)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """One word to Valkey, whatever the number of members."""
        self.require_valid_group_name(group)
        await self._process().subscription.publish(self._topic(group), _encode(message))

    async def close(self) -> None:
        """For tests, and for a process that ends in order."""
        process = self._processes.pop(asyncio.get_running_loop(), None)
        if process is not None:
            process.task.cancel()
            await asyncio.gather(process.task, return_exceptions=True)
            await process.subscription.close()

    @staticmethod
    def _topic(name: str) -> str:
        return f"{settings.REDIS_PREFIX}:layer:{name}"

    def _process(self) -> _Process:
        loop = asyncio.get_running_loop()
        process = self._processes.get(loop)
        if process is None:
            process = self._processes[loop] = _Process()
        return process
