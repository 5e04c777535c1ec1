"""What staff do with a tenant: suspend it and let it work again."""

from uuid import UUID

from django.db import transaction

from platform_site.binding import bind
from platform_site.errors import CONFLICT, NOT_FOUND, VALIDATION_FAILED, PlatformError, invalid_field
from platform_site.journal.keys import JournalKey
from platform_site.journal.services import record
from platform_site.outbox.services import unpark
from platform_site.session_cache import forget_tenant
from tenancy.catalog import TENANT_REACTIVATED, TENANT_SUSPENDED
from tenancy.models import Tenant

REASON_LENGTH = 200


@transaction.atomic
def tenant_suspend(*, tenant_id: UUID, reason: str, actor: str = "") -> Tenant:
    """Stop all work for the tenant: its requests answer 403, its tasks fail, its reactions wait.

    Everybody notices within a second. Suspending a suspended tenant changes nothing, the reason
    included. ``actor`` names the staff member in the tenant's journal. Raises ``NOT_FOUND``, and
    ``CONFLICT`` for a tenant that is neither active nor suspended.
    """
    if not 1 <= len(reason.strip()) <= REASON_LENGTH:
        raise invalid_field("reason", VALIDATION_FAILED, f"Give a reason of up to {REASON_LENGTH} characters.")
    tenant = tenant_lock(tenant_id=tenant_id)
    if tenant.status != Tenant.Status.SUSPENDED:
        tenant.suspended_reason = reason.strip()
        _change(tenant, Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED, TENANT_SUSPENDED, actor)
    return tenant


@transaction.atomic
def tenant_reactivate(*, tenant_id: UUID, actor: str = "") -> Tenant:
    """Let a suspended tenant work again; reactions that waited run now.

    Does nothing for an active tenant. Raises ``NOT_FOUND``, and ``CONFLICT`` for one that is
    neither active nor suspended.
    """
    tenant = tenant_lock(tenant_id=tenant_id)
    if tenant.status != Tenant.Status.ACTIVE:
        tenant.suspended_reason = ""
        _change(tenant, Tenant.Status.SUSPENDED, Tenant.Status.ACTIVE, TENANT_REACTIVATED, actor)
        unpark(tenant_id=tenant.id)
    return tenant


def tenant_lock(*, tenant_id: UUID) -> Tenant:
    """The tenant, locked until the caller's transaction ends; raises ``not_found``."""
    tenant: Tenant | None = Tenant.objects.select_for_update().filter(pk=tenant_id).first()
    if tenant is None:
        raise PlatformError(NOT_FOUND)
    return tenant


def _change(tenant: Tenant, before: Tenant.Status, after: Tenant.Status, key: JournalKey, actor: str) -> None:
    if tenant.status != before:
        raise PlatformError(CONFLICT, f"This tenant is {tenant.get_status_display().lower()}.")
    tenant.status = after
    tenant.save(update_fields=["status", "suspended_reason", "updated_at"])
    forget_tenant(tenant.id)
    with bind(tenant.ref):
        record(key, subject=("tenant", tenant.id), data={"reason": tenant.suspended_reason, "by": actor})
