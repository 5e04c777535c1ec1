"""Setting up a second factor and taking it off. Inside the bound tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import catalog, errors, one_time_codes
from accounts.models import SecondFactor, Session, User
from accounts.selectors import user_find
from accounts.services.reauthentication import require_recent_authentication
from accounts.services.second_factor import attempt_count, has_second_factor, person_lock, place, secret_of
from accounts.services.sessions import sessions_revoke
from platform_site.api.identity import Identity
from platform_site.binding import require_tenant
from platform_site.errors import PlatformError
from platform_site.journal.services import record
from platform_site.keys import seal
from tenancy.models import Tenant
from tenancy.org_settings.selectors import setting_value


@dataclass(frozen=True, slots=True)
class SetUp:
    """What an authenticator app is told, as text and as a picture."""

    secret: str
    otpauth_uri: str
    qr_svg: str


def own_second_factor_begin(*, actor: Identity) -> SetUp:
    """As ``second_factor_begin``, for somebody who is signed in; raises ``reauth_required`` too."""
    require_recent_authentication(actor)
    return second_factor_begin(user_id=actor.user_id)


@transaction.atomic
def second_factor_begin(*, user_id: int) -> SetUp:
    """A new secret, which counts once a code proves that an app has it. The one before is forgotten.

    Raises ``mfa_already_enabled``.
    """
    user = person_lock(id=user_id)
    if has_second_factor(user.id):
        raise PlatformError(errors.MFA_ALREADY_ENABLED)
    secret = one_time_codes.new_secret()
    SecondFactor.objects.update_or_create(
        user=user,
        defaults={"sealed_secret": seal(secret.encode(), place(user.id)), "last_step": 0, "recovery_hashes": []},
    )
    tenant_name = Tenant.objects.values_list("name", flat=True).get(id=require_tenant().id)
    uri = one_time_codes.otpauth_uri(secret, account=f"{settings.PRODUCT_NAME} ({user.email})", issuer=tenant_name)
    return SetUp(secret, uri, one_time_codes.qr_svg(uri))


def second_factor_confirm(*, user_id: int, code: str) -> list[str]:
    """From here on the second factor counts. Gives the recovery codes, which are shown this once.

    The code is spent by this. Raises ``mfa_invalid``, ``too_many_attempts``,
    ``mfa_already_enabled``, or ``mfa_not_enabled`` when set-up was not begun.
    """
    attempt_count(user_id=user_id)
    return _confirm(user_id, code)


@transaction.atomic
def _confirm(user_id: int, code: str) -> list[str]:
    user = person_lock(id=user_id)
    factor = SecondFactor.objects.filter(user=user).first()
    if factor is None:
        raise PlatformError(errors.MFA_NOT_ENABLED)
    if factor.confirmed_at is not None:
        raise PlatformError(errors.MFA_ALREADY_ENABLED)
    secret = secret_of(factor)
    step = one_time_codes.matching_step(secret, one_time_codes.as_totp(code))
    if step is None:
        raise PlatformError(errors.MFA_INVALID)
    codes = one_time_codes.new_recovery_codes()
    SecondFactor.objects.filter(pk=factor.pk).update(
        confirmed_at=timezone.now(), last_step=step, recovery_hashes=_hashes(secret, codes)
    )
    record(catalog.MFA_ENABLED, subject=("user", user.uuid), actor_id=user.uuid)
    return codes


@transaction.atomic
def recovery_codes_renew(*, actor: Identity) -> list[str]:
    """Ten new recovery codes; the ones before stop working. Raises ``reauth_required`` or ``mfa_not_enabled``."""
    require_recent_authentication(actor)
    user = person_lock(id=actor.user_id)
    factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    if factor is None:
        raise PlatformError(errors.MFA_NOT_ENABLED)
    codes = one_time_codes.new_recovery_codes()
    SecondFactor.objects.filter(pk=factor.pk).update(recovery_hashes=_hashes(secret_of(factor), codes))
    record(catalog.RECOVERY_CODES_MADE, subject=("user", user.uuid), actor_id=user.uuid)
    return codes


@transaction.atomic
def second_factor_remove(*, actor: Identity) -> None:
    """Somebody takes the own second factor off, or gives up a set-up that was begun.

    Raises ``reauth_required``, ``mfa_not_enabled``, or ``mfa_required`` when the
    tenant asks everybody for one.
    """
    require_recent_authentication(actor)
    user = person_lock(id=actor.user_id)
    if has_second_factor(user.id) and setting_value(catalog.MFA_REQUIRED):
        raise PlatformError(errors.MFA_REQUIRED_BY_TENANT)
    _remove(user)


@transaction.atomic
def second_factor_remove_of(*, actor: Identity, ref: int | UUID) -> None:
    """An administrator takes off the second factor that somebody has lost, and ends that person's sessions.

    A telephone that was lost may be signed in as well. ``ref`` is the person's
    number or UUID. Raises ``reauth_required``, ``not_found``, ``user_erased``,
    ``cannot_remove_own_mfa`` or ``mfa_not_enabled``.
    """
    require_recent_authentication(actor)
    user = person_lock(id=user_find(ref).id)
    if user.id == actor.user_id:
        raise PlatformError(errors.CANNOT_REMOVE_OWN_MFA)
    _remove(user, by_administrator=True)
    _end_sessions(Session.objects.filter(user=user), "mfa_removed")


def _remove(user: User, *, by_administrator: bool = False) -> None:
    """In the caller's transaction. Only what counted is a fact worth writing down."""
    counted = has_second_factor(user.id)
    count, _ = SecondFactor.objects.filter(user=user).delete()
    if not count:
        raise PlatformError(errors.MFA_NOT_ENABLED)
    if counted:
        data = {"byAdministrator": by_administrator}
        record(catalog.MFA_DISABLED, subject=("user", user.uuid), data=data)


@transaction.atomic
def sessions_end_without_second_factor() -> int:
    """End the sessions of everybody in the bound tenant who has no confirmed second factor. Gives how many."""
    everybody = Session.objects.all()
    return _end_sessions(everybody.exclude(user__second_factor__confirmed_at__isnull=False), "mfa_required")


def _end_sessions(sessions: QuerySet[Session], reason: str) -> int:
    live = sessions.filter(revoked_at=None).values_list("id", flat=True)
    return sessions_revoke(session_ids=list(live), reason=reason)


def _hashes(secret: str, codes: Sequence[str]) -> list[bytes]:
    return [one_time_codes.recovery_hash(secret, code) for code in codes]
