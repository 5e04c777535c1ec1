"""Staff sessions, and writing down what staff do.

A staff session belongs to one staff member and one tenant, has a reason, and ends by itself after
``STAFF_SESSION_MINUTES``. Outside of one, staff look and change nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import ProgrammingError, transaction
from django.utils import timezone
from psycopg.errors import UndefinedTable

from accounts.services.impersonations import impersonations_end
from accounts.staff import catalog
from accounts.staff.models import StaffAct, StaffSession, StaffUser
from accounts.staff.roles import StaffRole
from platform_site.binding import bind, bound_tenant
from platform_site.context import current
from platform_site.errors import CONFLICT, NOT_FOUND, PERMISSION_DENIED, VALIDATION_FAILED, PlatformError, invalid_field
from platform_site.journal.keys import JournalKey
from platform_site.journal.services import masked, record
from platform_site.tenants import READABLE, find_tenant

log = structlog.get_logger(__name__)

REASON_LENGTH = 500
# What an action may be about: the word before its dot.
ABOUTS = (
    "session", "tenant", "billing", "outbox", "mail", "invitation", "user", "person", "delivery", "suppression", "list",
    "impersonation", "staff",
)  # fmt: skip


@transaction.atomic
def session_open(*, staff: StaffUser, tenant_id: UUID, reason: str) -> StaffSession:
    """Let this staff member change things in this tenant for a while; a session that is open is ended.

    Raises ``permission_denied`` for a viewer, ``validation_failed`` for a missing reason, ``not_found``.
    """
    if not staff.reaches(StaffRole.SUPPORT):
        raise PlatformError(PERMISSION_DENIED)
    reason = reason_checked(reason)
    tenant = find_tenant(id=tenant_id)
    if tenant is None or tenant.status not in READABLE:
        raise PlatformError(NOT_FOUND)
    now = timezone.now()
    session_close(staff=staff, tenant_id=tenant_id)
    session = StaffSession.objects.create(
        staff=staff,
        tenant_id=tenant_id,
        reason=reason,
        ends_at=now + timedelta(minutes=settings.STAFF_SESSION_MINUTES),
        origin=current().origin,
    )
    act_record(
        staff=staff, tenant_id=tenant_id, action="session.opened", reason=reason, key=catalog.SESSION_OPENED,
        session_id=session.id, data={"until": session.ends_at.isoformat()},
    )  # fmt: skip
    return session


@transaction.atomic
def session_close(*, staff: StaffUser, tenant_id: UUID) -> int:
    """End what this staff member has open in this tenant. Again is fine. Gives how many."""
    now = timezone.now()
    open_ones = StaffSession.objects.select_for_update().filter(
        staff=staff, tenant_id=tenant_id, closed_at=None, ends_at__gt=now
    )
    found = list(open_ones)
    for session in found:
        session.closed_at = now
        session.save(update_fields=["closed_at"])
        _impersonations_end(session)
        act_record(
            staff=staff, tenant_id=tenant_id, action="session.closed", key=catalog.SESSION_CLOSED,
            session_id=session.id,
        )  # fmt: skip
    return len(found)


@transaction.atomic
def sessions_close_all(*, staff: StaffUser) -> int:
    """End what this staff member has open anywhere. Gives how many."""
    open_ones = StaffSession.objects.filter(staff=staff, closed_at=None, ends_at__gt=timezone.now())
    tenants = sorted(set(open_ones.values_list("tenant_id", flat=True)))
    return sum(session_close(staff=staff, tenant_id=tenant_id) for tenant_id in tenants)


def _impersonations_end(session: StaffSession) -> None:
    """Nobody stays signed in as somebody after the session in which they may; in the caller's transaction."""
    begun = list(session.impersonations.filter(ends_at__gt=timezone.now()).values_list("id", flat=True))
    tenant = find_tenant(id=session.tenant_id) if begun else None
    if tenant is not None:
        with bind(tenant):
            impersonations_end(reason="staff_session_closed", session_ids=begun)


