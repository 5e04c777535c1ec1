"""What a sign-in that lacks its second factor hands out instead of a session.

A signed text for five minutes, bound to tenant, person and purpose, and to the
person's password and second factor as they were: when either changes, it is
worth nothing. It opens nothing but the step it was made for.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.core import signing
from django.db import transaction

from accounts import errors
from accounts.models import User
from accounts.services.second_factor import person_lock, second_factor_since
from platform_site.binding import TenantRef, bind, require_tenant
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.keys import fingerprint
from platform_site.tenants import find_tenant
from tenancy.closed import require_open

# "verify" asks for a code; "enroll" lets somebody without a second factor set one up.
Purpose = Literal["verify", "enroll"]
SALT = "accounts.mfa-token"
MFA_TOKEN_SECONDS = 300
# What a signed token is at most; longer ones are not looked at.
MAX_LENGTH = 400


@dataclass(frozen=True, slots=True)
class MfaTokenHolder:
    """Whose token it is."""

    tenant: TenantRef
    user: User
    new_device: bool = False


def mfa_token(*, user: User, purpose: Purpose, new_device: bool = False) -> str:
    """A token for this step. ``user`` carries the password hash that is stored.

    ``new_device`` is remembered until the sign-in ends: only the first step sees the device's cookie.
    """
    content = {
        "t": require_tenant().id.hex,
        "u": user.uuid.hex,
        "p": purpose,
        "s": _state(user, second_factor_since(user.id)),
        "n": "1" if new_device else "",
    }
    return signing.dumps(content, salt=SALT, compress=False)


@contextmanager
def holder_of(token: str, purpose: Purpose) -> Iterator[MfaTokenHolder]:
    """Work for the token's person: tenant bound, in a transaction, the person's row locked.

    Raises ``mfa_token_invalid`` for whatever is wrong with the token, and
    ``tenant_suspended`` or ``tenant_pending_deletion``. Whether the person may
    sign in at all is for the caller to ask.
    """
    content = _read(token, purpose)
    tenant = find_tenant(id=UUID(content["t"]))
    if tenant is None:
        raise PlatformError(errors.MFA_TOKEN_INVALID)
    require_open(tenant.status)
    with bind(tenant), transaction.atomic():
        yield MfaTokenHolder(tenant, _holder(content), bool(content.get("n")))


def _read(token: str, purpose: Purpose) -> dict[str, str]:
    try:
        if len(token) > MAX_LENGTH:
            raise signing.BadSignature
        content: dict[str, str] = signing.loads(token, salt=SALT, max_age=MFA_TOKEN_SECONDS)
    except signing.BadSignature:
        raise PlatformError(errors.MFA_TOKEN_INVALID) from None
    if content["p"] != purpose:
        raise PlatformError(errors.MFA_TOKEN_INVALID)
    return content


def _holder(content: dict[str, str]) -> User:
    try:
        user = person_lock(uuid=UUID(content["u"]))
    except PlatformError as error:
        if error.code is not NOT_FOUND:
            raise
        raise PlatformError(errors.MFA_TOKEN_INVALID) from None
    if not hmac.compare_digest(content["s"], _state(user, second_factor_since(user.id))):
        raise PlatformError(errors.MFA_TOKEN_INVALID)
    return user


def _state(user: User, since: datetime | None) -> str:
    # A password's hash has a salt of its own, so this says nothing about the password.
    return fingerprint(f"{user.password}\x1f{since.isoformat() if since else ''}").hex()[:32]
