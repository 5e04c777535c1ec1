"""Reading tenants, from the public schema."""

from uuid import UUID

from platform_site.errors import NOT_FOUND, PlatformError
from tenancy.models import Tenant
from tenancy.slugs import slug_normalized


def tenant_get(*, tenant_id: UUID) -> Tenant:
    """The tenant; raises ``not_found``."""
    tenant = Tenant.objects.filter(id=tenant_id).first()
    if tenant is None:
        raise PlatformError(NOT_FOUND)
    return tenant


def tenant_by_slug(*, slug: str) -> Tenant:
    """The tenant that has this slug and is active or suspended; raises ``not_found``."""
    shown = [Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED]
    tenant = Tenant.objects.filter(slug=slug_normalized(slug), status__in=shown).first()
    if tenant is None:
        raise PlatformError(NOT_FOUND)
    return tenant
