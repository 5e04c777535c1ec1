"""All that is stored about somebody, for whoever asks what is known about them."""

from typing import Any, Final
from uuid import UUID

from events.presenting import present_event
from events.selectors.lists import EventFilter, events_page
from registry.models import Link
from registry.presenting import present_former, present_history, present_profile
from registry.selectors.records import all_links, entity_view, genealogy, open_pairs

# More of them are read page by page.
EXPORTED_EVENTS: Final = 1000


def entity_export(canonical_id: UUID) -> dict[str, Any]:
    """As JSON. Raises ``not_found`` or ``entity_erased``."""
    view = entity_view(canonical_id)
    ids = [view.entity.id, *view.merged_ids]
    links = Link.objects.filter(entity_id__in=ids).order_by("id")
    events = events_page(ids, EventFilter(), offset=0, limit=EXPORTED_EVENTS + 1)
    return {
        "profile": present_profile(view, all_links(view.entity), openDuplicates=open_pairs(view.entity)),
        "links": [present_former(link) for link in links],
        "history": [present_history(entry) for entry in genealogy(view.entity.id).order_by("seq")],
        "events": [present_event(event, view.entity.id) for event in events[:EXPORTED_EVENTS]],
        "eventsComplete": len(events) <= EXPORTED_EVENTS,
    }
