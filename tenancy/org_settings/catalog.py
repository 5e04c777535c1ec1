"""The settings that tenancy itself reads, and what the journal says about changing one."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from platform_site.journal.keys import journal_key
from platform_site.permissions import permission
from tenancy.org_settings.registry import OrgSettingDefinition, org_setting

# Numbers 20 to 29 of the permissions are tenancy's.
SETTINGS_VIEW = permission("org_settings.view", 20, "See the organisation's settings")
SETTINGS_MANAGE = permission("org_settings.manage", 21, "Change the organisation's settings", min_role="tenant_admin")

SETTING_CHANGED = journal_key("tenancy.org_setting_changed", "A setting of the organisation was changed")

_COLOR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_COLOR_NAMES = ("primary", "accent", "background", "text")
# BCP 47 as far as anybody uses it: language, script, region.
_LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?")
DATE_FORMATS = ("yyyy-MM-dd", "dd.MM.yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "d MMM yyyy", "MMM d, yyyy")


def valid_name(value: Any) -> str:
    name = str(value).strip()
    if not 1 <= len(name) <= 100:
        raise ValueError("A name has 1 to 100 characters.")
    return name


def valid_timezone(value: Any) -> str:
    if value not in available_timezones():
        raise ValueError("This is no time zone of the IANA list, such as Europe/Berlin.")
    return str(value)


def valid_locale(value: Any) -> str:
    if not _LOCALE.fullmatch(str(value)):
        raise ValueError("This is no language tag such as en, de-AT or zh-Hant-TW.")
    return str(value)


def valid_https_url(value: Any) -> str:
    url = str(value).strip()
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or len(url) > 500 or any(mark in url for mark in " \"'<>\\"):
        raise ValueError("This must be an address that begins with https://.")
    return url


def valid_colors(value: Any) -> dict[str, str]:
    unknown = [name for name in value if name not in _COLOR_NAMES]
    if unknown or not all(isinstance(color, str) and _COLOR.fullmatch(color) for color in value.values()):
        raise ValueError(f"Give colours like #0f766e under {', '.join(_COLOR_NAMES)}.")
    return {name: str(color).lower() for name, color in value.items()}


def valid_moment(value: Any) -> str | None:
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("This time needs an offset from UTC.")
    return moment.isoformat()


COMPANY_NAME = org_setting(
    OrgSettingDefinition("company.name", "Name", "text", default=lambda: "", validate=valid_name, tenant_field="name")
)
LOGO_URL = org_setting(
    OrgSettingDefinition(
        "company.logo_url", "Logo", "text", default=lambda: "", validate=valid_https_url, tenant_field="logo_url"
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
        minimum=30,
        maximum=lambda: 3650,
    )
)
STAFF_ACCESS_UNTIL = org_setting(
    OrgSettingDefinition(
        "support.staff_access_until",
        "Until when support staff may look into this workspace; null for not at all",
        "moment",
        default=lambda: None,
        read_role="tenant_admin",
        validate=valid_moment,
    )
)
