"""What chat adds to the platform's catalogues."""

from chat import setting_up
from chat.unread import TOTALS
from platform_site.action_items import ActionSource, action_sources
from platform_site.journal.keys import journal_key
from platform_site.setup_tasks import SetupTask, setup_task
from platform_site.unread import UnreadSource, unread_sources
from tenancy.org_settings.registry import OrgSettingDefinition, org_setting

GROUP_CREATED = journal_key("chat.group_created", "Somebody made a group channel")
CHANNEL_RENAMED = journal_key("chat.channel_renamed", "A group channel got another name")
CHANNEL_ARCHIVED = journal_key("chat.channel_archived", "A group channel was archived, or brought back")
MEMBER_ADDED = journal_key("chat.member_added", "People were added to a group channel")
MEMBER_REMOVED = journal_key("chat.member_removed", "Somebody left a group channel or was taken out of it")
MESSAGE_DELETED = journal_key("chat.message_deleted", "Somebody deleted a message of somebody else")
MENTIONED = journal_key("chat.mentioned", "Somebody was named in a message", audited=False)

# Each message carries the numbers of all whom it goes to, so there is an end to a group.
LARGEST_GROUP = 500
MAX_GROUP_MEMBERS = org_setting(
    OrgSettingDefinition(
        "chat.max_group_members",
        "How many people a group channel may have",
        "whole",
        default=lambda: LARGEST_GROUP,
        minimum=lambda: 2,
        maximum=lambda: LARGEST_GROUP,
    )
)
HISTORY_FOR_NEW_MEMBERS = org_setting(
    OrgSettingDefinition(
        "chat.history_for_new_members",
        "Whether new members of a group see what was said before they came",
        "flag",
        default=lambda: True,
    )
)
EDIT_MINUTES = org_setting(
    OrgSettingDefinition(
        "chat.edit_minutes",
        "Minutes for which a message can be changed; 0 for as long as it is there",
        "whole",
        default=lambda: 0,
        minimum=lambda: 0,
        maximum=lambda: 525_600,
    )
)
RETENTION_DAYS = org_setting(
    OrgSettingDefinition(
        "chat.retention_days",
        "Days for which messages are kept; 0 for ever",
        "whole",
        default=lambda: 0,
        minimum=lambda: 0,
        maximum=lambda: 3650,
    )
)

unread_sources.add(UnreadSource("chat", f"SELECT user_id, unread FROM ({TOTALS}) AS totals"))  # noqa: S608 - a constant

setup_task(
    SetupTask(
        code="chat.first_channel",
        title="Open a channel for your team",
        description="Make a group in the chat.",
        category="team",
        order=80,
        check=setting_up.group_is_there,
        required=False,
        action_path="/chat",
        estimate_minutes=1,
        depends_on=("accounts.invite_team",),
        advanced_by=(GROUP_CREATED,),
    )
)
action_sources.add(ActionSource("chat", setting_up.mentions_missed))
