"""Keys for a tenant's own services: made by an administrator, shown once, taken back at once."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import catalog, errors
from accounts.models import ApiKey, User
from accounts.roles import Role
from accounts.services.reauthentication import require_recent_authentication
from accounts.tokens import OpaqueToken, make_token
from platform_site import session_cache
from platform_site.api.identity import Identity
from platform_site.binding import require_tenant
from platform_site.errors import NOT_FOUND, PERMISSION_DENIED, VALIDATION_FAILED, FieldError, PlatformError
from platform_site.ids import uuid7
from platform_site.journal.services import record
from platform_site.keys import current_token_key, fingerprint
from platform_site.permissions import Permission, permissions

MOST = 50
# A key that could make keys would outlive its revocation.
NOT_GRANTABLE = frozenset({catalog.API_KEYS_MANAGE.key})


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """The key's row, and the token that is never to be seen again."""

    row: ApiKey
    token: str


@transaction.atomic
def api_key_create(
    *, actor: Identity, name: str, permission_numbers: Sequence[int], expires_at: datetime | None = None
) -> NewApiKey:
    """A key that holds these permissions and no others, ever.

    Raises ``reauth_required``, ``person_required``, ``unknown_permission``,
    ``permission_not_grantable``, ``validation_failed`` for an end in the past,
    or ``api_key_limit_reached`` beyond 50 that work.
    """
    require_recent_authentication(actor)
    _still_an_administrator(actor)
    numbers = _grantable(permission_numbers)
    if expires_at is not None and expires_at <= timezone.now():
        raise PlatformError(VALIDATION_FAILED, details=[FieldError("expiresAt", "invalid", "This time is over.")])
    _room_for_one_more()
    row = ApiKey(
        id=uuid7(),
        name=name,
        permissions=numbers,
        key_id=current_token_key(),
        created_by_id=actor.user_id,
        expires_at=expires_at,
    )
    token = make_token("ak", require_tenant().id, row.id, key_id=row.key_id)
    row.secret_hash, row.hint = fingerprint(token.secret), token.secret[-5:]
    row.save(force_insert=True)
    row.refresh_from_db(fields=["created_at"])
    record(catalog.API_KEY_CREATED, subject=("api_key", row.id), data={"name": name, "permissions": _names(numbers)})
    return NewApiKey(row, str(token))


@transaction.atomic
def api_key_revoke(*, key_id: UUID) -> None:
    """The key stops working at once, everywhere. Raises ``not_found`` for one that does not work any more."""
    row = live_keys().select_for_update(of=("self",)).filter(id=key_id).first()
    if row is None:
        raise PlatformError(NOT_FOUND)
    ApiKey.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
    session_cache.forget_sessions(require_tenant().id, [row.id])
    record(catalog.API_KEY_REVOKED, subject=("api_key", row.id), data={"name": row.name})


def live_keys() -> QuerySet[ApiKey]:
    """Keys of the bound tenant that work, newest first."""
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return ApiKey.objects.filter(unexpired, revoked_at=None).order_by("-id")


def is_secret_of(row_hash: bytes, token: OpaqueToken) -> bool:
    """Compared by what is stored, so a key outlives the platform key from which its secret was derived."""
    return hmac.compare_digest(fingerprint(token.secret), row_hash)


def _grantable(numbers: Sequence[int]) -> list[int]:
    by_number: dict[int, Permission] = {permission.number: permission for permission in permissions}
    for place, number in enumerate(numbers):
        found = by_number.get(number)
        code = errors.UNKNOWN_PERMISSION if found is None else errors.PERMISSION_NOT_GRANTABLE
        if found is None or found.key in NOT_GRANTABLE:
            raise PlatformError(code, details=[FieldError(f"permissions.{place}", code.key, code.message)])
    return sorted(set(numbers))


def _names(numbers: Sequence[int]) -> list[str]:
    return [permission.key for permission in permissions if permission.number in numbers]


def _still_an_administrator(actor: Identity) -> None:
    """Locked until the key is there: whoever is being taken out at this moment leaves no key behind."""
    rows = User.objects.select_for_update(of=("self",), no_key=True)
    if not rows.filter(id=actor.user_id, status=User.Status.ACTIVE, role=Role.TENANT_ADMIN).first():
        raise PlatformError(PERMISSION_DENIED)


def _room_for_one_more() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"api-keys:{require_tenant().id.hex}"])
    if live_keys().count() >= MOST:
        raise PlatformError(errors.API_KEY_LIMIT_REACHED, context={"limit": MOST})
