"""The session record: the one thing that every signed-in request reads."""

from datetime import datetime
from uuid import UUID

import msgspec
from django.utils import timezone

from accounts import errors
from accounts.access_tokens import Claims
from accounts.catalog import MESSAGE_ACCESS_UNTIL
from accounts.models import Session, User
from accounts.profiles import effective_permissions
from accounts.selectors import custom_permissions
from platform_site.api.identity import Identity
from platform_site.binding import TenantRef, bind
from platform_site.errors import PlatformError
from platform_site.paid_access import FULL, PaidAccess
from platform_site.session_cache import Slot
from platform_site.tenants import find_tenant
from tenancy.closed import require_open
from tenancy.org_settings.selectors import setting_value


class SessionRecord(msgspec.Struct, frozen=True):
    """A live session, its user and its tenant, as they were when SQL was last asked."""

    tenant_id: UUID
    schema_name: str
    slug: str
    tenant_status: str
    session_id: UUID
    user_id: int
    user_uuid: UUID
    role: str
    profile_id: int
    # The permission numbers of a profile of the tenant's own; a system profile's are code.
    profile_permissions: tuple[int, ...]
    email_verified: bool
    expires_at: datetime
    # Records that the version before put into the cache have none.
    access: PaidAccess = FULL
    # Nor these. Whose token says that there is an impersonator is looked up in SQL then.
    impersonator: str = ""
    messages_until: datetime | None = None


_READ = (
    "idle_expires_at",
    "absolute_expires_at",
    "user__id",
    "user__uuid",
    "user__role",
    "user__profile_id",
    "user__email_verified_at",
    "impersonator",
)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(SessionRecord).decode


def identity_of(claims: Claims) -> Identity:
    """Who a genuine token stands for now.

    Raises ``session_revoked``, ``tenant_mismatch``, ``tenant_suspended`` or ``tenant_pending_deletion``.
    """
    slot = Slot(claims.tenant_id, claims.session_id)
    cached = slot.read()
    record = _decode(cached) if cached else None
    if record is None or (claims.acting and not record.impersonator):
        record = _load(claims)
        slot.fill(_encode(record))
    if claims.acting and not record.impersonator:
        raise PlatformError(errors.TENANT_MISMATCH)
    if record.tenant_id != claims.tenant_id or record.user_uuid != claims.user_uuid:
        raise PlatformError(errors.TENANT_MISMATCH)
    if record.expires_at <= timezone.now():
        raise PlatformError(errors.SESSION_REVOKED)
    require_open(record.tenant_status)
    return Identity(
        tenant=TenantRef(record.tenant_id, record.schema_name, record.slug, record.tenant_status, record.access),
        session_id=record.session_id,
        user_id=record.user_id,
        user_uuid=record.user_uuid,
        role=record.role,
        profile_id=record.profile_id,
        permissions=effective_permissions(record.role, record.profile_id, record.profile_permissions),
        email_verified=record.email_verified,
        expires_at=record.expires_at,
        impersonator=record.impersonator,
        messages_until=record.messages_until,
    )


def _load(claims: Claims) -> SessionRecord:
    tenant = find_tenant(id=claims.tenant_id)
    if tenant is None:
        raise PlatformError(errors.SESSION_REVOKED)
    with bind(tenant):
        # Columns alone: every request comes by here while Valkey is away, and two whole rows cost twice as much.
        live = Session.objects.filter(id=claims.session_id, revoked_at=None, user__status=User.Status.ACTIVE)
        row = live.values_list(*_READ).first()
        if row is None:
            raise PlatformError(errors.SESSION_REVOKED)
        idle_until, absolute_until, user_id, user_uuid, role, profile_id, verified_at, impersonator = row
        profile_permissions = custom_permissions(profile_id)
        # Nobody else's requests pay for this query.
        messages_until = setting_value(MESSAGE_ACCESS_UNTIL) if impersonator else None
    return SessionRecord(
        tenant_id=tenant.id,
        schema_name=tenant.schema_name,
        slug=tenant.slug,
        tenant_status=tenant.status,
        access=tenant.access,
        session_id=claims.session_id,
        user_id=user_id,
        user_uuid=user_uuid,
        role=role,
        profile_id=profile_id,
        profile_permissions=profile_permissions,
        email_verified=verified_at is not None,
        expires_at=min(idle_until, absolute_until),
        impersonator=impersonator,
        messages_until=messages_until,
    )
