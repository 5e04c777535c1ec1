"""What the set-up hub adds to the platform's catalogues. Numbers 70 to 74 of the permissions are its own."""

from platform_site.action_items import ActionSource, action_sources
from platform_site.journal.keys import journal_key
from platform_site.permissions import permission
from setup_hub.waiting import required_tasks

SETUP_MANAGE = permission("setup_hub.manage", 70, "Set the workspace up", min_role="tenant_admin")

TASK_CHANGED = journal_key("setup_hub.task_changed", "Somebody ticked a set-up task off, skipped or reopened it")
TASK_ADVANCED = journal_key("setup_hub.task_advanced", "The data say that a set-up task is done, or not", audited=False)
SETUP_COMPLETED = journal_key("setup_hub.completed", "The set-up was completed")

action_sources.add(ActionSource("setup", required_tasks))
