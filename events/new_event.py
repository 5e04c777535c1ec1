"""An event on its way into the table."""

from datetime import datetime
from uuid import UUID

from msgspec import Raw, Struct


class NewEvent(Struct):
    """One row to be. Names are those of the columns, because the whole list goes to the database as JSON.

    ``metadata`` is JSON already. ``actor_id`` may be a person's number for as long
    as nobody has looked it up.
    """

    id: UUID
    canonical_id: UUID
    app: str
    category: str
    action: str
    occurred_at: datetime
    message_id: str | None
    actor_id: UUID | int | None
    source_type: str
    source_id: str
    metadata: Raw
