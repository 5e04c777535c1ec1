"""Reading settings, inside the bound tenant."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from platform_site.api.identity import Identity
from platform_site.binding import require_tenant
from platform_site.errors import PlatformError
from platform_site.keys import unseal
from platform_site.permissions import ROLE_RANKS
from tenancy.errors import UNKNOWN_CATEGORY, UNKNOWN_SETTING
from tenancy.models import Tenant
from tenancy.org_settings.catalog import SETTINGS_MANAGE
from tenancy.org_settings.models import OrgSetting
from tenancy.org_settings.registry import OrgSettingDefinition, org_settings
from tenancy.org_settings.values import understood


@dataclass(frozen=True, slots=True)
class SettingState:
    """A setting and its effective value. The value of a secret is None here, whatever it is."""

    definition: OrgSettingDefinition
    value: Any
    is_default: bool


def setting_value(definition: OrgSettingDefinition) -> Any:
    """The effective value of one setting: the tenant's, else the default.

    Whole numbers are within the platform's bounds of today, a moment is a ``datetime`` or None.
    """
    return setting_values([definition])[definition.key]


def setting_values(definitions: Iterable[OrgSettingDefinition]) -> dict[str, Any]:
    """Effective values by key. One query, and one more when the tenant's public row holds some of them.

    A secret comes as its text: this is for the platform itself, never for an answer.
    """
    wanted = list(definitions)
    chosen, columns = _chosen(wanted), _columns(wanted)
    return {
        item.key: _text_of(item, chosen.get(item.key)) if item.secret else _effective(item, chosen, columns)
        for item in wanted
    }


def setting_states(definitions: Iterable[OrgSettingDefinition]) -> list[SettingState]:
    """The same for showing: no secret is opened. As many queries."""
    wanted = list(definitions)
    chosen, columns = _chosen(wanted), _columns(wanted)
    return [_state(item, chosen, columns) for item in wanted]


def settings_readable(*, actor: Identity) -> list[SettingState]:
    """What ``actor`` may see, in the order of the registry. Two queries."""
    return setting_states(item for item in org_settings if may_read(actor, item))


def settings_of_category(*, category: str, actor: Identity) -> list[SettingState]:
    """What ``actor`` may see of a category; raises ``unknown_category`` when that is nothing."""
    found = [item for item in org_settings if item.category == category and may_read(actor, item)]
    if not found:
        raise PlatformError(UNKNOWN_CATEGORY)
    return setting_states(found)


def setting_readable(*, key: str, actor: Identity) -> SettingState:
    """One setting; raises ``unknown_setting``, also for one that ``actor`` may not see."""
    return setting_states([definition_readable(key=key, actor=actor)])[0]


def definition_readable(*, key: str, actor: Identity) -> OrgSettingDefinition:
    """What there is to know about a setting beside its value; raises ``unknown_setting``."""
    if key not in org_settings or not may_read(actor, org_settings.get(key)):
        raise PlatformError(UNKNOWN_SETTING)
    return org_settings.get(key)


def may_read(actor: Identity, definition: OrgSettingDefinition) -> bool:
    return _rank(actor) >= ROLE_RANKS[definition.read_role]


def may_write(actor: Identity, definition: OrgSettingDefinition) -> bool:
    return SETTINGS_MANAGE.key in actor.permissions and _rank(actor) >= ROLE_RANKS[definition.write_role]


def _rank(actor: Identity) -> int:
    # A key ranks as a manager among people. Here it is what it was made for that counts.
    if not actor.is_person and SETTINGS_MANAGE.key in actor.permissions:
        return ROLE_RANKS[SETTINGS_MANAGE.min_role]
    return ROLE_RANKS[actor.role]


def secret_place(key: str) -> str:
    """Where the value of a secret setting is sealed for: this tenant and this key."""
    return f"org_setting:{require_tenant().id.hex}:{key}"


def _chosen(wanted: list[OrgSettingDefinition]) -> dict[str, OrgSetting]:
    return {row.key: row for row in OrgSetting.objects.filter(key__in=[item.key for item in wanted])}


def _columns(wanted: list[OrgSettingDefinition]) -> dict[str, Any]:
    names = [item.tenant_field for item in wanted if item.tenant_field]
    return dict(Tenant.objects.filter(pk=require_tenant().id).values(*names).get()) if names else {}


def _state(item: OrgSettingDefinition, chosen: dict[str, OrgSetting], columns: dict[str, Any]) -> SettingState:
    if item.secret:
        return SettingState(item, None, item.key not in chosen)
    value = _effective(item, chosen, columns)
    # The tenant's row has a value in any case; whether somebody chose it cannot be told from the default.
    return SettingState(item, value, value == item.default() if item.tenant_field else item.key not in chosen)


def _effective(item: OrgSettingDefinition, chosen: dict[str, OrgSetting], columns: dict[str, Any]) -> Any:
    if item.tenant_field:
        return understood(item, columns[item.tenant_field])
    return understood(item, chosen[item.key].value) if item.key in chosen else item.default()


def _text_of(secret: OrgSettingDefinition, row: OrgSetting | None) -> Any:
    if row is None:
        return secret.default()
    return unseal(bytes(row.sealed or b""), secret_place(secret.key)).decode()
