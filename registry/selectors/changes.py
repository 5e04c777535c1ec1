"""The change feed: the history of all records by number."""

from django.db import transaction

from registry.advisory import FEED, lock_alone
from registry.models import HistoryEntry


@transaction.atomic
def changes_after(seq: int, *, limit: int) -> list[HistoryEntry]:
    """Entries with higher numbers, the lowest first; none with a lower number than these can appear later.

    Numbers are taken before they are committed. Whoever writes holds the feed shared until then, so for the moment
    in which it is ours alone every number that was taken is there or will never be.
    """
    lock_alone(FEED)
    return list(HistoryEntry.objects.filter(seq__gt=seq).order_by("seq")[:limit])
