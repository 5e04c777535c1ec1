"""Who hears of a channel, when who is in it changes under open sockets."""

import asyncio

import pytest

from tests.realtime.processes import Process
from tests.realtime.readers import agree, reading
from tests.realtime.shared import Company, Shared
from tests.realtime.sockets import aside, signed_in_socket

pytestmark = pytest.mark.timeout(120)


def test_whoever_is_taken_out_hears_no_more(first: Process, shared: Shared) -> None:
    company = Company(3)
    alice, bob, carol = company.people
    channel = company.group()

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, bob.token) as (goes, _),
            signed_in_socket(first.url, carol.token) as (stays, _),
        ):
            await aside(alice.say, channel, "for all of us")
            await goes.hear("message.created")
            # Who is in it is known to the process from here on.
            await stays.say({"t": "typing", "channelId": channel})
            await goes.hear("typing")
            answer = await aside(alice.api.call, "DELETE", f"/chat/channels/{channel}/members/{bob.number}")
            assert answer.status_code == 200, answer.content
            assert (await goes.hear("channel.removed"))["c"] == channel
            said = await aside(alice.say, channel, "for the two of us")
            await stays.hear("message.created", lambda frame: frame["seq"] == said["seq"])
            # Frames come in order, so what was sent before this would be here.
            await goes.say({"t": "ping"})
            await goes.hear("pong")
            assert [frame["seq"] for frame in goes.frames if frame["t"] == "message.created"] == [1]
            await goes.say({"t": "typing", "channelId": channel})
            assert (await goes.hear("error"))["code"] == "not_found"
            await goes.say({"t": "read", "channelId": channel, "seq": 2})
            assert (await goes.hear("error"))["code"] == "not_found"

    asyncio.run(listen())


def test_whoever_is_let_in_hears_from_then_on(first: Process, shared: Shared) -> None:
    company = Company(3)
    alice, bob, carol = company.people
    channel = company.group([1, 2])

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, carol.token) as (socket, ready),
            reading([carol], first) as readers,
        ):
            assert ready["channels"] == []
            for number in range(3):
                await aside(alice.say, channel, f"before {number}")
            answer = await aside(alice.api.post, f"/chat/channels/{channel}/members", {"memberIds": [carol.number]})
            assert answer.status_code == 200, answer.content
            added = await socket.hear("channel.added")
            assert (added["c"], added["seq"], added["d"]["id"]) == (channel, 3, channel)
            assert [frame["t"] for frame in socket.frames if frame.get("c") == channel] == ["channel.added"]
            await aside(bob.say, channel, "welcome")
            assert (await socket.hear("message.created"))["seq"] == 4
            await agree(readers, channel, [(4, "welcome")])

    asyncio.run(listen())
