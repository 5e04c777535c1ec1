"""Proving again who is there, for what a session that was left open must not do."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import catalog, errors
from accounts.models import Session
from accounts.selectors import user_get
from accounts.services.passwords import password_matches
from accounts.services.second_factor import has_second_factor, second_factor_matches
from platform_site import limits
from platform_site.api.identity import Identity
from platform_site.errors import NOT_WHILE_IMPERSONATING, PERSON_REQUIRED, PlatformError, invalid_field
from platform_site.journal.services import record


@dataclass(frozen=True, slots=True)
class Reauthenticated:
    """When the proof was given, and until when it opens what asks for a recent one."""

    at: datetime
    valid_until: datetime


def require_recent_authentication(actor: Identity) -> None:
    """Raises ``reauth_required`` unless the actor proved who is there within ``REAUTH_SECONDS``.

    An API key can prove nothing of the kind: ``person_required``.
    """
    if not actor.is_person:
        raise PlatformError(PERSON_REQUIRED)
    # Their session began a moment ago, and proves nothing about the person.
    if actor.impersonator:
        raise PlatformError(NOT_WHILE_IMPERSONATING)
    since = timezone.now() - timedelta(seconds=settings.REAUTH_SECONDS)
    if not Session.objects.filter(id=actor.session_id, user_id=actor.user_id, authenticated_at__gte=since).exists():
        raise PlatformError(errors.REAUTH_REQUIRED)


def reauthenticate(*, actor: Identity, password: str = "", code: str = "") -> Reauthenticated:
    """Prove with the password, or with a code of the second factor, that it is still the same person.

    Whoever has a second factor has to give a code, and the password only if they
    like; what is given has to be right. Raises ``current_password_invalid``,
    ``mfa_invalid`` or ``too_many_attempts``; never a 401 for what is wrong,
    because the session is as good as before.
    """
    subject = f"{actor.tenant.id.hex}:{actor.user_id}"
    limits.spend("reauthenticate_user", subject, code=errors.TOO_MANY_ATTEMPTS)
    _require_enough(actor, password, code)
    if password and not password_matches(password, user_get(user_id=actor.user_id).password):
        raise invalid_field("password", errors.CURRENT_PASSWORD_INVALID)
    # In no transaction of ours, so that what is written down about wrong codes stays.
    if code and not second_factor_matches(user_id=actor.user_id, code=code):
        raise invalid_field("code", errors.MFA_INVALID)
    limits.forget("reauthenticate_user", subject)
    return _prove(actor)


def _require_enough(actor: Identity, password: str, code: str) -> None:
    if has_second_factor(actor.user_id):
        if not code:
            raise invalid_field("code", errors.MFA_INVALID, "Give a code of your second factor.")
    elif not password:
        raise invalid_field("password", errors.CURRENT_PASSWORD_INVALID, "Give your password.")


@transaction.atomic
def _prove(actor: Identity) -> Reauthenticated:
    now = timezone.now()
    # A session that was ended while the hash was computed (a reset, an administrator) stays ended.
    live = Session.objects.filter(id=actor.session_id, user_id=actor.user_id, revoked_at=None)
    if not live.update(authenticated_at=now):
        raise PlatformError(errors.SESSION_REVOKED)
    record(catalog.REAUTHENTICATED, subject=("user", actor.user_uuid), actor_id=actor.user_uuid)
    return Reauthenticated(now, now + timedelta(seconds=settings.REAUTH_SECONDS))
