"""What a tenant has set, as staff see it in the lens. A secret says that it is set, and no more."""

import json
from typing import Any

from django.contrib.admin import display
from django.http import HttpRequest

from accounts.staff.lens.options import LensModelAdmin
from accounts.staff.lens.panels import Panel, shown
from accounts.staff.lens.site import lens
from tenancy.org_settings.models import OrgSetting
from tenancy.org_settings.registry import org_settings
from tenancy.org_settings.selectors import setting_states
from tenancy.org_settings.values import as_json

_SECRET = "(set, not shown)"  # noqa: S105 - says that there is one


def _effective(_: Any) -> Any:
    for state in setting_states(org_settings):
        secret = state.definition.secret
        value = (
            ("" if state.is_default else _SECRET) if secret else json.dumps(as_json(state.value), ensure_ascii=False)
        )
        yield state.definition.label, state.definition.key, value, "default" if state.is_default else "chosen"


@lens(OrgSetting, "setting")
class OrgSettingAdmin(LensModelAdmin):
    """The rows are what was chosen; what is in force stands beneath."""

    list_display = ("key", "label", "value_shown", "updated_at")
    fields = ("key", "label", "value_shown", "updated_at")
    ordering = ("key",)
    list_after_template = "lens/panels.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        panel = Panel("All settings as they are in force", ("Setting", "Key", "Value", "From"), _effective)
        return super().changelist_view(request, {**(extra_context or {}), "panels": shown([panel], None)})

    def title_of(self, subject: OrgSetting) -> str:
        return self.label(subject)

    @display(description="setting")
    def label(self, row: OrgSetting) -> str:
        return org_settings.get(row.key).label if row.key in org_settings else row.key

    @display(description="value")
    def value_shown(self, row: OrgSetting) -> str:
        # What no definition explains may have been a secret when it was written.
        if row.sealed is not None or row.key not in org_settings or org_settings.get(row.key).secret:
            return _SECRET
        return json.dumps(row.value, ensure_ascii=False)
