"""Taking out what is known about somebody, for good."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from events.models import Event, EventStat


@transaction.atomic
def events_erase(ids: Collection[UUID]) -> int:
    """Erase all events that were sent to these ids. Gives how many.

    The caller keeps others from writing about them meanwhile, as ``Directory.subjects`` promises.
    """
    # First events, then counts, and these in the order of their ids: as retention does, so that neither of the
    # two can hold what the other one waits for.
    count, _ = Event.objects.filter(canonical_id__in=ids).delete()
    stats = EventStat.objects.filter(canonical_id__in=ids)
    list(stats.select_for_update().order_by("canonical_id").values_list("canonical_id"))
    stats.delete()
    return count
