"""Signing in as one of a tenant's people: a staff member asks with a reason, and a code becomes a short session.

The code is good once and for a minute, and only its hash is stored. It is
exchanged by whoever shows it, so it is shown to the staff member alone. What it
is exchanged for ends with the staff session at the latest.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import errors
from accounts.access_tokens import impersonation_token
from accounts.catalog import IMPERSONATION
from accounts.models import User
from accounts.selectors import with_profiles
from accounts.services.impersonations import impersonation_start
from accounts.services.second_factor import person_lock
from accounts.staff import catalog
from accounts.staff.models import Impersonation, StaffSession, StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.services import act_record, reason_checked, request_record, session_of
from platform_site import limits
from platform_site.binding import TenantRef, bind
from platform_site.errors import NOT_FOUND, PERMISSION_DENIED, PlatformError
from platform_site.keys import fingerprint
from platform_site.moments import wire_time
from platform_site.tenants import ACTIVE, find_tenant
from tenancy.errors import TENANT_SUSPENDED
from tenancy.org_settings.selectors import setting_value
from tenancy.services import tenant_lock

CODE_SECONDS: Final = 60
# The longest that one exchange is good for.
IMPERSONATION_SECONDS: Final = 15 * 60


@dataclass(frozen=True, slots=True)
class Code:
    """Shown once. ``ends_at`` is the code's own end."""

    text: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Impersonated:
    """Who support is signed in as. ``staff_name`` is what the person reads about it; ``until`` is the token's end."""

    access_token: str
    user: User
    tenant: TenantRef
    staff_name: str
    now: datetime
    until: datetime

    @property
    def expires_in(self) -> int:
        return int((self.until - self.now).total_seconds())


@transaction.atomic
def impersonation_code_make(*, staff: StaffUser, tenant_id: UUID, user_id: UUID, reason: str) -> Code:
    """A code with which to sign in as this person, in the staff session that is open.

    Raises ``permission_denied`` for a viewer, ``staff_session_required``,
    ``validation_failed`` for a missing reason, ``not_found``, ``tenant_suspended``,
    ``impersonation_off``, ``account_deactivated`` or ``rate_limited``.
    """
    if not staff.reaches(StaffRole.SUPPORT):
        raise PlatformError(PERMISSION_DENIED)
    session = session_of(staff, tenant_id)
    if session is None:
        raise PlatformError(errors.STAFF_SESSION_REQUIRED)
    reason = reason_checked(reason)
    impersonable(tenant_id=tenant_id, user_id=user_id)
    limits.spend("impersonate_staff", str(staff.pk))
    text, ends_at = secrets.token_urlsafe(32), timezone.now() + timedelta(seconds=CODE_SECONDS)
    Impersonation.objects.create(
        staff_session=session, user_id=user_id, reason=reason, code_hash=fingerprint(text), code_ends_at=ends_at
    )
    return Code(text, ends_at)


def impersonable(*, tenant_id: UUID, user_id: UUID) -> User:
    """The person, if staff may sign in as them; raises what stands in the way."""
    tenant = find_tenant(id=tenant_id)
    if tenant is None:
        raise PlatformError(NOT_FOUND)
    if tenant.status != ACTIVE:
        raise PlatformError(TENANT_SUSPENDED)
    with bind(tenant):
        if not setting_value(IMPERSONATION):
            raise PlatformError(errors.IMPERSONATION_OFF)
        user = User.objects.filter(uuid=user_id).exclude(status=User.Status.ERASED).first()
    if user is None:
        raise PlatformError(NOT_FOUND)
    if user.status != User.Status.ACTIVE:
        raise PlatformError(errors.ACCOUNT_DEACTIVATED)
    return user


@transaction.atomic
def impersonation_begin(*, code: str) -> Impersonated:
    """Exchange a code for an access token of at most a quarter of an hour.

    Raises ``impersonation_code_invalid`` for whatever is wrong, the same for each:
    the code is unknown, was used or is too old, or what it was made under does
    not hold any more.
    """
    now = timezone.now()
    asked = Impersonation.objects.select_for_update().filter(code_hash=fingerprint(code)).first()
    if asked is None or asked.used_at is not None or asked.code_ends_at <= now:
        raise PlatformError(errors.IMPERSONATION_CODE_INVALID)
    # Whoever ends any of these waits for us and finds the session, or was before us and we find that.
    session = StaffSession.objects.select_for_update().get(pk=asked.staff_session_id)
    staff = StaffUser.objects.get(pk=session.staff_id)
    if not staff.reaches(StaffRole.SUPPORT) or session.closed_at is not None or session.ends_at <= now:
        raise PlatformError(errors.IMPERSONATION_CODE_INVALID)
    tenant = tenant_lock(tenant_id=session.tenant_id).ref
    if tenant.status != ACTIVE:
        raise PlatformError(errors.IMPERSONATION_CODE_INVALID)
    until = min(now + timedelta(seconds=IMPERSONATION_SECONDS), session.ends_at)
    with bind(tenant):
        if not setting_value(IMPERSONATION):
            raise PlatformError(errors.IMPERSONATION_CODE_INVALID)
        user = _active(asked.user_id)
        impersonation_start(session_id=asked.id, user=user, impersonator=staff.email, now=now, until=until)
        # Whoever shows the person does so outside of the tenant.
        with_profiles([user])
    asked.used_at, asked.ends_at = now, until
    asked.save(update_fields=["used_at", "ends_at"])
    act_record(
        staff=staff, tenant_id=tenant.id, action="impersonation.started", reason=asked.reason,
        key=catalog.IMPERSONATION_STARTED, session_id=session.id, subject=("user", user.uuid),
        data={"userId": str(user.uuid), "until": wire_time(until), "sessionId": str(asked.id)},
    )  # fmt: skip
    token = impersonation_token(
        tenant_id=tenant.id, session_id=asked.id, user_uuid=user.uuid, staff_id=staff.pk, now=now, until=until
    )
    return Impersonated(token, user, tenant, staff_name(staff), now, until)


def _active(user_id: UUID) -> User:
    try:
        user = person_lock(uuid=user_id)
    except PlatformError as error:
        if error.code is not NOT_FOUND:
            raise
        raise PlatformError(errors.IMPERSONATION_CODE_INVALID) from None
    if user.status != User.Status.ACTIVE:
        raise PlatformError(errors.IMPERSONATION_CODE_INVALID)
    return user


def impersonated_request_record(*, session_id: UUID, method: str, path: str, status: int) -> None:
    """Write down a request that support made as somebody, in the staff audit alone."""
    session = Impersonation.objects.select_related("staff_session__staff").get(pk=session_id).staff_session
    request_record(
        staff=session.staff,
        method=method,
        path=path,
        status=status,
        tenant_id=session.tenant_id,
        session_id=session.id,
    )


def impersonator_name(session_id: UUID) -> str:
    """What the people of a tenant call whoever is signed in by this session; "" for a session of their own."""
    asked = Impersonation.objects.select_related("staff_session__staff").filter(pk=session_id).first()
    return staff_name(asked.staff_session.staff) if asked else ""


def staff_name(staff: StaffUser) -> str:
    return staff.get_full_name() or staff.email
