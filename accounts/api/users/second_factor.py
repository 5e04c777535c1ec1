"""``/users/:id/mfa``: helping somebody who has lost the second factor."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.api.auth.second_factor import SecondFactorRemovedOutput
from accounts.catalog import USERS_DEACTIVATE
from accounts.services.second_factor_setup import second_factor_remove_of
from platform_site.api.docs import operation
from platform_site.api.permissions import Needs
from platform_site.api.views import ApiView
from platform_site.errors import NOT_FOUND, PlatformError


def _person(ref: str) -> int | UUID:
    """The number or UUID in the path; raises ``not_found`` for what is neither."""
    if ref.isascii() and ref.isdigit():
        return int(ref)
    try:
        return UUID(ref)
    except ValueError:
        raise PlatformError(NOT_FOUND) from None


class UserSecondFactorView(ApiView):
    access = Needs(USERS_DEACTIVATE, person=True)

    @operation(
        id="users_mfa_remove",
        summary="Take off the second factor that somebody has lost",
        description="Needs a recent re-authentication. The person's sessions end, and a mail says so.",
        output=SecondFactorRemovedOutput,
        example={"enabled": False},
        errors=[errors.REAUTH_REQUIRED, errors.CANNOT_REMOVE_OWN_MFA, errors.MFA_NOT_ENABLED],
    )
    def delete(self, request: Request, ref: str) -> Response:
        second_factor_remove_of(actor=self.identity, ref=_person(ref))
        return Response({"enabled": False})
