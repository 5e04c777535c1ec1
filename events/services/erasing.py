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
    # In the order in which ingest and retention take them, so that nobody waits in a circle.
    locked = EventStat.objects.select_for_update().filter(canonical_id__in=ids).order_by("canonical_id")
    list(locked.values_list("canonical_id"))
    # One after the other those that retention has in its hands are waited for; it waits for none of ours.
    count, _ = Event.objects.filter(canonical_id__in=ids).delete()
    EventStat.objects.filter(canonical_id__in=ids).delete()
    return count
