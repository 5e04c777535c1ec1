"""Signing in with a password.

Attempts are counted before a hash is computed, so that parallel guesses cannot
outrun the count. The count is per workspace and address, whether they exist or
not. A device that signed in before carries a signed cookie and is counted by
itself, so that a stranger's guesses do not lock the owner out (OWASP: device
cookies). Known and unknown addresses take the same time and answer.
"""

from dataclasses import dataclass
from uuid import uuid4

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone

from accounts import catalog, errors
from accounts.emails import email_key
from accounts.models import User
from accounts.services.passwords import password_matches
from accounts.services.sessions import SignedIn, session_start
from platform_site import context, limits
from platform_site.binding import TenantRef, bind
from platform_site.errors import PlatformError
from platform_site.journal.services import record
from platform_site.keys import fingerprint
from platform_site.limits import Spent
from platform_site.tenants import ACTIVE, find_tenant
from tenancy.errors import TENANT_SUSPENDED

DEVICE_SALT = "accounts.known-device"
DEVICE_SECONDS = 180 * 86400


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where one attempt is counted: the limit's name and its subject."""

    limit: str
    subject: str


def sign_in(*, email: str, password: str, tenant_slug: str, device: str = "") -> SignedIn:
    """Start a session. ``device`` is the value of the known-device cookie, if there is one.

    Raises ``invalid_credentials`` for everything that is wrong, the same for
    each; ``too_many_attempts``; and, only after the right password,
    ``account_deactivated``, ``email_not_verified`` or ``tenant_suspended``.
    """
    slug, address = tenant_slug.strip().lower(), email_key(email)
    limits.spend("sign_in_origin", context.current().origin, code=errors.TOO_MANY_ATTEMPTS)
    attempt = _attempt(slug, address, device)
    spent = limits.spend(attempt.limit, attempt.subject, code=errors.TOO_MANY_ATTEMPTS)
    tenant = find_tenant(slug=slug)
    user = _find_user(tenant, address)
    if not password_matches(password, user.password if user else ""):
        _note_last_attempt(tenant, user, spent)
        raise PlatformError(errors.INVALID_CREDENTIALS)
    # A password matched, so both exist.
    assert tenant is not None  # noqa: S101
    assert user is not None  # noqa: S101
    limits.forget(attempt.limit, attempt.subject)
    _refuse_by_state(tenant, user)
    with bind(tenant):
        return _start(tenant, user)


def _attempt(slug: str, address: str, device: str) -> Attempt:
    known = _device_id(device, slug, address)
    if known:
        return Attempt("sign_in_known_device", known)
    return Attempt("sign_in_account", f"{slug}\x1f{address}")


def _find_user(tenant: TenantRef | None, address: str) -> User | None:
    if tenant is None:
        return None
    with bind(tenant):
        return User.objects.filter(email_key=address).exclude(status=User.Status.ERASED).first()


def _note_last_attempt(tenant: TenantRef | None, user: User | None, spent: Spent) -> None:
    """One journal entry when the allowance is used up, not one for each further guess."""
    if tenant is None or user is None or tenant.status != ACTIVE or spent.used < spent.limit:
        return
    with bind(tenant), transaction.atomic():
        record(catalog.SIGN_IN_BLOCKED, subject=("user", user.uuid), data={"minutes": spent.reset // 60})


def _refuse_by_state(tenant: TenantRef, user: User) -> None:
    if tenant.status != ACTIVE:
        raise PlatformError(TENANT_SUSPENDED)
    if user.status != User.Status.ACTIVE:
        raise PlatformError(errors.ACCOUNT_DEACTIVATED)
    if settings.REQUIRE_VERIFIED_EMAIL and not user.email_verified:
        raise PlatformError(errors.EMAIL_NOT_VERIFIED)


@transaction.atomic
def _start(tenant: TenantRef, user: User) -> SignedIn:
    now = timezone.now()
    User.objects.filter(pk=user.pk).update(last_sign_in_at=now)
    user.last_sign_in_at = now
    tokens = session_start(user=user, now=now)
    record(catalog.SIGNED_IN, subject=("user", user.uuid), actor_id=user.uuid)
    return SignedIn(tokens, user, tenant)


def device_cookie(slug: str, user: User) -> str:
    """The value that makes this device known for this account: signed, and with an id of its own."""
    return signing.dumps({"d": uuid4().hex, "a": _account(slug, user.email_key)}, salt=DEVICE_SALT, compress=False)


def _account(slug: str, address: str) -> str:
    # The cookie as a whole is signed; this only has to be the same for the same account.
    return fingerprint(f"{slug}\x1f{address}").hex()


def _device_id(cookie: str, slug: str, address: str) -> str:
    """The device's id when the cookie is ours and for this account, else ""."""
    if not cookie:
        return ""
    try:
        content = signing.loads(cookie, salt=DEVICE_SALT, max_age=DEVICE_SECONDS)
    except signing.BadSignature:
        return ""
    return str(content["d"]) if content.get("a") == _account(slug, address) else ""
