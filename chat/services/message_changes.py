"""Changing and deleting messages, and what every change of a message has in common.

A change takes the channel's next ``change_seq`` under the lock of the channel's
row, as a message takes its ``seq``; so changes have no holes either, and a client
can ask for those that it missed.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chat import catalog, errors, statements
from chat.mentions import mentioned_among
from chat.message_frames import message_updated
from chat.models import Member, Mention, Message, Reaction
from chat.presenting_messages import EVERYBODY
from chat.selectors.messages import message_shown, recipients_of, rows_of
from chat.services.messages import mentions_add, spend_for, text_of
from platform_site.api.identity import Identity
from platform_site.errors import NOT_FOUND, PERMISSION_DENIED, PlatformError
from platform_site.journal.services import record
from platform_site.permissions import ROLE_RANKS
from platform_site.realtime.publishing import publish_on_commit
from tenancy.org_settings.selectors import setting_value


@dataclass(frozen=True, slots=True)
class Locked:
    """A message behind the lock of its channel. ``recipients``: whom a change of it is told."""

    message: Message
    role: str
    archived: bool
    recipients: list[int]


def message_edit(*, actor: Identity, channel_id: UUID, message_id: UUID, content: str) -> dict[str, Any]:
    """Let an own message say something else. Who is named now and was not before is told.

    Raises ``rate_limited``, ``not_found``, ``permission_denied`` for the messages
    of others, ``message_deleted``, ``channel_archived`` or ``edit_time_over``.
    """
    spend_for(actor)
    text, minutes = text_of(channel_id, content), setting_value(catalog.EDIT_MINUTES)
    with transaction.atomic():
        locked = message_lock(actor=actor, channel_id=channel_id, message_id=message_id)
        message = locked.message
        if message.sender_id != actor.user_id:
            raise PlatformError(PERMISSION_DENIED)
        refuse_unchangeable(locked)
        now = timezone.now()
        if minutes and now > message.created_at + timedelta(minutes=minutes):
            raise PlatformError(errors.EDIT_TIME_OVER, context={"minutes": minutes})
        if message.content == content:
            return message_shown(message_id)
        before = _named(locked)
        message.content, message.mentioned, message.edited_at = content, list(text.numbers), now
        after = _named(locked)
        _mentions_drop(message, before - after)
        changed = message_changed(locked, update_fields=["content", "mentioned", "edited_at"])
        mentions_add(actor, changed, after - before, everybody=False)
        return changed


@transaction.atomic
def message_delete(*, actor: Identity, channel_id: UUID, message_id: UUID) -> dict[str, Any]:
    """Leave a tombstone where the message was; again is fine.

    For the sender, the channel's owner, and members who are managers or more.
    Raises ``rate_limited``, ``not_found`` or ``permission_denied``.
    """
    spend_for(actor)
    locked = message_lock(actor=actor, channel_id=channel_id, message_id=message_id)
    message = locked.message
    own = message.sender_id == actor.user_id
    if not own and not _moderates(actor, locked):
        raise PlatformError(PERMISSION_DENIED)
    if message.deleted_at is not None:
        return message_shown(message_id)
    named = set(message.mentioned)
    if EVERYBODY in named:
        # Also those who have left meanwhile.
        named |= set(Member.objects.filter(channel_id=channel_id).values_list("user_id", flat=True))
    _mentions_drop(message, named)
    Reaction.objects.filter(message_id=message_id).delete()
    message.content, message.mentioned, message.deleted_at = "", [], timezone.now()
    changed = message_changed(locked, update_fields=["content", "mentioned", "deleted_at"])
    if not own:
        record(
            catalog.MESSAGE_DELETED,
            subject=("message", message_id),
            data={"channelId": str(channel_id), "seq": message.seq, "senderId": message.sender_id},
            actor_id=actor.user_uuid,
        )
    return changed


def message_lock(*, actor: Identity, channel_id: UUID, message_id: UUID) -> Locked:
    """The message, with its channel's row locked until the transaction ends; raises ``not_found``."""
    found = rows_of(statements.LOCK, {"channel_id": channel_id, "user_id": actor.user_id})
    if not found:
        raise PlatformError(NOT_FOUND)
    place = found[0]
    message = Message.objects.filter(id=message_id, channel_id=channel_id, seq__gt=place["floor_seq"]).first()
    if message is None:
        raise PlatformError(NOT_FOUND)
    # Read behind the lock: who left while this one waited is not among them.
    recipients = recipients_of(channel_id, message.seq)
    if actor.user_id not in recipients:
        raise PlatformError(NOT_FOUND)
    return Locked(message, place["role"], place["archived_at"] is not None, recipients)


def refuse_unchangeable(locked: Locked) -> None:
    """Raises ``message_deleted`` or ``channel_archived``."""
    if locked.message.deleted_at is not None:
        raise PlatformError(errors.MESSAGE_DELETED)
    if locked.archived:
        raise PlatformError(errors.CHANNEL_ARCHIVED)


def message_changed(locked: Locked, *, update_fields: list[str]) -> dict[str, Any]:
    """Save the message under the channel's next number and tell its members. Gives it as clients get it."""
    message = locked.message
    (number,) = rows_of(statements.NEXT_CHANGE, {"channel_id": message.channel_id})
    message.change_seq = number["change_seq"]
    message.save(update_fields=[*update_fields, "change_seq"])
    shown = message_shown(message.id)
    publish_on_commit([message_updated(shown, locked.recipients)])
    return shown


def _moderates(actor: Identity, locked: Locked) -> bool:
    return locked.role == Member.Role.OWNER or ROLE_RANKS[actor.role] >= ROLE_RANKS["manager"]


def _named(locked: Locked) -> set[int]:
    message = locked.message
    return mentioned_among(message.mentioned, locked.recipients, sender_id=message.sender_id)


def _mentions_drop(message: Message, user_ids: set[int]) -> None:
    Mention.objects.filter(user_id__in=user_ids, channel_id=message.channel_id, seq=message.seq).delete()
