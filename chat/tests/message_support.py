"""What tests of messages share."""

from collections.abc import Sequence
from typing import Any

from accounts.roles import Role
from accounts.services.passwords import password_hash
from accounts.services.people import user_create
from chat.models import Message
from platform_site.binding import bind
from tests.support import PASSWORD, Api, signed_in


def more_people(tenant: Any, count: int, *, role: Role = Role.USER) -> list[Api]:
    """Further people of this tenant, signed in."""
    clients = []
    for number in range(count):
        email = f"{role}-{number}@{tenant.slug}.test"
        with bind(tenant.ref):
            user_create(email=email, first_name=f"P{number}", role=role, password=password_hash(PASSWORD))
        clients.append(signed_in(tenant, email))
    return clients


def group_of(owner: Api, *others: Api, name: str = "Project Alpha") -> str:
    """The id of a new group of these."""
    answer = owner.post("/chat/channels/group", {"name": name, "memberIds": [one.user.id for one in others]})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["data"]["id"])


def direct_of(one: Api, other: Api) -> str:
    answer = one.post("/chat/channels/direct", {"userId": other.user.id})
    assert answer.status_code in (200, 201), answer.content
    return str(answer.json()["data"]["id"])


def send(person: Api, channel: str, content: str = "Hello team!", **more: Any) -> Any:
    """The answer, whatever it is."""
    return person.post(f"/chat/channels/{channel}/messages", {"content": content, **more})


def sent(person: Api, channel: str, content: str = "Hello team!", **more: Any) -> dict[str, Any]:
    answer = send(person, channel, content, **more)
    assert answer.status_code == 201, answer.content
    return dict(answer.json()["data"])


def page(person: Api, channel: str, query: str = "") -> dict[str, Any]:
    """The whole answer of a page."""
    answer = person.get(f"/chat/channels/{channel}/messages{query}")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def seqs(messages: Sequence[dict[str, Any]]) -> list[int]:
    return [message["seq"] for message in messages]


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def many(person: Api, channel: str, count: int) -> None:
    """So many messages more, quicker than sent."""
    from chat.models import Channel

    with bind(person.tenant.ref):
        last = Channel.objects.get(id=channel).last_seq
        Message.objects.bulk_create(
            Message(channel_id=channel, seq=last + number, sender_id=person.user.id, content=f"m{last + number}")
            for number in range(1, count + 1)
        )
        Channel.objects.filter(id=channel).update(last_seq=last + count)
