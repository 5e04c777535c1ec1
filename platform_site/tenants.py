"""From a tenant's id to something that can be bound, for tasks, reactions and commands.

The tenant model is looked up by its setting, because tenancy stands above this kit.
"""

from collections.abc import Iterator
from uuid import UUID

from django_tenants.utils import get_tenant_model

from platform_site.binding import TenantRef
from platform_site.paid_access import PaidAccess

_COLUMNS = ("id", "schema_name", "slug", "status", "read_only_from", "blocked_from", "access_reason")

ACTIVE = "active"
SUSPENDED = "suspended"
PENDING_DELETION = "pending_deletion"
# Nothing is left of it but a row that says so; its schema is gone or on its way.
DELETED = "deleted"
# A tenant of one of these has a schema that can be looked into and a journal; others are being made, or are gone.
READABLE = (ACTIVE, SUSPENDED, PENDING_DELETION)


class TenantUnavailable(Exception):
    """No work may be done for this tenant. ``may_return``: it is closed for now, not gone."""

    def __init__(self, tenant_id: object, status: str) -> None:
        super().__init__(f"Tenant {tenant_id} is {status}.")
        self.status = status
        self.may_return = status in {SUSPENDED, PENDING_DELETION, "provisioning"}


def find_tenant(**lookup: object) -> TenantRef | None:
    """The tenant by ``id`` or ``slug``, whatever its status, or None; one that was deleted is none.

    One query in public.
    """
    row = get_tenant_model().objects.filter(**lookup).exclude(status=DELETED).values_list(*_COLUMNS).first()
    if row is None:
        return None
    tenant_id, schema_name, slug, status, *access = row
    return TenantRef(tenant_id, schema_name, slug, status, PaidAccess(*access))


def working_tenant(tenant_id: UUID) -> TenantRef:
    """The tenant if work may be done for it; raises ``TenantUnavailable`` otherwise."""
    tenant = find_tenant(id=tenant_id)
    if tenant is None:
        raise TenantUnavailable(tenant_id, "unknown")
    if tenant.status != ACTIVE:
        raise TenantUnavailable(tenant_id, tenant.status)
    return tenant


def active_tenants() -> Iterator[TenantRef]:
    """Every tenant for which work may be done, by id."""
    return _every(ACTIVE)


def tenants_with_schema() -> Iterator[TenantRef]:
    """Every tenant that has a schema, also while nobody may work in it, by id."""
    return _every(ACTIVE, SUSPENDED, PENDING_DELETION)


def _every(*statuses: str) -> Iterator[TenantRef]:
    """Read in pages, so that ten thousand fit."""
    rows = get_tenant_model().objects.filter(status__in=statuses).order_by("id")
    after = None
    while page := list(
        (rows.filter(id__gt=after) if after else rows).values_list("id", "schema_name", "slug", "status")[:500]
    ):
        yield from (TenantRef(*row) for row in page)
        after = page[-1][0]
