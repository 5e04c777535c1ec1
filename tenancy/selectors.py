"""Reading tenants, from the public schema."""

from uuid import UUID

from platform_site.errors import NOT_FOUND, PlatformError
from tenancy.errors import SLUG_INVALID
from tenancy.models import Tenant
from tenancy.slugs import slug_normalized, slug_refusal


def tenant_get(*, tenant_id: UUID) -> Tenant:
    """The tenant; raises ``not_found``."""
    tenant: Tenant | None = Tenant.objects.filter(id=tenant_id).first()
    if tenant is None:
        raise PlatformError(NOT_FOUND)
    return tenant


def tenant_by_slug(*, slug: str) -> Tenant:
    """The tenant that has this slug and is active or suspended; raises ``not_found``."""
    slug = slug_normalized(slug)
    shown = [Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED]
    # What could never be a slug is not looked up: it may hold what PostgreSQL refuses.
    refused = slug_refusal(slug) is SLUG_INVALID
    tenant: Tenant | None = None if refused else Tenant.objects.filter(slug=slug, status__in=shown).first()
    if tenant is None:
        raise PlatformError(NOT_FOUND)
    return tenant
