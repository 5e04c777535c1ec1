"""``/auth``: signing in and out, refreshing, confirming an address, and who one is."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.access_tokens import Claims, verify_access_token
from accounts.api.auth import examples
from accounts.api.auth.impersonation import MeOutput, impersonated_by
from accounts.api.auth.responses import DEVICE_COOKIE, sign_in_response
from accounts.api.auth.serializers import SignedInOutput, SignInOutput, present_signed_in
from accounts.api.middleware import bearer_token
from accounts.api.serializers import (
    RefreshInput,
    RevokedOutput,
    SignInInput,
    SignOutInput,
    VerifiedOutput,
    present_user,
)
from accounts.selectors import user_get
from accounts.services.sessions import session_end, session_of_refresh_token, session_refresh, sessions_end_all
from accounts.services.sign_in import sign_in
from accounts.services.verification import email_verify
from platform_site.api.docs import operation, query
from platform_site.api.permissions import Public, SignedIn
from platform_site.api.query import query_flag
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.binding import bind
from platform_site.errors import NOT_AUTHENTICATED, PlatformError
from platform_site.tenants import find_tenant
from tenancy.errors import TENANT_CLOSED


class SignInView(ApiView):
    access = Public()

    @operation(
        id="auth_login",
        summary="Sign in with e-mail, password and workspace",
        description="Attempts are counted per workspace and address, 10 in 15 minutes, before anything is compared."
        " With a second factor there are no tokens yet but `mfaRequired` and an `mfaToken` for /auth/mfa/verify;"
        " where the workspace asks for one and there is none, `mfa_enrollment_required` has an `mfaToken` for"
        " /auth/mfa/enroll in its context.",
        input=SignInInput,
        output=SignInOutput,
        example_in=examples.SIGN_IN,
        example={**examples.TOKENS, "user": examples.USER, "tenant": examples.TENANT},
        errors=[
            errors.INVALID_CREDENTIALS,
            errors.TOO_MANY_ATTEMPTS,
            errors.ACCOUNT_DEACTIVATED,
            errors.EMAIL_NOT_VERIFIED,
            errors.MFA_ENROLLMENT_REQUIRED,
            *TENANT_CLOSED,
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.read(SignInInput)
        return sign_in_response(sign_in(**data, device=request.COOKIES.get(DEVICE_COOKIE, "")))


class RefreshView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("refresh_origin",)}

    @operation(
        id="auth_refresh",
        summary="Exchange a refresh token for the next pair",
        description="The token before the current one gives the same answer for 10 seconds;"
        " an older one ends the session.",
        input=RefreshInput,
        output=SignedInOutput,
        example_in={"refreshToken": examples.TOKENS["refreshToken"]},
        example={**examples.TOKENS, "user": examples.USER, "tenant": examples.TENANT},
        errors=[
            errors.REFRESH_TOKEN_INVALID,
            errors.REFRESH_TOKEN_EXPIRED,
            errors.REFRESH_TOKEN_REUSED,
            errors.SESSION_REVOKED,
            *TENANT_CLOSED,
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.read(RefreshInput)
        signed_in = session_refresh(refresh_token=data["refresh_token"])
        return Response(present_signed_in(signed_in), headers={"Cache-Control": "no-store"})


class SignOutView(ApiView):
    """Public to the permission system, because an expired access token must be able to sign out."""

    when_unpaid = WhenUnpaid.ALWAYS
    access = Public()
    documents_bearer = True

    @operation(
        id="auth_logout",
        summary="End the session that the access token belongs to",
        description="An expired access token is accepted together with the session's refresh token."
        " Ending a session that has ended is fine and answers 0.",
        input=SignOutInput,
        output=RevokedOutput,
        example_in={},
        example={"revoked": 1},
        errors=[errors.TOKEN_INVALID, errors.TOKEN_EXPIRED, NOT_AUTHENTICATED],
    )
    def post(self, request: Request) -> Response:
        data = self.read(SignOutInput)
        claims = _claims_for_sign_out(request, data.get("refresh_token", ""))
        tenant = find_tenant(id=claims.tenant_id)
        if tenant is None:
            raise PlatformError(errors.TOKEN_INVALID)
        with bind(tenant):
            count = session_end(session_id=claims.session_id, user_uuid=claims.user_uuid)
        return Response({"revoked": count})


def _claims_for_sign_out(request: Request, refresh_token: str) -> Claims:
    token = bearer_token(request._request)
    if not token:
        raise PlatformError(NOT_AUTHENTICATED)
    try:
        return verify_access_token(token)
    except PlatformError as error:
        if error.code is not errors.TOKEN_EXPIRED or not refresh_token:
            raise
    claims = verify_access_token(token, allow_expired=True)
    tenant = find_tenant(id=claims.tenant_id)
    if tenant is not None:
        with bind(tenant):
            if session_of_refresh_token(refresh_token, tenant.id) == (claims.session_id, claims.user_uuid):
                return claims
    raise PlatformError(errors.TOKEN_EXPIRED)


class SignOutAllView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()
    parameters: ClassVar = {"POST": ("exceptCurrent",)}

    @operation(
        id="auth_logout_all",
        summary="End every session of the signed-in user",
        output=RevokedOutput,
        example={"revoked": 3},
        parameters=[query("exceptCurrent", bool, "Keep the session that asks.")],
    )
    def post(self, request: Request) -> Response:
        me = self.identity
        keep = me.session_id if query_flag(request, "exceptCurrent") else None
        count = sessions_end_all(user_id=me.user_id, user_uuid=me.user_uuid, but=keep)
        return Response({"revoked": count})


class VerifyEmailView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("verify_email_origin",), "GET": ("verify_email_origin",)}

    @operation(
        id="auth_verify_email",
        summary="Confirm an e-mail address with the token of the mailed link",
        output=VerifiedOutput,
        example={"verified": True, "alreadyVerified": False},
        errors=[errors.LINK_TOKEN_INVALID, errors.LINK_TOKEN_EXPIRED, *TENANT_CLOSED],
    )
    def post(self, request: Request, token: str) -> Response:
        return self._verify(token)

    @operation(
        id="auth_verify_email_by_get",
        summary="The same, for clients that can only follow a link",
        description="Mails never link here: mail scanners follow links.",
        output=VerifiedOutput,
        example={"verified": True, "alreadyVerified": True},
        errors=[errors.LINK_TOKEN_INVALID, errors.LINK_TOKEN_EXPIRED, *TENANT_CLOSED],
    )
    def get(self, request: Request, token: str) -> Response:
        return self._verify(token)

    def _verify(self, token: str) -> Response:
        result = email_verify(token=token)
        return Response({"verified": True, "alreadyVerified": result.already_verified})


class MeView(ApiView):
    """The same view serves ``/users/me``, so that both give the same bytes."""

    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="auth_me",
        summary="The signed-in user",
        output=MeOutput,
        example={**examples.USER, "impersonatedBy": None},
    )
    def get(self, request: Request) -> Response:
        me = present_user(user_get(user_id=self.identity.user_id))
        return Response({**me, "impersonatedBy": impersonated_by(self.identity)})
