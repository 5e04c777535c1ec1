"""Shapes of ``/auth`` that hold a tenant beside the person."""

from accounts.api.serializers import TokensOutput, UserOutput, present_tokens, present_user
from accounts.services.sessions import SignedIn
from accounts.services.sign_in import MfaPending
from platform_site.api.serializers import Text, Whole, YesNo
from tenancy.api.serializers import TenantOutput, present_tenant
from tenancy.models import Tenant


class SignedInOutput(TokensOutput):
    user = UserOutput()
    tenant = TenantOutput()


class SignInOutput(SignedInOutput):
    """Either the session, or ``mfaRequired`` with an ``mfaToken`` and no tokens. ``expiresIn`` is that token's."""

    access_token = Text(required=False)
    refresh_token = Text(required=False)
    expires_in = Whole()
    user = UserOutput(required=False)
    tenant = TenantOutput(required=False)
    mfa_required = YesNo(required=False)
    mfa_token = Text(required=False)


def present_signed_in(signed_in: SignedIn) -> dict[str, object]:
    """Tokens, person and tenant: what a client needs to draw its first page."""
    tenant = Tenant.objects.get(id=signed_in.tenant.id)
    return {
        **present_tokens(signed_in.tokens),
        "user": present_user(signed_in.user),
        "tenant": present_tenant(tenant),
    }


def present_signed_in_or_pending(outcome: SignedIn | MfaPending) -> dict[str, object]:
    """As ``SignInOutput`` says."""
    if isinstance(outcome, MfaPending):
        return {"mfaRequired": True, "mfaToken": outcome.token, "expiresIn": outcome.expires_in}
    return present_signed_in(outcome)
