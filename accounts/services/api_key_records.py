"""The record of an API key: what a request with one reads, as a person's request reads the session record."""

from datetime import datetime
from uuid import UUID

import msgspec
from django.utils import timezone

from accounts import errors
from accounts.models import ApiKey
from accounts.roles import Role
from accounts.services.api_keys import is_secret_of, live_keys
from accounts.tokens import parse_token
from platform_site.api.identity import Identity
from platform_site.binding import TenantRef, bind
from platform_site.errors import PlatformError
from platform_site.paid_access import FULL, PaidAccess
from platform_site.permissions import permissions
from platform_site.session_cache import Slot
from platform_site.tenants import find_tenant
from tenancy.closed import require_open

PREFIX = "ak_"


class ApiKeyRecord(msgspec.Struct, frozen=True):
    """A key that works, and its tenant, as they were when SQL was last asked."""

    tenant_id: UUID
    schema_name: str
    slug: str
    tenant_status: str
    key_id: UUID
    secret_hash: bytes
    permissions: tuple[int, ...]
    expires_at: datetime | None
    # Records that the version before put into the cache have none.
    access: PaidAccess = FULL


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ApiKeyRecord).decode


def identity_of_api_key(text: str) -> Identity:
    """Whom a key stands for now.

    Raises ``api_key_invalid`` for everything that is wrong, ``tenant_suspended`` or ``tenant_pending_deletion``.
    """
    token = parse_token(text, "ak")
    if token is None:
        raise PlatformError(errors.API_KEY_INVALID)
    slot = Slot(token.tenant_id, token.id)
    cached = _record(slot.read())
    record = cached or _load(token.tenant_id, token.id)
    if record.tenant_id != token.tenant_id or not is_secret_of(record.secret_hash, token):
        raise PlatformError(errors.API_KEY_INVALID)
    if cached is None:
        # Only behind the secret: whoever knows a key's id has not used the key.
        _note_use(record)
        slot.fill(_encode(record))
    if record.expires_at is not None and record.expires_at <= timezone.now():
        raise PlatformError(errors.API_KEY_INVALID)
    require_open(record.tenant_status)
    return _identity(record)


def _identity(record: ApiKeyRecord) -> Identity:
    return Identity(
        tenant=TenantRef(record.tenant_id, record.schema_name, record.slug, record.tenant_status, record.access),
        session_id=record.key_id,
        user_id=0,
        user_uuid=record.key_id,
        role=Role.MANAGER,
        profile_id=0,
        permissions=frozenset(one.key for one in permissions if one.number in record.permissions),
        email_verified=False,
        expires_at=record.expires_at,
        is_person=False,
    )


def _record(cached: bytes | None) -> ApiKeyRecord | None:
    """What the cache holds under the token's id. A session's record is none: anybody can write its id into a token."""
    try:
        return _decode(cached) if cached else None
    except msgspec.DecodeError:
        return None


def _note_use(record: ApiKeyRecord) -> None:
    """Here, where SQL is asked anyway: once a minute at most, as long as the cache is there."""
    tenant = TenantRef(record.tenant_id, record.schema_name, record.slug, record.tenant_status)
    with bind(tenant):
        ApiKey.objects.filter(id=record.key_id).update(last_used_at=timezone.now())


def _load(tenant_id: UUID, key_id: UUID) -> ApiKeyRecord:
    tenant = find_tenant(id=tenant_id)
    if tenant is None:
        raise PlatformError(errors.API_KEY_INVALID)
    with bind(tenant):
        row = live_keys().filter(id=key_id).first()
        if row is None:
            raise PlatformError(errors.API_KEY_INVALID)
    return ApiKeyRecord(
        tenant_id=tenant.id,
        schema_name=tenant.schema_name,
        slug=tenant.slug,
        tenant_status=tenant.status,
        access=tenant.access,
        key_id=row.id,
        secret_hash=bytes(row.secret_hash),
        permissions=tuple(row.permissions),
        expires_at=row.expires_at,
    )
