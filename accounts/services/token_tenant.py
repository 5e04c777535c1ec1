"""From a token that names its tenant to that tenant: for every token that arrives without a sign-in."""

from accounts.tokens import OpaqueToken, parse_token
from platform_site.binding import TenantRef
from platform_site.errors import ErrorCode, PlatformError
from platform_site.tenants import find_tenant
from tenancy.closed import require_open


def tenant_of_token(text: str, kind: str, *, invalid: ErrorCode) -> tuple[OpaqueToken, TenantRef]:
    """The token in its parts and the active tenant in front of it.

    Raises ``invalid`` when it is no token of this kind or names no tenant, and
    ``tenant_suspended`` or ``tenant_pending_deletion``. Whether the token is
    genuine is for the caller to find out, inside that tenant.
    """
    token = parse_token(text, kind)
    tenant = find_tenant(id=token.tenant_id) if token else None
    if token is None or tenant is None:
        raise PlatformError(invalid)
    require_open(tenant.status)
    return token, tenant
