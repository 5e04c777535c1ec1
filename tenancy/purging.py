"""The end of a tenant: its schema is dropped, its rows in public are removed, and its slug is kept back for a while.

Three steps, each of them a transaction, so that a purge which dies goes on where it was:

1. The tenant is marked as deleted. From here on nothing brings it back.
2. Its schema is dropped, by the database's owner.
3. Its rows in public go, as ``platform_site.tenant_rows`` says, and what is left of the tenant is a row without a
   name. Only now the slug is given up.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from platform_site.errors import CONFLICT, PlatformError
from platform_site.owner import as_owner
from platform_site.session_cache import forget_tenant
from platform_site.tenant_rows import tenant_rows
from tenancy.migrating.timeouts import migration_timeouts
from tenancy.models import Tenant
from tenancy.provisioning.locks import own_schema_in_transaction
from tenancy.provisioning.schemas import drop_schema
from tenancy.renaming import slug_keep_back
from tenancy.services import tenant_lock

log = structlog.get_logger(__name__)
NAME_OF_THE_GONE = "Deleted workspace"


@dataclass(frozen=True, slots=True)
class Purged:
    """``rows`` of public that were removed or anonymised, by table."""

    tenant_id: UUID
    slug: str
    rows: dict[str, int] = field(default_factory=dict)


def due_tenants(*, now: datetime | None = None) -> "QuerySet[Tenant]":
    """Tenants whose date is over, and those whose purge has begun and not ended; the longest due first."""
    over = Q(status=Tenant.Status.PENDING_DELETION, deletion_at__lte=now or timezone.now())
    begun = Q(status=Tenant.Status.DELETED)
    rows: QuerySet[Tenant] = Tenant.objects.filter(over | begun, deletion_at__isnull=False, purged_at=None)
    return rows.order_by("deletion_at", "id")


def tenant_purge(*, tenant_id: UUID, now: datetime | None = None) -> Purged:
    """Purge a tenant whose date is over. In no transaction, and in no tenant.

    Raises ``not_found``, and ``conflict`` for a tenant that is not due, or whose schema somebody else is at work on.
    """
    tenant = _begin(tenant_id, now or timezone.now())
    with as_owner(), migration_timeouts():
        _drop(tenant.schema_name)
    return _finish(tenant)


@transaction.atomic
def _begin(tenant_id: UUID, now: datetime) -> Tenant:
    tenant = tenant_lock(tenant_id=tenant_id)
    if not due_tenants(now=now).filter(pk=tenant.pk).exists():
        raise PlatformError(CONFLICT, "This tenant is not due to be purged.")
    tenant.status = Tenant.Status.DELETED
    tenant.save(update_fields=["status", "updated_at"])
    forget_tenant(tenant.id)
    return tenant


@transaction.atomic
def _drop(schema_name: str) -> None:
    if not own_schema_in_transaction(schema_name):
        raise PlatformError(CONFLICT, "Somebody is at work on the tenant's schema. Try again.")
    drop_schema(schema_name)


@transaction.atomic
def _finish(tenant: Tenant) -> Purged:
    tenant = tenant_lock(tenant_id=tenant.id)
    slug = tenant.slug
    if tenant.purged_at is not None:
        # Another run was faster.
        return Purged(tenant.id, slug)
    counts = {rows.label: rows.purge(tenant.id) for rows in tenant_rows}
    for name, value in _left(tenant.id).items():
        setattr(tenant, name, value)
    tenant.save()
    slug_keep_back(slug, tenant.id)
    log.warning("tenancy.purged", tenant=str(tenant.id), slug=slug, rows=counts)
    return Purged(tenant.id, slug, {label: count for label, count in counts.items() if count})


def _left(tenant_id: UUID) -> dict[str, Any]:
    """What stands in the row of a tenant that is gone."""
    return {
        "name": NAME_OF_THE_GONE,
        "slug": f"deleted-{tenant_id.hex}",
        "suspended_reason": "",
        "logo_url": "",
        "colors": {},
        "purged_at": timezone.now(),
    }
