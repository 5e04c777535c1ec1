"""What chat wants people to be told. Ordinary messages are no notifications: sockets and counters tell of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from chat import catalog
from chat.mentions import mentioned_among
from chat.models import Channel, Member, Message
from chat.presenting_messages import DELETED_USER
from platform_site.journal.models import JournalEntry
from platform_site.notification_events import EMAIL, IN_APP, NotificationEvent, Trigger, notification_event


def _mentioned(entry: JournalEntry) -> Iterable[int]:
    """Who was named, is still in the channel, has not muted it, and has not read up to there by now.

    Nobody, when the message was deleted meanwhile.
    """
    data = entry.data
    if not Message.objects.filter(id=data["messageId"], deleted_at=None).exists():
        return set()
    members = Member.objects.filter(channel_id=data["channelId"], left_at=None, hidden_seq__lt=data["seq"])
    awake = members.filter(Q(muted_until=None) | Q(muted_until__lte=timezone.now()))
    behind = awake.filter(last_read_seq__lt=data["seq"]).values_list("user_id", flat=True)
    # Whoever wrote it has read it, but may have left and come back.
    sender = _actor(entry)
    return mentioned_among(data["mentioned"], behind, sender_id=sender.id if sender else 0)


def _where(entry: JournalEntry) -> Mapping[str, Any]:
    channel = Channel.objects.filter(id=entry.data["channelId"]).first()
    actor = _actor(entry)
    return {
        "name": actor.display_name if actor and actor.status != User.Status.ERASED else DELETED_USER,
        # A channel of two has no name.
        "channel": channel.name if channel else "",
        "channelId": entry.data["channelId"],
        "messageId": entry.data["messageId"],
    }


def _actor(entry: JournalEntry) -> User | None:
    return User.objects.filter(uuid=entry.actor_id).first() if entry.actor_id else None


MENTIONED = notification_event(
    NotificationEvent(
        key="chat.mentioned",
        label="Somebody mentioned you",
        description="When somebody names you, or everybody, in a chat that you have not muted.",
        title="{{ name }} mentioned you{% if channel != '' %} in {{ channel }}{% endif %}",
        body="",
        sample={
            "name": "Jane Doe",
            "channel": "Project Alpha",
            "channelId": "019aaf1e-5d2c-7a31-9c0e-0000000000c1",
            "messageId": "019aaf1e-5d2c-7a31-9c0e-0000000000a1",
        },
        channels={IN_APP: True, EMAIL: True},
        trigger=Trigger(catalog.MENTIONED, _mentioned, _where),
        action_path="/chat/{{ channelId }}?message={{ messageId }}",
    )
)
