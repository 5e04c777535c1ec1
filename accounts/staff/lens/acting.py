"""As whom services see staff who work in a tenant."""

from uuid import UUID

from accounts.profiles import ADMINISTRATOR, effective_permissions
from accounts.roles import Role
from platform_site.api.identity import Identity
from platform_site.binding import require_tenant

_NOBODY = UUID(int=0)


def staff_identity() -> Identity:
    """May what an administrator of the bound tenant may, and is none of its people.

    The middleware has said already, for the journal, which staff member it is.
    """
    return Identity(
        tenant=require_tenant(),
        session_id=_NOBODY,
        user_id=0,
        user_uuid=_NOBODY,
        role=Role.TENANT_ADMIN,
        profile_id=ADMINISTRATOR.id,
        permissions=effective_permissions(Role.TENANT_ADMIN, ADMINISTRATOR.id),
        email_verified=True,
        is_person=False,
        is_staff=True,
    )
