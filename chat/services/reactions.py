"""Emojis at messages. They count as changes of the message, so whoever missed one finds it by number."""

from typing import Any, Final
from uuid import UUID

import emoji as emojis
from django.db import transaction

from chat import errors
from chat.models import Reaction
from chat.selectors.messages import message_shown
from chat.services.message_changes import Locked, message_changed, message_lock, refuse_unchangeable
from chat.services.messages import spend_for
from platform_site.api.identity import Identity
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError

# Different ones at one message.
MOST_EMOJIS: Final = 20


@transaction.atomic
def reaction_add(*, actor: Identity, channel_id: UUID, message_id: UUID, emoji: str) -> dict[str, Any]:
    """Put the actor's emoji there; again changes nothing. Gives the message as clients get it.

    Raises ``validation_failed`` for what is no emoji, ``rate_limited``,
    ``not_found``, ``message_deleted``, ``channel_archived`` or ``too_many_reactions``.
    """
    emoji = one_emoji(emoji)
    locked = _locked(actor, channel_id, message_id)
    there = Reaction.objects.filter(message_id=message_id)
    if there.filter(emoji=emoji, user_id=actor.user_id).exists():
        return message_shown(message_id)
    different = set(there.values_list("emoji", flat=True).distinct())
    if emoji not in different and len(different) >= MOST_EMOJIS:
        raise PlatformError(errors.TOO_MANY_REACTIONS, context={"most": MOST_EMOJIS})
    Reaction.objects.create(message_id=message_id, emoji=emoji, user_id=actor.user_id)
    return message_changed(locked, update_fields=[])


@transaction.atomic
def reaction_remove(*, actor: Identity, channel_id: UUID, message_id: UUID, emoji: str) -> dict[str, Any]:
    """Take the actor's emoji away; again changes nothing. Raises as ``reaction_add`` does."""
    emoji = one_emoji(emoji)
    locked = _locked(actor, channel_id, message_id)
    gone, _ = Reaction.objects.filter(message_id=message_id, emoji=emoji, user_id=actor.user_id).delete()
    return message_changed(locked, update_fields=[]) if gone else message_shown(message_id)


def one_emoji(text: str) -> str:
    """The one way of writing this emoji: with and without the mark for colours it is the same.

    Raises ``validation_failed`` for anything else.
    """
    if not emojis.is_emoji(text):
        raise PlatformError(VALIDATION_FAILED, details=[FieldError("emoji", "invalid", "This must be one emoji.")])
    return emojis.emojize(emojis.demojize(text))


def _locked(actor: Identity, channel_id: UUID, message_id: UUID) -> Locked:
    spend_for(actor)
    locked = message_lock(actor=actor, channel_id=channel_id, message_id=message_id)
    refuse_unchangeable(locked)
    return locked
