"""Signing in with a password.

Attempts are counted before a hash is computed, so that parallel guesses cannot
outrun the count. The count is per workspace and address, whether they exist or
not. A device that signed in before carries a signed cookie and is counted by
itself, so that a stranger's guesses do not lock the owner out (OWASP: device
cookies). Known and unknown addresses take the same time and answer.

Whoever begins a session for somebody who gave a password goes through
``finish_sign_in``: no path leads around the second factor.
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
from accounts.selectors import with_profiles
from accounts.services.mfa_tokens import MFA_TOKEN_SECONDS, mfa_token
from accounts.services.passwords import password_matches
from accounts.services.second_factor import has_second_factor
from accounts.services.sessions import SignedIn, session_start
from platform_site import context, limits
from platform_site.binding import TenantRef, bind
from platform_site.errors import PlatformError
from platform_site.journal.services import record
from platform_site.keys import fingerprint
from platform_site.limits import Spent
from platform_site.tenants import ACTIVE
from tenancy.closed import require_open
from tenancy.org_settings.selectors import setting_value
from tenancy.slugs import tenant_of_slug

DEVICE_SALT = "accounts.known-device"
DEVICE_SECONDS = 180 * 86400


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where one attempt is counted: the limit's name and its subject."""

    limit: str
    subject: str


@dataclass(frozen=True, slots=True)
class MfaPending:
    """The password was right and a second factor is missing: there is no session yet.

    ``token`` is for ``/auth/mfa/verify``, or, when there is no second factor to
    ask for (``must_enroll``), for ``/auth/mfa/enroll``.
    """

    token: str
    must_enroll: bool
    expires_in: int = MFA_TOKEN_SECONDS


def sign_in(*, email: str, password: str, tenant_slug: str, device: str = "") -> SignedIn | MfaPending:
    """Start a session, or say that a code is asked for. ``device`` is the known-device cookie's value, if any.

    Raises ``invalid_credentials`` for everything that is wrong, the same for
    each; ``too_many_attempts``; and, only after the right password,
    ``account_deactivated``, ``email_not_verified``, ``tenant_suspended``,
    ``tenant_pending_deletion`` or ``mfa_enrollment_required``.
    """
    slug, address = tenant_slug.strip().lower(), email_key(email)
    limits.spend("sign_in_origin", context.current().origin, code=errors.TOO_MANY_ATTEMPTS)
    tenant = tenant_of_slug(slug)
    if tenant is not None:
        # Attempts count by the slug of today, or each former one would be another allowance.
        slug = tenant.slug
    known_device = _device_id(device, slug, address)
    attempt = _attempt(slug, address, known_device)
    spent = limits.spend(attempt.limit, attempt.subject, code=errors.TOO_MANY_ATTEMPTS)
    user = _find_user(tenant, address)
    if not password_matches(password, user.password if user else ""):
        _note_last_attempt(tenant, user, spent)
        raise PlatformError(errors.INVALID_CREDENTIALS)
    # A password matched, so both exist.
    assert tenant is not None  # noqa: S101
    assert user is not None  # noqa: S101
    limits.forget(attempt.limit, attempt.subject)
    refuse_by_state(tenant, user)
    with bind(tenant), transaction.atomic():
        # Nobody has to be told about the very first one.
        new_device = not known_device and user.last_sign_in_at is not None
        outcome = finish_sign_in(tenant=tenant, user=user, new_device=new_device)
    return settled(outcome)


def _attempt(slug: str, address: str, known_device: str) -> Attempt:
    if known_device:
        return Attempt("sign_in_known_device", known_device)
    return Attempt("sign_in_account", _subject(slug, address))


def _subject(slug: str, address: str) -> str:
    return f"{slug}\x1f{address}"


def allowance_return(*, tenant: TenantRef, user: User) -> None:
    """Let somebody who proved the address by a mailed link try to sign in again, whatever was tried before."""
    limits.forget("sign_in_account", _subject(tenant.slug, user.email_key))


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


def refuse_by_state(tenant: TenantRef, user: User) -> None:
    """Raises what stands in the way of somebody who has proved who is there."""
    require_open(tenant.status)
    if user.status != User.Status.ACTIVE:
        raise PlatformError(errors.ACCOUNT_DEACTIVATED)
    if settings.REQUIRE_VERIFIED_EMAIL and not user.email_verified:
        raise PlatformError(errors.EMAIL_NOT_VERIFIED)


def finish_sign_in(*, tenant: TenantRef, user: User, new_device: bool = False) -> SignedIn | MfaPending:
    """A session for somebody whose password is proved and whose state allows it, or what the second factor asks for.

    In the bound tenant and inside the caller's transaction; ``user`` carries the
    password hash that is stored. It raises nothing about a second factor that is
    missing, so that what the caller did (accepting an invitation) stays done:
    the caller hands the outcome to ``settled`` once the transaction is over.
    ``new_device``: the owner is to be told about this sign-in.
    """
    if has_second_factor(user.id):
        return MfaPending(mfa_token(user=user, purpose="verify", new_device=new_device), must_enroll=False)
    if setting_value(catalog.MFA_REQUIRED):
        return MfaPending(mfa_token(user=user, purpose="enroll", new_device=new_device), must_enroll=True)
    return session_begin(tenant=tenant, user=user, methods="pwd", new_device=new_device)


def settled(outcome: SignedIn | MfaPending) -> SignedIn | MfaPending:
    """The outcome; raises ``mfa_enrollment_required``, with the token to enroll with. After the transaction."""
    if isinstance(outcome, MfaPending) and outcome.must_enroll:
        context = {"mfaToken": outcome.token, "expiresIn": outcome.expires_in}
        raise PlatformError(errors.MFA_ENROLLMENT_REQUIRED, context=context)
    return outcome


def session_begin(*, tenant: TenantRef, user: User, methods: str, new_device: bool = False) -> SignedIn:
    """The session at the end of a sign-in, when nothing is missing any more. In the caller's transaction.

    Only for whoever has asked for the second factor; everybody else calls ``finish_sign_in``.
    """
    now = timezone.now()
    # With the password that was proved: one that was replaced meanwhile ended all sessions, and this would be one more.
    if not User.objects.filter(pk=user.pk, password=user.password).update(last_sign_in_at=now):
        raise PlatformError(errors.INVALID_CREDENTIALS)
    user.last_sign_in_at = now
    # Whoever shows the person does so outside of the tenant.
    with_profiles([user])
    tokens = session_start(user=user, methods=methods, now=now)
    data = {"newDevice": True} if new_device else {}
    record(catalog.SIGNED_IN, subject=("user", user.uuid), actor_id=user.uuid, data=data)
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
