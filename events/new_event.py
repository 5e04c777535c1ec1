"""An event on its way into the table."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Raw, Struct


# Neither this nor what is in it can lead back to it, so that the collector need not look; there are many of them.
class NewEvent(Struct, array_like=True, gc=False):
    """One row to be. The whole list goes to the database as JSON, each row as an array in the order of these fields.

    Ids are texts as PostgreSQL writes them, because they come as texts and go as texts, and a UUID is slow to make
    and to look up. ``metadata`` is JSON already, or has been looked at and can be written as it is. ``actor_id``
    may be a person's number for as long as nobody has looked it up.
    """

    id: str
    canonical_id: str
    app: str
    category: str
    action: str
    occurred_at: datetime
    message_id: str | None
    actor_id: UUID | int | None
    source_type: str
    source_id: str
    metadata: Raw | dict[str, Any]
