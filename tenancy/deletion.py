"""Deleting a tenant: first it is closed and a date is set; until then all of it can come back.

What happens at that date is in ``purging``.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from platform_site.binding import bind
from platform_site.errors import CONFLICT, VALIDATION_FAILED, PlatformError, invalid_field
from platform_site.journal.services import record
from platform_site.moments import wire_time
from platform_site.outbox.services import unpark
from platform_site.session_cache import forget_tenant
from tenancy.catalog import DELETION_SCHEDULED, DELETION_UNDONE
from tenancy.models import Tenant
from tenancy.services import REASON_LENGTH, tenant_lock

DEFAULT_DAYS, MOST_DAYS = 30, 365
_MAY_BE_CLOSED = (Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED, Tenant.Status.PENDING_DELETION)
_FIELDS = ("status", "status_before_deletion", "deletion_at", "deletion_reason", "updated_at")


@transaction.atomic
def deletion_schedule(
    *, tenant_id: UUID, reason: str, days: int = DEFAULT_DAYS, actor: str = "", now: datetime | None = None
) -> Tenant:
    """Close the tenant now and let it be purged in so many days; 0 for as soon as somebody purges.

    Nobody gets in any more, sockets are closed, tasks fail, reactions wait, and billing ends the subscription.
    Administrators are told by mail. Once more gives it another date. Raises ``not_found``, ``validation_failed``,
    and ``conflict`` for a tenant that is being made or purged.
    """
    if not 1 <= len(reason.strip()) <= REASON_LENGTH:
        raise invalid_field("reason", VALIDATION_FAILED, f"Give a reason of up to {REASON_LENGTH} characters.")
    if not 0 <= days <= MOST_DAYS:
        raise invalid_field("days", VALIDATION_FAILED, f"Give 0 to {MOST_DAYS} days.")
    tenant = tenant_lock(tenant_id=tenant_id)
    if tenant.status not in _MAY_BE_CLOSED:
        raise PlatformError(CONFLICT, f"This tenant is {tenant.get_status_display().lower()}.")
    if tenant.status != Tenant.Status.PENDING_DELETION:
        tenant.status_before_deletion = tenant.status
    tenant.status = Tenant.Status.PENDING_DELETION
    tenant.deletion_at = (now or timezone.now()) + timedelta(days=days)
    tenant.deletion_reason = reason.strip()
    tenant.save(update_fields=_FIELDS)
    forget_tenant(tenant.id)
    with bind(tenant.ref):
        data = {"reason": tenant.deletion_reason, "deletionAt": wire_time(tenant.deletion_at), "by": actor}
        record(DELETION_SCHEDULED, subject=("tenant", tenant.id), data=data)
    return tenant


@transaction.atomic
def deletion_undo(*, tenant_id: UUID, actor: str = "") -> Tenant:
    """Let the tenant be what it was before it was scheduled; reactions that waited run now.

    Does nothing for one that is not scheduled. Raises ``not_found``, and ``conflict`` once the purge has begun.
    A subscription that billing has ended is not bought again.
    """
    tenant = tenant_lock(tenant_id=tenant_id)
    if tenant.status == Tenant.Status.DELETED:
        raise PlatformError(CONFLICT, "The purge has begun; nothing can be brought back.")
    if tenant.status != Tenant.Status.PENDING_DELETION:
        return tenant
    tenant.status = tenant.status_before_deletion or Tenant.Status.ACTIVE
    tenant.status_before_deletion, tenant.deletion_at, tenant.deletion_reason = "", None, ""
    tenant.save(update_fields=_FIELDS)
    forget_tenant(tenant.id)
    with bind(tenant.ref):
        record(DELETION_UNDONE, subject=("tenant", tenant.id), data={"by": actor})
    if tenant.status == Tenant.Status.ACTIVE:
        unpark(tenant_id=tenant.id)
    return tenant
