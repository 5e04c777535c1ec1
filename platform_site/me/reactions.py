"""What action items do because of what happens elsewhere: they forget who and what was erased."""

from accounts.catalog import USER_ERASED
from platform_site.journal.models import JournalEntry
from platform_site.me import retention  # noqa: F401 - its job has to be known to the dispatcher
from platform_site.me.models import StoredItem
from platform_site.outbox.registry import reaction
from registry.catalog import ENTITY_ERASED


@reaction(to=USER_ERASED)
def forget_whose_items_they_were(entry: JournalEntry) -> None:
    StoredItem.objects.filter(assignee__uuid=entry.subject_id).delete()


@reaction(to=ENTITY_ERASED)
def forget_whom_items_were_about(entry: JournalEntry) -> None:
    """Their titles name somebody of whom nothing is to be left."""
    StoredItem.objects.filter(entity__in=entry.data["ids"]).delete()