def session_of(staff: StaffUser, tenant_id: UUID) -> StaffSession | None:
    """The session that is open now, or None. One query."""
    open_ones = StaffSession.objects.filter(
        staff=staff, tenant_id=tenant_id, closed_at=None, ends_at__gt=timezone.now()
    )
    return open_ones.order_by("-opened_at").first()


def act_record(
    *,
    staff: StaffUser,
    action: str,
    tenant_id: UUID | None = None,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
    session_id: UUID | None = None,
    key: JournalKey = catalog.ACTED,
    subject: tuple[str, object] | None = None,
) -> StaffAct:
    """Write down what a staff member did: in the staff audit, and in the tenant's journal when there is a tenant.

    In the caller's transaction, together with what was done, and in no other tenant. A tenant that is being made or
    is gone has no journal; then the audit alone knows, and whoever may not act on such a tenant says so before.
    ``action`` is dotted, and begins with one of ``ABOUTS``. Secret-looking values are masked by their names.
    """
    if action.partition(".")[0] not in ABOUTS:
        raise ValueError(f"{action!r} is about nothing by which the audit is filtered.")
    work, told = current(), masked(data or {})
    act = StaffAct.objects.create(
        staff_id=staff.pk,
        staff_email=staff.email,
        session_id=session_id,
        tenant_id=tenant_id,
        action=action,
        reason=reason,
        data=told,
        origin=work.origin,
        request_id=work.request_id,
    )
    if tenant_id is not None:
        _tell(tenant_id, key, subject, {**told, "action": action, "reason": reason, "by": staff.email})
    return act


def _tell(tenant_id: UUID, key: JournalKey, subject: tuple[str, object] | None, data: Mapping[str, Any]) -> None:
    """In the tenant's journal, if it has one."""
    tenant = bound_tenant() or find_tenant(id=tenant_id)
    if tenant is None or (tenant.id == tenant_id and tenant.status not in READABLE):
        return
    if tenant.id != tenant_id:
        raise PlatformError(NOT_FOUND)
    try:
        # In a savepoint: the audit is kept, and an account can be closed, also when a schema was lost.
        with bind(tenant), transaction.atomic():
            record(key, subject=subject or ("tenant", tenant_id), data=data)
    except ProgrammingError as error:
        if not isinstance(error.__cause__, UndefinedTable):
            raise
        log.error("staff.no_journal", tenant=str(tenant_id), action=data["action"])


def request_record(
    *, staff: StaffUser, method: str, path: str, status: int, tenant_id: UUID | None, session_id: UUID | None
) -> None:
    """Write down one request of a staff member, in the staff audit alone."""
    work = current()
    StaffAct.objects.create(
        staff_id=staff.pk,
        staff_email=staff.email,
        session_id=session_id,
        tenant_id=tenant_id,
        method=method,
        path=path[:500],
        status=status,
        origin=work.origin,
        request_id=work.request_id,
    )


def superuser_keep(*, staff_id: int, role: StaffRole, is_active: bool) -> None:
    """Make sure that somebody is left who may say who is staff, when this account becomes that.

    In the caller's transaction, until whose end nobody else can take another one away. Raises ``conflict``.
    """
    rows = StaffUser.objects.select_for_update().filter(role=StaffRole.SUPERUSER, is_active=True)
    others = set(rows.order_by("pk").values_list("pk", flat=True)) - {staff_id}
    if not others and not (is_active and role == StaffRole.SUPERUSER):
        raise PlatformError(CONFLICT, "This is the last active superuser. Make somebody else one first.")


def reason_checked(reason: str) -> str:
    """The reason without blanks around it; raises ``validation_failed`` for none and for a long one."""
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH:
        raise invalid_field("reason", VALIDATION_FAILED, f"Give a reason of up to {REASON_LENGTH} characters.")
    return reason
