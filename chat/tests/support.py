"""What tests of chat share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from accounts.services.people import user_create
from chat.models import Channel, Member, Mention, Message
from platform_site import valkey
from platform_site.binding import bind
from platform_site.realtime.publishing import topic
from tests.support import Api, signed_in
from tests.support import data as data
from tests.support import error as error

UNKNOWN = "019aaf1e-5d2c-7a31-9c0e-000000000009"


def person(tenant: Any, name: str, role: Role = Role.USER, status: User.Status = User.Status.ACTIVE) -> User:
    """One more person of the tenant, by the address ``<name>@<slug>.test``."""
    with bind(tenant.ref):
        return user_create(email=f"{name}@{tenant.slug}.test", first_name=name.title(), role=role, status=status)


def client(tenant: Any, name: str, role: Role = Role.USER) -> Api:
    """The same, signed in."""
    made = person(tenant, name, role)
    return signed_in(tenant, made.email_key)


def direct(somebody: Api, other: Any, status: int = 201) -> dict[str, Any]:
    """The channel of these two, as the first one sees it."""
    return dict(data(somebody.post("/chat/channels/direct", {"userId": other.id}), status))


def group(owner: Api, *others: Any, name: str = "Project Alpha") -> dict[str, Any]:
    body = {"name": name, "memberIds": [other.id for other in others]}
    return dict(data(owner.post("/chat/channels/group", body), 201))


def channels(somebody: Api, query: str = "") -> list[dict[str, Any]]:
    return list(data(somebody.get(f"/chat/channels{query}")))


def channel(somebody: Api, channel_id: Any) -> dict[str, Any]:
    return dict(data(somebody.get(f"/chat/channels/{channel_id}")))


def say(
    tenant: Any, sender: Any, channel_id: Any, content: str = "Hello team!", mentioned: tuple[int, ...] = ()
) -> int:
    """The next message of the channel, as the tables have it. Gives its number."""
    with bind(tenant.ref), transaction.atomic():
        row = Channel.objects.select_for_update().get(id=channel_id)
        row.last_seq += 1
        message = Message(
            channel=row, seq=row.last_seq, sender_id=sender.id, content=content, mentioned=list(mentioned)
        )
        message.save()
        row.last_message_at = Message.objects.values_list("created_at", flat=True).get(id=message.id)
        row.save(update_fields=["last_seq", "last_message_at"])
        Member.objects.filter(user_id=sender.id, channel=row).update(last_read_seq=row.last_seq)
        Mention.objects.bulk_create(Mention(user_id=one, channel=row, seq=row.last_seq) for one in mentioned)
        return row.last_seq


def delete(tenant: Any, channel_id: Any, seq: int) -> None:
    """Leave a tombstone of this message."""
    with bind(tenant.ref):
        Message.objects.filter(channel_id=channel_id, seq=seq).update(content="", deleted_at=timezone.now())


def message_id(tenant: Any, channel_id: Any, seq: int) -> UUID:
    with bind(tenant.ref):
        return Message.objects.values_list("id", flat=True).get(channel_id=channel_id, seq=seq)


@contextmanager
def listening(tenant: Any) -> Iterator[list[tuple[dict[str, Any], dict[str, Any]]]]:
    """(header, frame) of everything that is published for the tenant until the end; read them afterwards."""
    frames: list[tuple[dict[str, Any], dict[str, Any]]] = []
    with valkey.client().pubsub() as pubsub:
        pubsub.subscribe(topic(tenant.id))
        assert pubsub.get_message(timeout=2)["type"] == "subscribe"
        yield frames
        while (message := pubsub.get_message(timeout=0.2)) is not None:
            header, _, frame = bytes(message["data"]).partition(b"\n")
            frames.append((orjson.loads(header), orjson.loads(frame)))
