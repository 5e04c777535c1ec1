"""Addresses of staff's pages about a tenant and what is in it, each made in one place.

Written out and not reversed: the pages of one tenant and those of the platform are different sites, and neither
knows the other's names.
"""

from uuid import UUID

HOME = "/admin/"


def tenant_page(tenant_id: UUID) -> str:
    return f"{HOME}tenancy/tenant/{tenant_id}/change/"


def lens_page(slug: str) -> str:
    """The tenant from inside."""
    return f"{HOME}t/{slug}/"


def lens_object(slug: str, app: str, model: str, pk: object) -> str:
    """One row of the tenant, in its lens: ``lens_object("acme", "accounts", "user", 5)``."""
    return f"{lens_page(slug)}{app}/{model}/{pk}/change/"


def person_page(slug: str, user_id: int) -> str:
    """Somebody of the tenant, in its lens."""
    return lens_object(slug, "accounts", "user", user_id)


def audit_of_tenant(tenant_id: UUID) -> str:
    """What staff did about the tenant."""
    return f"{HOME}staff/staffact/?q={tenant_id}"
