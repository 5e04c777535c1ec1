"""What events add to the platform's catalogues. Numbers 60 to 69 of the permissions are their own."""

from platform_site.permissions import permission
from tenancy.org_settings.registry import OrgSettingDefinition, org_setting

EVENTS_VIEW = permission("events.view", 60, "See what happened to people and companies")
EVENTS_WRITE = permission("events.write", 61, "Write down what happened")

RETENTION_DAYS = org_setting(
    OrgSettingDefinition(
        "events.retention_days",
        "Days for which events are kept; 0 for ever",
        "whole",
        default=lambda: 0,
        minimum=lambda: 0,
        maximum=lambda: 36_500,
    )
)
