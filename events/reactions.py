"""What events do because of what happens elsewhere."""

from events.catalog import RETENTION_DAYS
from events.services import retention
from platform_site.journal.models import JournalEntry
from platform_site.outbox.registry import reaction
from tenancy.org_settings.catalog import SETTING_CHANGED


@reaction(to=SETTING_CHANGED)
def keep_events_for_as_long_as_was_chosen(entry: JournalEntry) -> None:
    if entry.data["key"] == RETENTION_DAYS.key and entry.data["after"]:
        retention.arm()
