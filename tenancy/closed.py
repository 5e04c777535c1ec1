"""Whether a tenant lets anybody in, and what they are told when it does not."""

from platform_site.errors import PlatformError
from platform_site.tenants import ACTIVE, PENDING_DELETION
from tenancy.errors import TENANT_PENDING_DELETION, TENANT_SUSPENDED


def require_open(status: str) -> None:
    """Raises ``tenant_pending_deletion`` or ``tenant_suspended`` for a tenant in which nobody may work."""
    if status == PENDING_DELETION:
        raise PlatformError(TENANT_PENDING_DELETION)
    if status != ACTIVE:
        raise PlatformError(TENANT_SUSPENDED)
