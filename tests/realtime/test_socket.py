"""The socket's life: signing in, hearing, being refused, and its end."""

import asyncio
from typing import Any

import pytest

from tests.realtime.processes import Process
from tests.realtime.sockets import aside, bare, signed_in_socket
from tests.support import Api

pytestmark = pytest.mark.commits


def direct(one: Api, other: Api) -> str:
    answer = one.post("/chat/channels/direct", {"userId": other.user.id})
    assert answer.status_code in (200, 201), answer.content
    return str(answer.json()["data"]["id"])


def send(one: Api, channel: str, content: str = "Hello") -> dict[str, Any]:
    answer = one.post(f"/chat/channels/{channel}/messages", {"content": content})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()["data"]
    return found


def test_a_message_arrives_as_rest_gives_it(realtime: Process, alice: Api, bob: Api) -> None:
    channel = direct(alice, bob)

    async def listen() -> None:
        async with signed_in_socket(realtime.url, bob.token) as (socket, ready):
            assert ready["channels"] == [[channel, 0, 0, 0]] or ready["channels"] == []
            sent = await aside(send, alice, channel)
            frame = await socket.hear("message.created")
            assert frame == {"t": "message.created", "c": channel, "seq": 1, "d": sent}
            counts = await socket.hear("counts")
            assert counts["d"]["chat"] == 1

    asyncio.run(listen())


def test_nobody_comes_in_without_a_token(realtime: Process) -> None:
    async def listen() -> None:
        async with bare(realtime.url) as socket:
            await socket.say({"t": "ping"})
            assert await socket.closed() == 4500
        async with bare(realtime.url) as socket:
            await socket.say({"t": "auth", "token": "x"})
            assert await socket.closed() == 4503

    asyncio.run(listen())


def test_what_a_module_puts_is_counted_at_once(realtime: Process, alice: Api, bob: Api) -> None:
    """Nothing is said of the item itself: only that the counts are others."""

    def put(**body: Any) -> Any:
        answer = alice.call("PUT", f"/action-items/sales/{body['title']}", body)
        assert answer.status_code == 201, answer.content
        return answer.json()["data"]["id"]

    async def listen() -> None:
        async with signed_in_socket(realtime.url, bob.token) as (socket, ready):
            assert ready["counts"]["tasks"] == 0
            item = await aside(lambda: put(title="mine", assignee=bob.user.id))
            assert (await socket.hear("counts"))["d"]["tasks"] == 1
            await aside(lambda: put(title="everybodys", role="user"))
            assert (await socket.hear("counts", lambda frame: frame["d"]["tasks"] != 1))["d"]["tasks"] == 2
            await aside(bob.post, f"/me/action-items/{item}/done")
            assert (await socket.hear("counts", lambda frame: frame["d"]["tasks"] != 2))["d"]["tasks"] == 1

    asyncio.run(listen())
