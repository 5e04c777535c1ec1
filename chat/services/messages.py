"""Sending: the hot path of chat. Everything that takes time is done before the channel's row is locked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from chat import catalog, errors, statements
from chat.mentions import mentioned_among, named_in
from chat.message_frames import message_created
from chat.models import Channel, Mention
from chat.presenting_messages import EVERYBODY, message_from_row
from chat.selectors.messages import Row, message_row, people_named, recipients_of, rows_of
from platform_site import limits
from platform_site.api.identity import Identity
from platform_site.errors import NOT_FOUND, PlatformError, invalid_field
from platform_site.ids import uuid7
from platform_site.journal.services import record
from platform_site.realtime.publishing import publish_on_commit

_ONCE: Final = "message_once"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as clients get it. ``again``: it was sent before, and this was a repetition."""

    message: dict[str, Any]
    again: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody says. ``people`` are the members who are named in it; ``numbers`` as in ``Message.mentioned``."""

    content: str
    people: Sequence[Row]
    numbers: Sequence[int]


def message_send(
    *,
    actor: Identity,
    channel_id: UUID,
    content: str,
    client_message_id: str | None = None,
    reply_to: UUID | None = None,
) -> Sent:
    """Say something in a channel. The same ``client_message_id`` again gives what it stood for the first time.

    Raises ``rate_limited``, ``not_found`` for who is not in the channel,
    ``channel_archived``, ``recipient_inactive``, ``reply_not_found``, and
    ``idempotency_conflict`` when the id stands for something else.
    """
    spend_for(actor)
    wanted = {
        "id": uuid7(),
        "channel_id": channel_id,
        "user_id": actor.user_id,
        "key": client_message_id,
        "reply_to": reply_to,
    }
    text = text_of(channel_id, content)
    try:
        with transaction.atomic():
            return _send(actor, wanted, text)
    except IntegrityError as error:
        if client_message_id is None or _constraint(error) != _ONCE:
            raise
    # Two at once: the other one was first, and waiting for it has undone this one, its number included.
    (first,) = rows_of(statements.SENT_EARLIER, wanted)
    return _again(first["id"], content, reply_to)


def _send(actor: Identity, wanted: Mapping[str, Any], text: Text) -> Sent:
    outcome = rows_of(statements.SEND, {**wanted, "content": text.content, "mentioned": list(text.numbers)})
    if not outcome:
        raise PlatformError(NOT_FOUND)
    row = outcome[0]
    if row["earlier"] is not None:
        return _again(row["earlier"], text.content, wanted["reply_to"])
    if row["seq"] is None:
        raise _refusal(row)
    channel_id: UUID = wanted["channel_id"]
    direct = row["kind"] == Channel.Kind.DIRECT
    # Its own statement, so that it sees who left while this one waited for the lock.
    recipients = recipients_of(
        channel_id, row["seq"], statement=statements.RECIPIENTS_OF_DIRECT if direct else statements.RECIPIENTS
    )
    if actor.user_id not in recipients:
        raise PlatformError(NOT_FOUND)
    message = message_from_row(
        {
            **row,
            "id": wanted["id"],
            "channel_id": channel_id,
            "change_seq": 0,
            "content": text.content,
            "client_message_id": wanted["key"],
            "reply_to": wanted["reply_to"],
            "mentioned": text.numbers,
            "mentioned_people": text.people,
            "reactions": None,
            "edited_at": None,
            "deleted_at": None,
        }
    )
    named = mentioned_among(text.numbers, recipients, sender_id=actor.user_id)
    mentions_add(actor, message, named, everybody=EVERYBODY in text.numbers)
    publish_on_commit([message_created(message, recipients)])
    return Sent(message)


def spend_for(actor: Identity) -> None:
    """One use of what a person may do to messages; raises ``rate_limited``."""
    limits.spend("chat_send_user", f"{actor.tenant.id.hex}:{actor.user_id}")


def text_of(channel_id: UUID, content: str) -> Text:
    """Who is named in it is looked up here, before anything is locked."""
    named = named_in(content)
    people = people_named(channel_id, named)
    numbers = [person["id"] for person in people]
    return Text(content, people, [EVERYBODY, *numbers] if named.everybody else numbers)


def mentions_add(actor: Identity, message: Mapping[str, Any], user_ids: Iterable[int], *, everybody: bool) -> None:
    """Count this message as one that names these people, and let them be told. In the caller's transaction."""
    named = sorted(user_ids)
    if not named:
        return
    Mention.objects.bulk_create(
        (Mention(user_id=user_id, channel_id=message["channelId"], seq=message["seq"]) for user_id in named),
        ignore_conflicts=True,
    )
    record(
        catalog.MENTIONED,
        subject=("message", message["id"]),
        data={
            "channelId": message["channelId"],
            "messageId": message["id"],
            "seq": message["seq"],
            # Numbers of people, never what was said.
            "mentioned": [EVERYBODY] if everybody else named,
        },
        actor_id=actor.user_uuid,
    )


def _refusal(row: Row) -> PlatformError:
    if row["archived_at"] is None and not row["heard"]:
        return PlatformError(errors.RECIPIENT_INACTIVE)
    if row["archived_at"] is None and not row["reply_found"]:
        return invalid_field("replyTo", errors.REPLY_NOT_FOUND)
    # Also when it was archived while this one waited.
    return PlatformError(errors.CHANNEL_ARCHIVED)


def _again(message_id: UUID, content: str, reply_to: UUID | None) -> Sent:
    row = message_row(message_id)
    # What it said first cannot be told any more once it was changed: then the id alone decides.
    untouched = row["edited_at"] is None and row["deleted_at"] is None
    if untouched and (row["content"], row["reply_to"]) != (content, reply_to):
        raise invalid_field("clientMessageId", errors.IDEMPOTENCY_CONFLICT)
    return Sent(message_from_row(row), again=True)


def _constraint(error: IntegrityError) -> str:
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""
