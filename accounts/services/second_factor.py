"""The second factor of a person: whether there is one, and using it. Inside the bound tenant.

Whatever reads or changes a second factor holds the lock of its person's row,
so that of any number of uses of one code at once one succeeds, and a code that
is being used cannot meet a password that is being changed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import transaction

from accounts import catalog, errors, one_time_codes
from accounts.models import SecondFactor, User
from platform_site import limits
from platform_site.binding import require_tenant
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.journal.services import record
from platform_site.keys import unseal
from platform_site.limits import Spent
from tenancy.org_settings.selectors import setting_value

# As RFC 8176 names them: a time-based code, or a recovery code. "" is a refusal.
Method = Literal["otp", "rec", ""]


@dataclass(frozen=True, slots=True)
class SecondFactorState:
    """``pending``: begun and not confirmed. ``required``: the tenant asks everybody for one."""

    enabled: bool
    required: bool
    pending: bool
    recovery_codes_left: int


def has_second_factor(user_id: int) -> bool:
    """Whether this person has a confirmed second factor."""
    return second_factor_since(user_id) is not None


def second_factor_since(user_id: int) -> datetime | None:
    """When this person's second factor was confirmed, or None when there is none."""
    return SecondFactor.objects.filter(user_id=user_id).values_list("confirmed_at", flat=True).first()


def second_factor_matches(*, user_id: int, code: str) -> bool:
    """Use a code of six digits or a recovery code. Each is good once, so a right one is spent by this.

    Counts the attempt before it looks and raises ``too_many_attempts``; False
    for a wrong or used code and for somebody without a second factor. In a
    transaction of the caller's that is rolled back, the code was not spent.
    """
    return second_factor_use(user_id=user_id, code=code) != ""


def second_factor_use(*, user_id: int, code: str) -> Method:
    """As ``second_factor_matches``, and says which kind of code it was."""
    spent = attempt_count(user_id=user_id)
    method = _use(user_id, code)
    if not method and spent.used >= spent.limit:
        _note_last_attempt(user_id, spent)
    return method


def _note_last_attempt(user_id: int, spent: Spent) -> None:
    """One journal entry when the allowance is used up: whoever guesses codes knows the password already."""
    user = User.objects.filter(pk=user_id, second_factor__confirmed_at__isnull=False).first()
    if user is not None:
        with transaction.atomic():
            record(catalog.MFA_BLOCKED, subject=("user", user.uuid), data={"minutes": max(1, spent.reset // 60)})


def attempt_count(*, user_id: int) -> Spent:
    """Count one try of a code: one count for all ways to try, whatever token or session they come with."""
    return limits.spend("mfa_user", f"{require_tenant().id.hex}:{user_id}", code=errors.TOO_MANY_ATTEMPTS)


@transaction.atomic
def _use(user_id: int, code: str) -> Method:
    user = person_lock(id=user_id)
    factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    if factor is None:
        return ""
    secret = secret_of(factor)
    if digits := one_time_codes.as_totp(code):
        return "otp" if _use_totp(factor, secret, digits) else ""
    if letters := one_time_codes.as_recovery_code(code):
        return "rec" if _use_recovery_code(user, factor, secret, letters) else ""
    return ""


def _use_totp(factor: SecondFactor, secret: str, digits: str) -> bool:
    step = one_time_codes.matching_step(secret, digits)
    if step is None:
        return False
    # Not an older one either: of two codes that were watched, the earlier must not outlive the later.
    return SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step).update(last_step=step) == 1


def _use_recovery_code(user: User, factor: SecondFactor, secret: str, letters: str) -> bool:
    left = one_time_codes.without_code(secret, letters, [bytes(stored) for stored in factor.recovery_hashes])
    if left is None:
        return False
    SecondFactor.objects.filter(pk=factor.pk).update(recovery_hashes=left)
    record(catalog.RECOVERY_CODE_USED, subject=("user", user.uuid), actor_id=user.uuid, data={"left": len(left)})
    return True


def person_lock(**lookup: object) -> User:
    """The person, locked until the caller's transaction ends; raises ``not_found``. Rows that point here stay free."""
    rows = User.objects.select_for_update(of=("self",), no_key=True).exclude(status=User.Status.ERASED)
    user = rows.filter(**lookup).first()
    if user is None:
        raise PlatformError(NOT_FOUND)
    return user


def second_factor_state(*, user_id: int) -> SecondFactorState:
    factor = SecondFactor.objects.filter(user_id=user_id).first()
    enabled = factor is not None and factor.confirmed_at is not None
    return SecondFactorState(
        enabled=enabled,
        required=bool(setting_value(catalog.MFA_REQUIRED)),
        pending=factor is not None and not enabled,
        recovery_codes_left=len(factor.recovery_hashes) if factor else 0,
    )


def place(user_id: int) -> str:
    """Where a person's secret is sealed for."""
    return f"second_factor:{require_tenant().id.hex}:{user_id}"


def secret_of(factor: SecondFactor) -> str:
    """The secret that the person's app has, in base32."""
    return unseal(bytes(factor.sealed_secret), place(factor.user_id)).decode()
