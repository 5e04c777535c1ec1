"""A channel as one of its members sees it, in answers and in frames alike."""

from datetime import UTC, datetime
from typing import Any, Final

from django.utils import timezone

from accounts.models import User
from chat.models import Member, Message
from chat.presenting_people import present_person
from chat.selectors.channels import ChannelView
from platform_site.moments import wire_time

PREVIEW: Final = 140
# In ``muted_until``: until I say otherwise.
FOR_EVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


def present_channel(view: ChannelView) -> dict[str, Any]:
    channel, member, other = view.channel, view.member, view.other
    return {
        "id": str(channel.id),
        "type": channel.kind,
        "name": other.display_name if other else channel.name,
        "otherUser": present_person(other) if other else None,
        "memberCount": view.crowd.members,
        "members": [present_person(face) for face in view.crowd.faces],
        "lastSeq": channel.last_seq,
        "changeSeq": channel.change_seq,
        "lastMessage": present_last_message(view.last) if view.last else None,
        "lastReadSeq": member.last_read_seq,
        "unreadCount": view.unread,
        "mentionCount": view.mentions,
        **present_muting(member),
        "hidden": member.hidden,
        "archived": channel.archived_at is not None,
        "role": member.role,
        "canPost": can_post(view),
        "createdAt": wire_time(channel.created_at),
    }


def present_muting(member: Member) -> dict[str, Any]:
    """``mutedUntil`` is null for who is not muted, and for who is until further notice."""
    until = member.muted_until
    muted = until is not None and until > timezone.now()
    return {"muted": muted, "mutedUntil": wire_time(until) if until and muted and until < FOR_EVER else None}


def present_last_message(message: Message) -> dict[str, Any]:
    """A line under a channel's name. Of a deleted message nothing is left to read; who was erased is nobody."""
    gone = message.deleted_at is not None
    beginning: str = getattr(message, "beginning", "")
    sender = message.sender
    return {
        "id": str(message.id),
        "seq": message.seq,
        "sender": None if sender.status == User.Status.ERASED else present_person(sender),
        "preview": "" if gone else " ".join(beginning.split())[:PREVIEW],
        "createdAt": wire_time(message.created_at),
        "deleted": gone,
    }


def can_post(view: ChannelView) -> bool:
    """As sending decides: somebody else is there to read it, or one is alone."""
    return view.channel.archived_at is None and (view.crowd.heard or view.crowd.members == 1)
