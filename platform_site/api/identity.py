"""Who a request acts for, as the session record says."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from platform_site.binding import TenantRef


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in person. Built by accounts from the session record, read by access rules and views."""

    tenant: TenantRef
    session_id: UUID
    user_id: int
    user_uuid: UUID
    role: str
    profile_id: int
    permissions: frozenset[str]
    email_verified: bool
    expires_at: datetime | None = None
    impersonator: str = ""

    @property
    def is_authenticated(self) -> bool:
        return True
