"""For other apps' reactions: what the platform itself knows has happened."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from events.metadata import packed
from events.new_event import NewEvent
from events.services.storing import events_store
from events.subjects import directory
from platform_site.ids import uuid7


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened, in the app's own words. ``message_id`` makes a repetition harmless."""

    canonical_id: UUID
    app: str
    category: str
    action: str
    message_id: str
    occurred_at: datetime | None = None
    actor_id: UUID | None = None
    source: tuple[str, str] = ("", "")
    metadata: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def events_write(*, happenings: Sequence[Happening]) -> int:
    """Store what happened to these records; nothing about one that is not there or was erased. Gives how many are new.

    Of what they say only the metadata are looked at: the caller is one of us.
    """
    subjects = directory().subjects({one.canonical_id for one in happenings})
    rows = {
        (one.app, one.message_id): _row(one)
        for one in reversed(happenings)
        if one.canonical_id in subjects and not subjects[one.canonical_id].erased
    }
    outcome = events_store(list(rows.values()))
    return sum(stored is not None and not stored.again for stored in outcome)


def _row(one: Happening) -> NewEvent:
    return NewEvent(
        id=str(uuid7()),
        canonical_id=str(one.canonical_id),
        app=one.app,
        category=one.category,
        action=one.action,
        occurred_at=one.occurred_at or timezone.now(),
        message_id=one.message_id,
        actor_id=one.actor_id,
        source_type=one.source[0],
        source_id=one.source[1],
        metadata=packed(deepcopy(one.metadata))[0],
    )
