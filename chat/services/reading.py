"""Up to where somebody has read. It only goes forward, whatever the order in which devices tell it.

Only rows of the reader are touched, so that reading waits for no sender.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from chat import errors
from chat.channel_frames import RECEIPTS_UP_TO, channel_read
from chat.models import Member, Message
from chat.selectors.channels import member_ids, memberships
from chat.unread import unread_total
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.realtime.publishing import publish_on_commit

# Locked in one order, so that two devices of somebody cannot wait for one another.
_READ_ALL: Final = """
WITH behind AS (
    SELECT member.channel_id, channel.last_seq
      FROM chat_member AS member JOIN chat_channel AS channel ON channel.id = member.channel_id
     WHERE member.user_id = %(user)s AND member.left_at IS NULL AND member.last_read_seq < channel.last_seq
     ORDER BY member.channel_id FOR NO KEY UPDATE OF member)
UPDATE chat_member SET last_read_seq = behind.last_seq FROM behind
 WHERE chat_member.user_id = %(user)s AND chat_member.channel_id = behind.channel_id
   AND chat_member.last_read_seq < behind.last_seq
RETURNING chat_member.channel_id, chat_member.last_read_seq"""
# Who is told, of channels that are small enough.
_WATCHING: Final = """
SELECT channel_id, array_agg(user_id ORDER BY user_id)
  FROM chat_member WHERE channel_id = ANY(%(channels)s::uuid[]) AND left_at IS NULL
 GROUP BY channel_id HAVING count(*) <= %(most)s"""


@dataclass(frozen=True, slots=True)
class ReadState:
    """Where somebody is in a channel now. ``unread`` is the channel's, ``total`` all channels'."""

    channel_id: UUID
    last_read_seq: int
    unread: int
    total: int


@dataclass(frozen=True, slots=True)
class AllRead:
    """``channels``: how many had something unread."""

    channels: int
    total: int


@transaction.atomic
def channel_mark_read(
    *, user_id: int, channel_id: UUID, seq: int | None = None, message_id: UUID | None = None
) -> ReadState:
    """Read up to this number or this message; without either up to the last one that there is now.

    What lies before the present mark changes nothing, and nobody is told. Raises ``not_found`` or
    ``message_not_found``.
    """
    own = _own(user_id, channel_id)
    if message_id is not None:
        seq = _seq_of(own, message_id)
    last = own.channel.last_seq
    target = last if seq is None else min(seq, last)
    moved = False
    if target > own.last_read_seq:
        behind = Member.objects.filter(user_id=user_id, channel_id=channel_id, left_at=None, last_read_seq__lt=target)
        moved = behind.update(last_read_seq=target) > 0
        # Another device may have been further meanwhile.
        own = _own(user_id, channel_id)
    state = ReadState(channel_id, own.last_read_seq, own.unread, unread_total(user_id).unread)
    if moved:
        others = member_ids(channel_id, limit=RECEIPTS_UP_TO + 1)
        publish_on_commit(
            channel_read(
                channel_id=channel_id,
                user_id=user_id,
                seq=state.last_read_seq,
                others=others if len(others) <= RECEIPTS_UP_TO else (),
                unread=state.unread,
                total=state.total,
            )
        )
    return state


@transaction.atomic
def channels_mark_read(*, user_id: int) -> AllRead:
    """Everything in all of somebody's channels is read, as it is now."""
    with connection.cursor() as cursor:
        cursor.execute(_READ_ALL, {"user": user_id})
        moved = cursor.fetchall()
        cursor.execute(_WATCHING, {"channels": [channel_id for channel_id, _ in moved], "most": RECEIPTS_UP_TO})
        watching: Mapping[UUID, Sequence[int]] = dict(cursor.fetchall())
    total = unread_total(user_id).unread
    publish_on_commit(
        envelope
        for channel_id, seq in moved
        for envelope in channel_read(
            channel_id=channel_id, user_id=user_id, seq=seq, others=watching.get(channel_id, ()), unread=0, total=total
        )
    )
    return AllRead(len(moved), total)


def _own(user_id: int, channel_id: UUID) -> Any:
    """One's own place in the channel, with what is unread of it."""
    own = memberships(user_ids=[user_id], channel_id=channel_id).first()
    if own is None:
        raise PlatformError(NOT_FOUND)
    return own


def _seq_of(own: Member, message_id: UUID) -> int:
    seen = Message.objects.filter(channel_id=own.channel_id, id=message_id, seq__gt=own.hidden_seq)
    seq = seen.values_list("seq", flat=True).first()
    if seq is None:
        raise PlatformError(errors.MESSAGE_NOT_FOUND)
    return seq
