"""``/auth/mfa``: one's own second factor, and the second step of a sign-in."""

from typing import ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.api.auth import examples
from accounts.api.auth.responses import NO_STORE, signed_in_response
from accounts.api.auth.serializers import SignedInOutput, present_signed_in
from accounts.one_time_codes import RECOVERY_CODES
from accounts.services.mfa_tokens import MAX_LENGTH
from accounts.services.second_factor import SecondFactorState, second_factor_state
from accounts.services.second_factor_setup import (
    SetUp,
    own_second_factor_begin,
    recovery_codes_renew,
    second_factor_confirm,
    second_factor_remove,
)
from accounts.services.second_step import enrollment_begin, enrollment_confirm, sign_in_with_code
from platform_site.api.docs import operation
from platform_site.api.permissions import Public, SignedIn
from platform_site.api.serializers import Secret, Shape, Text, Whole, YesNo
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from tenancy.errors import TENANT_CLOSED

# What can have become of somebody between the password and the code.
_STATE_ERRORS = (errors.ACCOUNT_DEACTIVATED, errors.EMAIL_NOT_VERIFIED, *TENANT_CLOSED)


class CodeInput(Shape):
    code = Secret(max_length=20)


class MfaTokenInput(Shape):
    mfa_token = Secret(max_length=MAX_LENGTH)


class MfaCodeInput(MfaTokenInput):
    """``code`` is six digits, or a recovery code."""

    code = Secret(max_length=20)


class SecondFactorOutput(Shape):
    enabled = YesNo()
    # A field of this name; what fields call so is an argument of theirs and untouched by it.
    required = YesNo()  # type: ignore[assignment]
    recovery_codes_left = Whole(min_value=0)
    pending = YesNo()


class SetUpOutput(Shape):
    """``qrSvg`` is one SVG element that says ``otpauthUri``."""

    secret = Text()
    otpauth_uri = Text()
    qr_svg = Text()


class RecoveryCodesOutput(Shape):
    recovery_codes = serializers.ListField(child=Text(), min_length=RECOVERY_CODES, max_length=RECOVERY_CODES)


class EnrolledOutput(RecoveryCodesOutput):
    sign_in = SignedInOutput()


class SecondFactorRemovedOutput(Shape):
    enabled = YesNo()


def present_second_factor(state: SecondFactorState) -> dict[str, object]:
    return {
        "enabled": state.enabled,
        "required": state.required,
        "recoveryCodesLeft": state.recovery_codes_left,
        "pending": state.pending,
    }


def present_set_up(set_up: SetUp) -> dict[str, object]:
    return {"secret": set_up.secret, "otpauthUri": set_up.otpauth_uri, "qrSvg": set_up.qr_svg}


class SecondFactorView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="auth_mfa",
        summary="The state of one's own second factor",
        output=SecondFactorOutput,
        example={"enabled": True, "required": False, "recoveryCodesLeft": 10, "pending": False},
    )
    def get(self, request: Request) -> Response:
        return Response(present_second_factor(second_factor_state(user_id=self.identity.user_id)))


class TotpView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="auth_mfa_totp_begin",
        summary="Begin to set up a second factor",
        description="It counts once /auth/mfa/totp/confirm got a code of it. Needs a recent re-authentication.",
        output=SetUpOutput,
        example=examples.SET_UP,
        errors=[errors.REAUTH_REQUIRED, errors.MFA_ALREADY_ENABLED],
    )
    def post(self, request: Request) -> Response:
        return Response(present_set_up(own_second_factor_begin(actor=self.identity)), headers=NO_STORE)

    @operation(
        id="auth_mfa_totp_remove",
        summary="Take one's own second factor off",
        description="Needs a recent re-authentication.",
        output=SecondFactorRemovedOutput,
        example={"enabled": False},
        errors=[errors.REAUTH_REQUIRED, errors.MFA_NOT_ENABLED, errors.MFA_REQUIRED_BY_TENANT],
    )
    def delete(self, request: Request) -> Response:
        second_factor_remove(actor=self.identity)
        return Response({"enabled": False})


