"""What chat does because of what happens elsewhere."""

from accounts.catalog import USER_ERASED
from accounts.models import User
from chat.catalog import RETENTION_DAYS
from chat.services import retention
from chat.services.members import groups_leave
from platform_site.journal.models import JournalEntry
from platform_site.outbox.registry import reaction
from tenancy.org_settings.catalog import SETTING_CHANGED


@reaction(to=USER_ERASED)
def leave_groups(entry: JournalEntry) -> None:
    """Who was deleted for good is in no group, and owns none. Who is only deactivated may come back to them."""
    groups_leave(person=User.objects.get(uuid=entry.subject_id))


@reaction(to=SETTING_CHANGED)
def keep_messages_for_as_long_as_was_chosen(entry: JournalEntry) -> None:
    if entry.data["key"] == RETENTION_DAYS.key and entry.data["after"]:
        retention.arm()
