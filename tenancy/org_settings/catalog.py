"""The settings that tenancy itself reads, and what the journal says about changing one."""

import re
from typing import Any
from urllib.parse import urlsplit

from platform_site.journal.keys import journal_key
from platform_site.locales import valid_locale, valid_timezone
from platform_site.permissions import permission
from platform_site.sealed_columns import SealedColumn, sealed_columns
from tenancy.org_settings.registry import OrgSettingDefinition, org_setting

# Numbers 20 to 29 of the permissions are tenancy's.
SETTINGS_VIEW = permission("org_settings.view", 20, "See the organisation's settings")
SETTINGS_MANAGE = permission("org_settings.manage", 21, "Change the organisation's settings", min_role="tenant_admin")

SETTING_CHANGED = journal_key("tenancy.org_setting_changed", "A setting of the organisation was changed")

DATE_FORMATS = ("yyyy-MM-dd", "dd.MM.yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "d MMM yyyy", "MMM d, yyyy")
COLOR_NAMES = ("primary", "accent", "background", "text")
_COLOR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


def valid_name(value: str) -> str:
    name = value.strip()
    if not name:
        raise ValueError("A name has 1 to 100 characters.")
    return name


def valid_https_url(value: str) -> str:
    """The address, or "" for none."""
    url = value.strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        # Whoever may sign in somewhere by it has no place on a page that everybody sees.
        fine = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        fine = False
    if not fine or any(mark in url for mark in " \"'<>\\"):
        raise ValueError("This must be an address that begins with https://.")
    return url


def valid_colors(value: dict[str, Any]) -> dict[str, str]:
    known = set(value) <= set(COLOR_NAMES)
    if not known or not all(isinstance(color, str) and _COLOR.fullmatch(color) for color in value.values()):
        raise ValueError(f"Give colours like #0f766e under {', '.join(COLOR_NAMES)}.")
    return {name: color.lower() for name, color in value.items()}


COMPANY_NAME = org_setting(
    OrgSettingDefinition(
        "company.name",
        "Name",
        "text",
        default=lambda: None,
        required=True,
        max_length=100,
        validate=valid_name,
        tenant_field="name",
    )
)
LOGO_URL = org_setting(
    OrgSettingDefinition(
        "company.logo_url",
        "Address of the logo",
        "text",
        default=lambda: "",
        max_length=500,
        validate=valid_https_url,
        tenant_field="logo_url",
    )
)
COLORS = org_setting(
    OrgSettingDefinition("company.colors", "Colours", "map", default=dict, validate=valid_colors, tenant_field="colors")
)
TIMEZONE = org_setting(
    OrgSettingDefinition(
        "company.timezone",
        "Time zone",
        "text",
        default=lambda: "UTC",
        validate=valid_timezone,
        tenant_field="timezone",
    )
)
LOCALE = org_setting(
    OrgSettingDefinition(
        "company.locale", "Language", "text", default=lambda: "en", validate=valid_locale, tenant_field="locale"
    )
)
DATE_FORMAT = org_setting(
    OrgSettingDefinition(
        "company.date_format", "Date format", "choice", default=lambda: DATE_FORMATS[0], choices=DATE_FORMATS
    )
)
AUDIT_DAYS = org_setting(
    OrgSettingDefinition(
        "retention.audit_days",
        "Days for which the audit log is kept",
        "whole",
        default=lambda: 365,
        read_role="tenant_admin",
        minimum=lambda: 30,
        maximum=lambda: 3650,
    )
)


def _secret_place(row: Any) -> str:
    # Not at the top: the selectors import this file.
    from tenancy.org_settings.selectors import secret_place

    return secret_place(row.key)


sealed_columns.add(
    SealedColumn(
        key="org_settings.secrets",
        model="org_settings.OrgSetting",
        column="sealed",
        place=_secret_place,
        sealed_by="tenancy.org_settings.services._store",
    )
)