class TotpConfirmView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="auth_mfa_totp_confirm",
        summary="Prove that an authenticator app has the secret; from here on it counts",
        description="The recovery codes are shown this once. A code is good once, also for this.",
        input=CodeInput,
        output=RecoveryCodesOutput,
        example_in={"code": "492039"},
        example={"recoveryCodes": examples.RECOVERY_CODES},
        errors=[errors.MFA_INVALID, errors.MFA_NOT_ENABLED, errors.MFA_ALREADY_ENABLED, errors.TOO_MANY_ATTEMPTS],
    )
    def post(self, request: Request) -> Response:
        codes = second_factor_confirm(user_id=self.identity.user_id, **self.read(CodeInput))
        return Response({"recoveryCodes": codes}, headers=NO_STORE)


class RecoveryCodesView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="auth_mfa_recovery_codes",
        summary="Make new recovery codes; the ones before stop working",
        description="Needs a recent re-authentication.",
        output=RecoveryCodesOutput,
        example={"recoveryCodes": examples.RECOVERY_CODES},
        errors=[errors.REAUTH_REQUIRED, errors.MFA_NOT_ENABLED],
    )
    def post(self, request: Request) -> Response:
        return Response({"recoveryCodes": recovery_codes_renew(actor=self.identity)}, headers=NO_STORE)


class VerifyView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("mfa_origin",)}

    @operation(
        id="auth_mfa_verify",
        summary="Finish a sign-in with a code of the second factor, or with a recovery code",
        description="Codes are counted per person, 10 in 15 minutes, before anything is compared. Each is good once.",
        input=MfaCodeInput,
        output=SignedInOutput,
        example_in={"mfaToken": examples.MFA_TOKEN, "code": "492039"},
        example={**examples.TOKENS, "user": examples.USER, "tenant": examples.TENANT},
        errors=[errors.MFA_TOKEN_INVALID, errors.MFA_INVALID, errors.TOO_MANY_ATTEMPTS, *_STATE_ERRORS],
    )
    def post(self, request: Request) -> Response:
        return signed_in_response(sign_in_with_code(**self.read(MfaCodeInput)))


class EnrollView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("mfa_origin",)}

    @operation(
        id="auth_mfa_enroll",
        summary="Begin to set up the second factor without which a sign-in was refused",
        description="With the mfaToken in the context of mfa_enrollment_required.",
        input=MfaTokenInput,
        output=SetUpOutput,
        example_in={"mfaToken": examples.MFA_TOKEN},
        example=examples.SET_UP,
        errors=[errors.MFA_TOKEN_INVALID, *_STATE_ERRORS],
    )
    def post(self, request: Request) -> Response:
        return Response(present_set_up(enrollment_begin(**self.read(MfaTokenInput))), headers=NO_STORE)


class EnrollConfirmView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("mfa_origin",)}

    @operation(
        id="auth_mfa_enroll_confirm",
        summary="Confirm that second factor and finish the sign-in with the same code",
        description="The recovery codes are shown this once.",
        input=MfaCodeInput,
        output=EnrolledOutput,
        example_in={"mfaToken": examples.MFA_TOKEN, "code": "492039"},
        example={
            "recoveryCodes": examples.RECOVERY_CODES,
            "signIn": {**examples.TOKENS, "user": examples.USER, "tenant": examples.TENANT},
        },
        errors=[
            errors.MFA_TOKEN_INVALID,
            errors.MFA_INVALID,
            errors.MFA_NOT_ENABLED,
            errors.TOO_MANY_ATTEMPTS,
            *_STATE_ERRORS,
        ],
    )
    def post(self, request: Request) -> Response:
        enrolled = enrollment_confirm(**self.read(MfaCodeInput))
        return signed_in_response(
            enrolled.signed_in,
            {"recoveryCodes": enrolled.recovery_codes, "signIn": present_signed_in(enrolled.signed_in)},
        )
