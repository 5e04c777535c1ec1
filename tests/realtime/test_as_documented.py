"""What a running server says is what ``docs/asyncapi.json`` says that it says."""

import asyncio
import json
from typing import Any

import jsonschema_rs
import pytest

from notifications.tests.support import raise_lead
from platform_site.realtime.asyncapi import DOCUMENT
from tests.realtime.processes import Process
from tests.realtime.shared import Company, Person
from tests.realtime.sockets import Bare, aside, signed_in_socket

pytestmark = pytest.mark.commits

# It takes a token's end, the end of Valkey, or half a minute of silence to hear these.
SELDOM = {"auth.expiring", "refresh", "ping"}


class Judge:
    """``judge`` looks at everything that a socket heard; ``seen`` are the kinds."""

    def __init__(self) -> None:
        document = json.loads(DOCUMENT.read_text())
        components = document["components"]
        self.seen: set[str] = set()
        self._schemas: dict[str, Any] = {}
        for message in document["operations"]["say"]["messages"]:
            described = components["messages"][message["$ref"].rpartition("/")[2]]
            schema = {**described["payload"], "components": components}
            self._schemas[described["name"]] = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)

    @property
    def kinds(self) -> set[str]:
        return set(self._schemas)

    def judge(self, socket: Bare) -> None:
        for frame in socket.frames:
            assert [error.message for error in self._schemas[frame["t"]].iter_errors(frame)] == [], frame
            self.seen.add(frame["t"])


def ask(person: Person, method: str, path: str, body: Any = None) -> Any:
    answer = person.api.call(method, path, body)
    assert answer.status_code < 300, answer.content
    return answer.json()["data"]


def test_every_frame_is_as_the_document_says(first: Process, company: Company) -> None:
    ada, ben = company.people
    judge = Judge()

    async def ada_does(method: str, path: str, body: Any = None) -> Any:
        return await aside(ask, ada, method, path, body)

    async def live() -> tuple[str, str]:
        async with signed_in_socket(first.url, ben.token) as (socket, _):
            await socket.say({"t": "ping", "id": 7})
            await socket.hear("pong")
            await socket.say({"t": "nonsense", "id": "x"})
            await socket.hear("error")
            await socket.say({"t": "presence", "userIds": [ada.number]})
            await socket.hear("ok")
            await socket.say({"t": "auth", "token": ben.token})
            await socket.hear("ok")
            channel = await aside(company.group)
            await socket.hear("channel.added")
            message = await aside(ada.say, channel, "Hello")
            await socket.hear("message.created")
            await ada_does("PUT", f"/chat/channels/{channel}/messages/{message['id']}/reactions/👍")
            await socket.hear("message.updated")
            await ada_does("PATCH", f"/chat/channels/{channel}", {"name": "Beta"})
            await socket.hear("channel.updated")
            async with signed_in_socket(first.url, ada.token) as (other, _):
                await socket.hear("presence")
                await other.say({"t": "typing", "channelId": channel})
                await socket.hear("typing")
                await socket.say({"t": "read", "channelId": channel, "seq": 1})
                await socket.hear("ok")
                await other.hear("channel.read")
                judge.judge(other)
            await aside(raise_lead, ada.api, ben.api)
            told = (await socket.hear("notification.created"))["d"]["id"]
            await aside(ask, ben, "POST", f"/notifications/{told}/read")
            await socket.hear("notification.read")
            await aside(raise_lead, ada.api, ben.api)
            await socket.hear("notification.created")
            await aside(ask, ben, "POST", "/notifications/mark-all-read")
            await socket.hear("notification.readAll")
            await aside(ask, ben, "DELETE", f"/notifications/{told}")
            await socket.hear("notification.dismissed")
            await socket.hear("counts")
            judge.judge(socket)
        return channel, told

    async def comes_back(channel: str, told: str) -> None:
        async with signed_in_socket(first.url, ben.token, since={channel: [0, 0]}) as (socket, _):
            await socket.hear("resumed")
            judge.judge(socket)
        for _ in range(101):
            await aside(ada.say, channel, "Again")
        position = {"since": {channel: [1, 0]}, "lastNotificationId": told}
        async with signed_in_socket(first.url, ben.token, **position) as (socket, _):
            await socket.hear("gap")
            await ada_does("DELETE", f"/chat/channels/{channel}/members/{ben.number}")
            await socket.hear("channel.removed")
            judge.judge(socket)

    asyncio.run(comes_back(*asyncio.run(live())))
    assert judge.seen == judge.kinds - SELDOM
