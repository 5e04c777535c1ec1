"""Who a request acts for, as the session record says."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from platform_site.binding import TenantRef


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: a signed-in person, or a tenant's own service with an API key.

    Built by accounts, read by access rules and views. For a key, ``session_id``
    and ``user_uuid`` are the key's id and ``user_id`` is 0; it ranks as a manager,
    who may touch plain users only, and its ``permissions`` are those it was given.
    Staff of the platform (``is_staff``) act with an administrator's role and are nobody
    in the tenant, so both ids are 0; only their own pages make such an identity.
    """

    tenant: TenantRef
    session_id: UUID
    user_id: int
    user_uuid: UUID
    role: str
    profile_id: int
    permissions: frozenset[str]
    email_verified: bool
    expires_at: datetime | None = None
    # The staff member who is signed in as this person, and until when staff may read messages here.
    impersonator: str = ""
    messages_until: datetime | None = None
    is_person: bool = True
    is_staff: bool = False

    @property
    def reads_messages(self) -> bool:
        """Whether this is the person, or support that may read what people write to each other now."""
        return not self.impersonator or (self.messages_until is not None and self.messages_until > timezone.now())

    @property
    def is_authenticated(self) -> bool:
        return True
