"""Reading tenants, from the public schema."""

from uuid import UUID

from platform_site.errors import NOT_FOUND, PlatformError
from tenancy.errors import SLUG_INVALID
from tenancy.models import Tenant
from tenancy.slugs import slug_normalized, slug_refusal, tenant_of_slug


def tenant_get(*, tenant_id: UUID) -> Tenant:
    """The tenant; raises ``not_found``."""
    tenant: Tenant | None = Tenant.objects.filter(id=tenant_id).first()
    if tenant is None:
        raise PlatformError(NOT_FOUND)
    return tenant


def tenant_by_slug(*, slug: str) -> Tenant:
    """The tenant that has this slug, or had it a short time ago; raises ``not_found``.

    One in which nobody may work is shown, too: its people wonder.
    """
    slug = slug_normalized(slug)
    # What could never be a slug is not looked up: it may hold what PostgreSQL refuses.
    found = None if slug_refusal(slug) is SLUG_INVALID else tenant_of_slug(slug)
    if found is None or found.status == Tenant.Status.PROVISIONING:
        raise PlatformError(NOT_FOUND)
    return tenant_get(tenant_id=found.id)
