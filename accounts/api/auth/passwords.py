"""``/auth/password``: forgotten, reset and changed; and the verification mail once more."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.api.auth import examples
from accounts.api.auth.responses import NO_STORE
from accounts.api.serializers import AcceptedOutput, TokensOutput, present_tokens
from accounts.services.password_change import password_change
from accounts.services.password_reset import password_forgot, password_reset
from accounts.services.verification import verification_resend
from platform_site.api.docs import operation
from platform_site.api.permissions import Public, SignedIn
from platform_site.api.serializers import Secret, Shape, Text, YesNo
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import RATE_LIMITED
from tenancy.errors import TENANT_CLOSED

ASKED = {"email": "user@company.com", "tenantSlug": "your-tenant"}
PASSWORD_ERRORS = (
    errors.PASSWORD_TOO_SHORT,
    errors.PASSWORD_TOO_LONG,
    errors.PASSWORD_COMMON,
    errors.PASSWORD_CONTAINS_CONTEXT,
    errors.PASSWORD_SAME,
)


class AddressInput(Shape):
    email = Text(max_length=254)
    tenant_slug = Text(max_length=40)


class PasswordResetInput(Shape):
    token = Secret(max_length=200)
    password = Secret(max_length=1024)


class PasswordResetOutput(Shape):
    reset = YesNo()


class PasswordChangeInput(Shape):
    current_password = Secret(max_length=1024)
    new_password = Secret(max_length=1024)


class PasswordForgotView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("password_forgot_origin",)}

    @operation(
        id="auth_password_forgot",
        summary="Have a link for a new password mailed",
        description="The answer is the same for every address. The newest link wins. Somebody who has not accepted"
        " the invitation yet gets that again instead.",
        input=AddressInput,
        output=AcceptedOutput,
        status=202,
        example_in=ASKED,
        example={"accepted": True},
        errors=[RATE_LIMITED],
    )
    def post(self, request: Request) -> Response:
        password_forgot(**self.read(AddressInput))
        return Response({"accepted": True}, status=202)


class ResendVerificationView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = Public()
    limits: ClassVar = {"POST": ("resend_verification_origin",)}

    @operation(
        id="auth_resend_verification",
        summary="Have the link that confirms an address mailed again",
        description="The answer is the same for every address. The newest link wins.",
        input=AddressInput,
        output=AcceptedOutput,
        status=202,
        example_in=ASKED,
        example={"accepted": True},
        errors=[RATE_LIMITED],
    )
    def post(self, request: Request) -> Response:
        verification_resend(**self.read(AddressInput))
        return Response({"accepted": True}, status=202)


class PasswordResetView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("password_reset_origin",)}

    @operation(
        id="auth_password_reset",
        summary="Set a new password with the token of the mailed link",
        description="Ends all sessions and signs nobody in. A link works once; a password that is refused does"
        " not use it up.",
        input=PasswordResetInput,
        output=PasswordResetOutput,
        example_in={"token": examples.RESET_TOKEN, "password": "new-password"},
        example={"reset": True},
        errors=[errors.LINK_TOKEN_INVALID, errors.LINK_TOKEN_EXPIRED, *PASSWORD_ERRORS, *TENANT_CLOSED, RATE_LIMITED],
    )
    def post(self, request: Request) -> Response:
        password_reset(**self.read(PasswordResetInput))
        return Response({"reset": True}, headers=NO_STORE)


class PasswordChangeView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="auth_password_change",
        summary="Change one's own password",
        description="Ends every other session and gives this one a new pair of tokens. It counts as a"
        " re-authentication, unless the account has a second factor.",
        input=PasswordChangeInput,
        output=TokensOutput,
        example_in={"currentPassword": "your-password", "newPassword": "new-password"},
        example=examples.TOKENS,
        errors=[errors.CURRENT_PASSWORD_INVALID, *PASSWORD_ERRORS, errors.TOO_MANY_ATTEMPTS],
    )
    def post(self, request: Request) -> Response:
        tokens = password_change(actor=self.identity, **self.read(PasswordChangeInput))
        return Response(present_tokens(tokens), headers=NO_STORE)
