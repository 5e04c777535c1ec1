"""``/auth/impersonate``: support signs in as somebody, with a code that the staff admin gave out."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.access_tokens import verify_access_token
from accounts.api.auth import examples
from accounts.api.auth.responses import NO_STORE
from accounts.api.middleware import bearer_token
from accounts.api.serializers import UserOutput, present_user
from accounts.staff.impersonation import Impersonated, impersonation_begin, impersonator_name
from platform_site.api.docs import operation
from platform_site.api.identity import Identity
from platform_site.api.permissions import Public
from platform_site.api.serializers import Moment, Secret, Shape, Text, Whole
from platform_site.api.views import ApiView
from platform_site.errors import NOT_WHILE_IMPERSONATING, PlatformError
from tenancy.api.serializers import TenantOutput, present_tenant
from tenancy.models import Tenant

IMPERSONATED_BY = {"name": "Nora New", "until": "2026-11-23T09:29:00.000Z"}


class ImpersonateInput(Shape):
    code = Secret(max_length=100)


class ImpersonatedByOutput(Shape):
    """The staff member who is signed in as this person, and the end of that."""

    name = Text()
    until = Moment()


class ImpersonatedOutput(Shape):
    """There is no refresh token: it ends when ``expiresIn`` is over."""

    access_token = Text()
    expires_in = Whole()
    user = UserOutput()
    tenant = TenantOutput()
    impersonated_by = ImpersonatedByOutput()


class MeOutput(UserOutput):
    """``impersonatedBy`` is for the banner of a frontend: null for the person."""

    impersonated_by = ImpersonatedByOutput(allow_null=True)


def present_impersonated(begun: Impersonated) -> dict[str, object]:
    return {
        "accessToken": begun.access_token,
        "expiresIn": begun.expires_in,
        "user": present_user(begun.user),
        "tenant": present_tenant(Tenant.objects.get(id=begun.tenant.id)),
        "impersonatedBy": dict(ImpersonatedByOutput({"name": begun.staff_name, "until": begun.until}).data),
    }


def impersonated_by(identity: Identity) -> dict[str, object] | None:
    """Who is signed in as the person who asks, or None. One query, and none for the person."""
    if not identity.impersonator:
        return None
    shown = {"name": impersonator_name(identity.session_id), "until": identity.expires_at}
    return dict(ImpersonatedByOutput(shown).data)


class ImpersonateView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("impersonate_origin",)}

    @operation(
        id="auth_impersonate",
        summary="Support: exchange a code for a short session as one of the workspace's people",
        description="The code comes from the staff admin, is good once and for 60 seconds. The access token carries an"
        " `act` claim (RFC 8693), lives for 15 minutes at most and ends with the staff session; there is no refresh"
        " token. It looks at what the person may look at and changes no account, right, setting or payment: these"
        " answer `not_while_impersonating`.",
        input=ImpersonateInput,
        output=ImpersonatedOutput,
        example_in={"code": "q3J5bW9uZ29vc2UtYW5kLW90aGVyLXNtYWxsLXRoaW5ncw"},
        example={
            "accessToken": examples.TOKENS["accessToken"],
            "expiresIn": 900,
            "user": examples.USER,
            "tenant": examples.TENANT,
            "impersonatedBy": IMPERSONATED_BY,
        },
        errors=[errors.IMPERSONATION_CODE_INVALID, NOT_WHILE_IMPERSONATING],
    )
    def post(self, request: Request) -> Response:
        _refuse_nesting(request)
        begun = impersonation_begin(code=self.read(ImpersonateInput)["code"])
        return Response(present_impersonated(begun), headers=NO_STORE)


def _refuse_nesting(request: Request) -> None:
    """Whoever is signed in as somebody does not become somebody else from there. No other token matters here."""
    token = bearer_token(request._request)
    try:
        acting = verify_access_token(token).acting if token else ""
    except PlatformError:
        # Not swallowed but of no account: the way in is the code, with whatever token that is not good any more.
        return
    if acting:
        raise PlatformError(NOT_WHILE_IMPERSONATING)
