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
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView


class UserSecondFactorView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access = Needs(USERS_DEACTIVATE, person=True)

    @operation(
        id="users_mfa_remove",
        summary="Take off the second factor that somebody has lost",
        description="Needs a recent re-authentication. The person's sessions end, and a mail says so.",
        output=SecondFactorRemovedOutput,
        example={"enabled": False},
        errors=[errors.REAUTH_REQUIRED, errors.CANNOT_REMOVE_OWN_MFA, errors.MFA_NOT_ENABLED, errors.USER_ERASED],
    )
    def delete(self, request: Request, ref: int | UUID) -> Response:
        second_factor_remove_of(actor=self.identity, ref=ref)
        return Response({"enabled": False})
