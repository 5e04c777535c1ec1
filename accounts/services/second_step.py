"""The second step of a sign-in: a code, or setting up the second factor that the tenant asks for."""

from dataclasses import dataclass

from accounts import errors
from accounts.services.mfa_tokens import MfaTokenHolder, holder_of
from accounts.services.second_factor import second_factor_use
from accounts.services.second_factor_setup import SetUp, second_factor_begin, second_factor_confirm
from accounts.services.sessions import SignedIn
from accounts.services.sign_in import refuse_by_state, session_begin
from platform_site.errors import PlatformError


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The recovery codes, shown this once, and the session that was waited for."""

    recovery_codes: list[str]
    signed_in: SignedIn


def sign_in_with_code(*, mfa_token: str, code: str) -> SignedIn:
    """Finish a sign-in with a code of six digits or a recovery code.

    Raises ``mfa_token_invalid``, ``mfa_invalid``, ``too_many_attempts``, or what
    became of the person or the tenant since the password was given.
    """
    with holder_of(mfa_token, "verify") as holder:
        refuse_by_state(holder.tenant, holder.user)
        method = second_factor_use(user_id=holder.user.id, code=code)
        if method:
            return _begin(holder, method)
    # Raised only here, so that what was written down about wrong codes is committed.
    raise PlatformError(errors.MFA_INVALID)


def enrollment_begin(*, mfa_token: str) -> SetUp:
    """The secret for somebody who may not sign in without a second factor. Raises ``mfa_token_invalid``."""
    with holder_of(mfa_token, "enroll") as holder:
        refuse_by_state(holder.tenant, holder.user)
        return second_factor_begin(user_id=holder.user.id)


def enrollment_confirm(*, mfa_token: str, code: str) -> Enrolled:
    """Confirm the second factor and sign in with the same code.

    Raises ``mfa_token_invalid``, ``mfa_invalid``, ``mfa_not_enabled`` when set-up
    was not begun, or ``too_many_attempts``.
    """
    with holder_of(mfa_token, "enroll") as holder:
        refuse_by_state(holder.tenant, holder.user)
        codes = second_factor_confirm(user_id=holder.user.id, code=code)
        return Enrolled(codes, _begin(holder, "otp"))


def _begin(holder: MfaTokenHolder, method: str) -> SignedIn:
    return session_begin(tenant=holder.tenant, user=holder.user, methods=f"pwd {method}", new_device=holder.new_device)
