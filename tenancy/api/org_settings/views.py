"""``/org-settings``: what the organisation may decide for itself."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import MFA_NOT_ENABLED
from platform_site.api.docs import operation
from platform_site.api.permissions import Needs
from platform_site.api.views import ApiView
from tenancy import errors
from tenancy.api.org_settings.serializers import (
    VALUES,
    OrgSettingInput,
    OrgSettingOutput,
    present_setting,
    present_values,
)
from tenancy.org_settings.catalog import SETTINGS_MANAGE, SETTINGS_VIEW
from tenancy.org_settings.selectors import setting_readable, settings_of_category, settings_readable
from tenancy.org_settings.services import setting_change

COMPANY = {
    "company.name": "Acme Corp",
    "company.logo_url": "https://acme.example/logo.svg",
    "company.colors": {"primary": "#0f766e"},
    "company.timezone": "Europe/Berlin",
    "company.locale": "de-DE",
    "company.date_format": "dd.MM.yyyy",
}
SETTING = {
    "key": "company.date_format",
    "category": "company",
    "label": "Date format",
    "type": "choice",
    "value": "dd.MM.yyyy",
    "default": "yyyy-MM-dd",
    "isDefault": False,
    "secret": False,
    "writable": True,
    "choices": ["yyyy-MM-dd", "dd.MM.yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "d MMM yyyy", "MMM d, yyyy"],
}


class OrgSettingsView(ApiView):
    access = Needs(SETTINGS_VIEW)

    @operation(
        id="org_settings",
        summary="The organisation's settings",
        description='Effective values by key. Of a secret only whether it is set: `{"set": true}`.'
        " What the role may not see is not there.",
        output=VALUES,
        example={**COMPANY, "security.password_min_length": 8},
    )
    def get(self, request: Request) -> Response:
        return Response(present_values(settings_readable(actor=self.identity)))


class OrgSettingsByCategoryView(ApiView):
    access = Needs(SETTINGS_VIEW)

    @operation(
        id="org_settings_by_category",
        summary="The settings of one category",
        description="The category is the part of a key before its first dot.",
        output=VALUES,
        example=COMPANY,
        errors=[errors.UNKNOWN_CATEGORY],
    )
    def get(self, request: Request, category: str) -> Response:
        return Response(present_values(settings_of_category(category=category, actor=self.identity)))


class OrgSettingView(ApiView):
    access: ClassVar = {"GET": Needs(SETTINGS_VIEW), "PATCH": Needs(SETTINGS_MANAGE), "PUT": Needs(SETTINGS_MANAGE)}

    @operation(
        id="org_setting",
        summary="One setting",
        output=OrgSettingOutput,
        example=SETTING,
        errors=[errors.UNKNOWN_SETTING],
    )
    def get(self, request: Request, key: str) -> Response:
        return Response(present_setting(setting_readable(key=key, actor=self.identity), self.identity))

    @operation(
        id="org_setting_change",
        summary="Change a setting",
        description="null goes back to the default. A moment is RFC 3339 with an offset. Asking everybody for a second"
        " factor takes one of one's own.",
        input=OrgSettingInput,
        output=OrgSettingOutput,
        example_in={"value": "dd.MM.yyyy"},
        example=SETTING,
        errors=[
            errors.UNKNOWN_SETTING,
            errors.SETTING_READ_ONLY,
            errors.SETTING_TYPE_INVALID,
            errors.SETTING_VALUE_INVALID,
            MFA_NOT_ENABLED,
        ],
    )
    def patch(self, request: Request, key: str) -> Response:
        data = self.read(OrgSettingInput)
        state = setting_change(key=key, value=data["value"], actor=self.identity)
        return Response(present_setting(state, self.identity))

    put = patch
