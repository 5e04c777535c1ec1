"""An event as it is sent: its fields, how long they may be, and what becomes of one that is wrong."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from platform_site.errors import FieldError

MAX_BATCH: Final = 500
MAX_CATEGORY: Final = 50
MAX_ACTION: Final = 100
MAX_MESSAGE_ID: Final = 100
# Clocks of senders may be ahead by this much.
AHEAD: Final = timedelta(hours=1)
# Whatever is older is a clock that was never set.
EARLIEST: Final = datetime(1971, 1, 1, tzinfo=UTC)
# Names of apps and of kinds of their records; ids of records in their apps: what can stand in a path.
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,49}", re.ASCII)
ID_IN_APP: Final = re.compile(r"[\w.:@-]{1,128}", re.ASCII)


class Source(Struct, forbid_unknown_fields=True, rename="camel"):
    entity_type: str
    entity_id: int | str


class Sent(Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    """An event as it is sent. null is the same as nothing where something may be left out."""

    canonical_id: str
    app: str
    category: str
    action: str
    occurred_at: str | UnsetType | None = UNSET
    message_id: str | UnsetType | None = UNSET
    actor_id: int | str | UnsetType | None = UNSET
    source: Source | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class Bounds:
    """When something can have happened: ``earliest`` is as far back as the tenant keeps events."""

    now: datetime
    earliest: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that is not stored, and why. ``message_id`` is the sender's, where it could be read."""

    problems: Sequence[FieldError]
    message_id: str | None = None
