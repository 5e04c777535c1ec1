"""What tenants look like on the wire."""

from rest_framework import serializers

from platform_site.api.serializers import Moment, Secret, Shape, Text, YesNo
from tenancy.models import Tenant


class TenantOutput(Shape):
    """A tenant, the same wherever one appears."""

    id = serializers.UUIDField()
    name = Text()
    slug = Text()
    status = serializers.ChoiceField(choices=Tenant.Status.choices)
    plan = Text()
    timezone = Text()
    locale = Text()
    logo_url = Text(allow_null=True)
    created_at = Moment()

    def to_representation(self, instance: Tenant) -> dict[str, object]:
        data: dict[str, object] = super().to_representation(instance)
        data["logoUrl"] = data["logoUrl"] or None
        return data


class RegisterInput(Shape):
    company_name = Text(max_length=100)
    slug = Text(max_length=40)
    admin_email = serializers.EmailField(max_length=254)
    admin_password = Secret(max_length=1024)
    admin_first_name = Text(max_length=100, required=False, allow_blank=True)
    admin_last_name = Text(max_length=100, required=False, allow_blank=True)


class SignInPageOutput(Shape):
    """What a sign-in page may show to anybody."""

    name = Text()
    slug = Text()
    logo_url = Text(allow_null=True)
    colors = serializers.DictField(child=Text())
    sso_enabled = YesNo()
    login_enabled = YesNo()


class SlugCheckOutput(Shape):
    available = YesNo()
    reason = serializers.ChoiceField(choices=["taken", "reserved", "invalid"], allow_null=True)
    suggestions = serializers.ListField(child=Text())


def present_tenant(tenant: Tenant) -> dict[str, object]:
    return dict(TenantOutput(tenant).data)


def present_sign_in_page(tenant: Tenant) -> dict[str, object]:
    return {
        "name": tenant.name,
        "slug": tenant.slug,
        "logoUrl": tenant.logo_url or None,
        "colors": tenant.colors,
        "ssoEnabled": False,
        "loginEnabled": tenant.status == Tenant.Status.ACTIVE,
    }
