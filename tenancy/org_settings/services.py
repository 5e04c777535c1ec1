"""Changing settings, inside the bound tenant."""

from typing import Any

from django.db import transaction

from platform_site.api.identity import Identity
from platform_site.binding import require_tenant
from platform_site.errors import PlatformError, invalid_field
from platform_site.journal.services import MASK, record
from platform_site.keys import seal
from tenancy.errors import SETTING_READ_ONLY, SETTING_VALUE_INVALID
from tenancy.models import Tenant
from tenancy.org_settings.catalog import SETTING_CHANGED
from tenancy.org_settings.models import OrgSetting
from tenancy.org_settings.registry import OrgSettingDefinition
from tenancy.org_settings.selectors import SettingState, definition_readable, may_write, secret_place, setting_states
from tenancy.org_settings.values import as_json, checked, understood
from tenancy.services import tenant_lock


@transaction.atomic
def setting_change(*, key: str, value: Any, actor: Identity) -> SettingState:
    """Let the tenant have ``value`` (JSON) for this setting; None goes back to the default.

    The same value again changes nothing and is no fact, except for a secret,
    which nobody compares. Raises ``unknown_setting``, ``setting_read_only``,
    ``setting_type_invalid``, ``setting_value_invalid``, or whatever the
    setting's guard has against it.
    """
    definition = definition_readable(key=key, actor=actor)
    if not may_write(actor, definition):
        raise PlatformError(SETTING_READ_ONLY)
    if value is None and definition.required:
        raise invalid_field("value", SETTING_VALUE_INVALID, "This setting has no default to go back to.")
    stored = None if value is None else checked(definition, value)
    # One change of a tenant's settings at a time: a setting that has its default has no row of its own to lock.
    tenant = tenant_lock(tenant_id=require_tenant().id)
    before = _state(definition)
    _ask_guard(before, stored, actor)
    _store(tenant, definition, stored)
    after = _state(definition)
    told_before, told_after = _told(before), _told(after)
    if told_before != told_after or (definition.secret and stored is not None):
        data = {"key": key, "before": told_before, "after": told_after}
        record(SETTING_CHANGED, subject=("org_setting", key), data=data)
        if definition.effect is not None:
            definition.effect(after.value)
    return after


def _ask_guard(before: SettingState, stored: Any, actor: Identity) -> None:
    definition = before.definition
    after = definition.default() if stored is None else understood(definition, stored)
    if definition.guard is not None and (definition.secret or after != before.value):
        definition.guard(actor, after)


def _state(definition: OrgSettingDefinition) -> SettingState:
    return setting_states([definition])[0]


def _told(state: SettingState) -> Any:
    """What the journal says about it: of a secret only whether there is one."""
    if state.definition.secret:
        return None if state.is_default else MASK
    return as_json(state.value)


def _store(tenant: Tenant, definition: OrgSettingDefinition, stored: Any) -> None:
    if definition.tenant_field:
        setattr(tenant, definition.tenant_field, definition.default() if stored is None else stored)
        tenant.save(update_fields=[definition.tenant_field, "updated_at"])
    elif stored is None:
        OrgSetting.objects.filter(key=definition.key).delete()
    elif definition.secret:
        sealed = seal(stored.encode(), secret_place(definition.key))
        OrgSetting.objects.update_or_create(key=definition.key, defaults={"value": None, "sealed": sealed})
    else:
        OrgSetting.objects.update_or_create(key=definition.key, defaults={"value": stored, "sealed": None})
