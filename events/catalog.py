"""What events add to the platform's catalogues. Numbers 60 to 69 of the permissions are their own."""

from events import setting_up
from platform_site.permissions import permission
from platform_site.setup_tasks import SetupTask, setup_task
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

setup_task(
    SetupTask(
        code="events.first_event",
        title="Send the first event",
        description="Let a module of your product write down that something happened.",
        category="data",
        order=100,
        check=setting_up.module_has_written,
        required=False,
        action_path="/platform-events",
        estimate_minutes=15,
        depends_on=("registry.first_record",),
    )
)
