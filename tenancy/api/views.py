"""``/tenants``: sign-up, and what is to be known about a tenant."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors as account_errors
from accounts.api.auth.examples import TENANT, TOKENS, USER
from accounts.api.serializers import TokensOutput, UserOutput, present_tokens, present_user
from platform_site import limits
from platform_site.api.docs import operation
from platform_site.api.permissions import Public, SignedIn
from platform_site.api.serializers import Text, Whole, YesNo
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import NOT_FOUND, RATE_LIMITED
from platform_site.idempotency.http import idempotency_key
from platform_site.idempotency.store import Answer, run_once
from tenancy import errors
from tenancy.api.serializers import (
    RegisterInput,
    SignInPageOutput,
    SlugCheckOutput,
    TenantOutput,
    present_sign_in_page,
    present_tenant,
)
from tenancy.models import RegistrationKey
from tenancy.registration import Registered, tenant_register
from tenancy.selectors import tenant_by_slug, tenant_get
from tenancy.slugs import slug_check

EXAMPLE_IN = {
    "companyName": "Acme Corp",
    "slug": "acme-corp",
    "adminEmail": "admin@acme.com",
    "adminPassword": "secure-password",
    "adminFirstName": "John",
    "adminLastName": "Doe",
}


class RegisteredOutput(TokensOutput):
    """Without tokens when ``emailVerificationRequired`` is true."""

    tenant = TenantOutput()
    user = UserOutput()
    email_verification_required = YesNo()
    access_token = Text(required=False)
    refresh_token = Text(required=False)
    expires_in = Whole(required=False)


def present_registered(registered: Registered) -> dict[str, object]:
    tokens = present_tokens(registered.tokens) if registered.tokens else {}
    return {
        "tenant": present_tenant(registered.tenant),
        "user": present_user(registered.user),
        "emailVerificationRequired": registered.tokens is None,
        **tokens,
    }


class RegisterView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("register_origin",)}
    # Handled below, in the public schema: there is no tenant yet to keep the answer in.
    documents_idempotency = True

    @operation(
        id="tenants_register",
        summary="Register a company with its first administrator",
        description="Makes the workspace, signs its administrator in and mails a link to confirm the address.",
        input=RegisterInput,
        output=RegisteredOutput,
        status=201,
        example_in=EXAMPLE_IN,
        example={"tenant": TENANT, "user": USER, "emailVerificationRequired": False, **TOKENS},
        errors=[
            errors.SLUG_TAKEN,
            errors.SLUG_INVALID,
            errors.SLUG_RESERVED,
            errors.TENANT_PROVISIONING,
            account_errors.PASSWORD_TOO_SHORT,
            account_errors.PASSWORD_TOO_LONG,
            account_errors.PASSWORD_COMMON,
            account_errors.PASSWORD_CONTAINS_CONTEXT,
            RATE_LIMITED,
        ],
    )
    def post(self, request: Request) -> Response:
        key, body = idempotency_key(request), request._request.body
        data = self.read(RegisterInput)
        limits.spend("register_platform", "everybody")

        def work() -> Answer:
            return Answer(201, present_registered(tenant_register(**data)))

        answer = run_once(RegistrationKey, scope="register", key=key, body=body, work=work) if key else work()
        headers = {"Cache-Control": "no-store"}
        if answer.replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(answer.data, status=answer.status, headers=headers)


class TenantMeView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(id="tenants_me", summary="The signed-in user's tenant", output=TenantOutput, example=TENANT)
    def get(self, request: Request) -> Response:
        return Response(present_tenant(tenant_get(tenant_id=self.identity.tenant.id)))


class TenantBySlugView(ApiView):
    access = Public()
    limits: ClassVar = {"GET": ("by_slug_origin",)}

    @operation(
        id="tenants_by_slug",
        summary="What a sign-in page may show about a workspace",
        output=SignInPageOutput,
        example={
            "name": "Acme Corp",
            "slug": "acme-corp",
            "logoUrl": None,
            "colors": {},
            "ssoEnabled": False,
            "loginEnabled": True,
        },
        errors=[NOT_FOUND],
    )
    def get(self, request: Request, slug: str) -> Response:
        tenant = tenant_by_slug(slug=slug)
        return Response(present_sign_in_page(tenant), headers={"Cache-Control": "public, max-age=60"})


class CheckSlugView(ApiView):
    access = Public()
    limits: ClassVar = {"GET": ("check_slug_origin",)}

    @operation(
        id="tenants_check_slug",
        summary="Whether a workspace address is free",
        output=SlugCheckOutput,
        example={"available": False, "reason": "taken", "suggestions": ["acme-corp-team", "acme-corp-app"]},
    )
    def get(self, request: Request, slug: str) -> Response:
        check = slug_check(slug)
        return Response({"available": check.available, "reason": check.reason, "suggestions": check.suggestions})
