"""Reading settings, inside the bound tenant."""

from collections.abc import Iterable
from typing import Any

from platform_site.binding import require_tenant
from platform_site.keys import unseal
from tenancy.models import Tenant
from tenancy.org_settings.models import OrgSetting
from tenancy.org_settings.registry import OrgSettingDefinition


def setting_value(definition: OrgSettingDefinition) -> Any:
    """The effective value of one setting: the tenant's, else the default."""
    return setting_values([definition])[definition.key]


def setting_values(definitions: Iterable[OrgSettingDefinition]) -> dict[str, Any]:
    """Effective values by key. One query, and one more when the tenant's public row holds some of them.

    A secret comes as its text: this is for the platform itself, never for an answer.
    """
    wanted = list(definitions)
    chosen = {row.key: row for row in OrgSetting.objects.filter(key__in=[item.key for item in wanted])}
    fields = [item.tenant_field for item in wanted if item.tenant_field]
    tenant = Tenant.objects.filter(pk=require_tenant().id).values(*fields).get() if fields else {}
    return {item.key: _effective(item, chosen.get(item.key), tenant) for item in wanted}


def secret_place(key: str) -> str:
    """Where the value of a secret setting is sealed for: this tenant and this key."""
    return f"org_setting:{require_tenant().id.hex}:{key}"


def _effective(definition: OrgSettingDefinition, row: OrgSetting | None, tenant: dict[str, Any]) -> Any:
    if definition.tenant_field:
        return tenant[definition.tenant_field]
    if row is None:
        return definition.default()
    if definition.secret:
        return unseal(bytes(row.sealed or b""), secret_place(definition.key)).decode()
    return row.value
