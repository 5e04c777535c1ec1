"""Shapes of ``/auth`` that hold a tenant beside the person."""

from accounts.api.serializers import TokensOutput, UserOutput, present_tokens, present_user
from accounts.services.sessions import SignedIn
from tenancy.api.serializers import TenantOutput, present_tenant
from tenancy.models import Tenant


class SignedInOutput(TokensOutput):
    user = UserOutput()
    tenant = TenantOutput()


def present_signed_in(signed_in: SignedIn) -> dict[str, object]:
    """Tokens, person and tenant: what a client needs to draw its first page."""
    tenant = Tenant.objects.get(id=signed_in.tenant.id)
    return {
        **present_tokens(signed_in.tokens),
        "user": present_user(signed_in.user),
        "tenant": present_tenant(tenant),
    }
