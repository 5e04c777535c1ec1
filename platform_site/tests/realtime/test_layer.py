"""The hub as a channel layer, with two processes' worth of it on one real Valkey."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.exceptions import ChannelFull

from platform_site.realtime.layer import HubChannelLayer

pytestmark = pytest.mark.django_db


def with_layers(test: Callable[[HubChannelLayer, HubChannelLayer], Awaitable[None]], **options: Any) -> None:
    """Two layers are to each other what two processes are: each has a subscription of its own."""

    async def run() -> None:
        one, other = HubChannelLayer(**options), HubChannelLayer(**options)
        try:
            async with asyncio.timeout(10):
                await test(one, other)
        finally:
            await one.close()
            await other.close()

    asyncio.run(run())


def test_a_group_hears_in_all_processes_and_once() -> None:
    async def test(one: HubChannelLayer, other: HubChannelLayer) -> None:
        first, second, far = await one.new_channel(), await one.new_channel(), await other.new_channel()
        for layer, channel in ((one, first), (one, second), (other, far)):
            await layer.group_add("room", channel)
        await one.group_send("room", {"type": "said", "text": "hello"})
        await other.group_send("elsewhere", {"type": "said", "text": "not for us"})
        await other.group_send("room", {"type": "said", "text": "bye"})
        for layer, channel in ((one, first), (one, second), (other, far)):
            heard = [await layer.receive(channel), await layer.receive(channel)]
            assert sorted(each["text"] for each in heard) == ["bye", "hello"]

    with_layers(test)


def test_who_left_hears_nothing_more() -> None:
    async def test(one: HubChannelLayer, other: HubChannelLayer) -> None:
        gone, there = await one.new_channel(), await one.new_channel()
        await one.group_add("room", gone)
        await one.group_add("room", there)
        await one.group_discard("room", gone)
        await other.group_send("room", {"type": "said"})
        assert await one.receive(there) == {"type": "said"}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.receive(gone), 0.2)

    with_layers(test)


def test_one_consumer_is_reached_wherever_it_is() -> None:
    async def test(one: HubChannelLayer, other: HubChannelLayer) -> None:
        here, there = await one.new_channel(), await other.new_channel()
        await one.send(there, {"type": "for you"})
        await one.send(here, {"type": "for me"})
        assert await other.receive(there) == {"type": "for you"}
        assert await one.receive(here) == {"type": "for me"}

    with_layers(test)


def test_what_waits_for_a_consumer_is_bounded() -> None:
    async def test(one: HubChannelLayer, other: HubChannelLayer) -> None:
        channel = await one.new_channel()
        await one.send(channel, {"type": "first"})
        await one.send(channel, {"type": "second"})
        with pytest.raises(ChannelFull):
            await one.send(channel, {"type": "third"})

    with_layers(test, capacity=2)
