"""Addresses of staff's pages about a tenant and what is in it, each made in one place.

Written out and not reversed: the pages of one tenant and those of the platform are different sites, and neither
knows the other's names. From one page of the lens to another leads ``lens/links.py``, which needs no slug.
"""

from uuid import UUID

HOME = "/admin/"


def tenant_page(tenant_id: UUID) -> str:
    return f"{HOME}tenancy/tenant/{tenant_id}/change/"


def act_page(tenant_id: UUID, slug: str) -> str:
    """The page that asks why, for the ``StaffAction`` of this slug."""
    return f"{HOME}tenancy/tenant/{tenant_id}/do/{slug}/"


def audit_of_tenant(tenant_id: UUID) -> str:
    """What staff did about the tenant."""
    return f"{HOME}staff/staffact/?q={tenant_id}"


def outbox_of_tenant(tenant_id: UUID) -> str:
    return f"{HOME}outbox/outboxrow/?q={tenant_id}"


def impersonation_page(tenant_id: UUID, user_uuid: UUID) -> str:
    return f"{HOME}impersonate/{tenant_id}/{user_uuid}/"


def lens_page(slug: str) -> str:
    """The tenant from inside."""
    return f"{HOME}t/{slug}/"


def person_page(slug: str, user_id: int) -> str:
    """Somebody of the tenant, in its lens."""
    return f"{lens_page(slug)}accounts/user/{user_id}/change/"
