"""What tests of messages share."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from chat.models import Channel, Message
from chat.tests.support import client, direct, group
from platform_site.binding import bind
from tests.support import Api, threads_close_connections, until_somebody_waits


def people(tenant: Any, count: int) -> list[Api]:
    """Further people of this tenant, signed in."""
    return [client(tenant, f"person{number}") for number in range(count)]


def group_of(owner: Api, *others: Api, **more: Any) -> str:
    """The id of a new group of these."""
    return str(group(owner, *(other.user for other in others), **more)["id"])


def direct_of(one: Api, other: Api) -> str:
    return str(direct(one, other.user)["id"])


def send(person: Api, channel: str, content: str = "Hello team!", **more: Any) -> Any:
    """The answer, whatever it is."""
    return person.post(f"/chat/channels/{channel}/messages", {"content": content, **more})


def sent(person: Api, channel: str, content: str = "Hello team!", **more: Any) -> dict[str, Any]:
    answer = send(person, channel, content, **more)
    assert answer.status_code == 201, answer.content
    return dict(answer.json()["data"])


def change(person: Api, method: str, message: Mapping[str, Any], body: Any = None, path: str = "") -> Any:
    """The answer to a change of this message."""
    return person.call(method, f"/chat/channels/{message['channelId']}/messages/{message['id']}{path}", body)


def edit(person: Api, message: Mapping[str, Any], content: str) -> Any:
    return change(person, "PATCH", message, {"content": content})


def delete(person: Api, message: Mapping[str, Any]) -> Any:
    return change(person, "DELETE", message)


def react(person: Api, message: Mapping[str, Any], emoji: str, method: str = "PUT") -> Any:
    return change(person, method, message, path=f"/reactions/{quote(emoji)}")


def page(person: Api, channel: str, query: str = "") -> dict[str, Any]:
    """The whole answer."""
    answer = person.get(f"/chat/channels/{channel}/messages{query}")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def seqs(messages: Sequence[Mapping[str, Any]]) -> list[int]:
    return [message["seq"] for message in messages]


def said_before(person: Api, channel: str, count: int, **more: Any) -> None:
    """So many messages more, quicker than by sending them."""
    with bind(person.tenant.ref):
        last = Channel.objects.get(id=channel).last_seq
        Message.objects.bulk_create(
            Message(channel_id=channel, seq=seq, sender_id=person.user.id, content=f"m{seq}", **more)
            for seq in range(last + 1, last + count + 1)
        )
        Channel.objects.filter(id=channel).update(last_seq=last + count)


def queries_of_chat(call: Callable[[], Any]) -> int:
    """How many statements touch chat's tables meanwhile."""
    with CaptureQueriesContext(connection) as captured:
        call()
    return sum("chat_" in one["sql"] for one in captured)


def while_locked(group: str, person: Api, call: Callable[[], Any], meanwhile: Callable[[], Any]) -> Any:
    """What ``call`` gives when it waits for the channel's lock while ``meanwhile`` happens behind it."""
    answers: list[Any] = []

    def wait() -> None:
        with threads_close_connections():
            answers.append(call())

    thread = threading.Thread(target=wait)
    with bind(person.tenant.ref), transaction.atomic():
        Channel.objects.select_for_update().get(id=group)
        thread.start()
        until_somebody_waits()
        meanwhile()
    thread.join()
    return answers[0]
