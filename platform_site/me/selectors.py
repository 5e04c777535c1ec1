"""Reading stored items, inside the bound tenant."""

from typing import Final
from uuid import UUID

from django.db.models import Count, F, Q

from platform_site.action_items import PRIORITIES, ActionItem, Counts, Found, Window
from platform_site.api.identity import Identity
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.me.audience import waits_for
from platform_site.me.models import StoredItem

_DUE_FIRST: Final = (F("due_at").asc(nulls_last=True), "-priority", "id")


def stored_items(asker: Identity, window: Window) -> Found:
    """What modules want this person to do. Two queries, also for who has more than are shown."""
    waiting = StoredItem.objects.filter(waits_for(asker), closed_at=None)
    counts = waiting.aggregate(
        total=Count("id"),
        overdue=Count("id", filter=Q(due_at__lt=window.today)),
        due_today=Count("id", filter=Q(due_at__gte=window.today, due_at__lt=window.tomorrow)),
        due_soon=Count("id", filter=Q(due_at__gte=window.today, due_at__lt=window.soon)),
    )
    first = waiting.order_by(*_DUE_FIRST)[: window.limit]
    return Found([as_action_item(item) for item in first], Counts(**counts))


def as_action_item(item: StoredItem) -> ActionItem:
    return ActionItem(
        id=str(item.id),
        app=item.app,
        type=item.type,
        title=item.title,
        url=item.url,
        priority=PRIORITIES[item.priority],
        due_at=item.due_at,
        entity=item.entity,
        created_at=item.created_at,
    )


def item_find(*, asker: Identity, item_id: UUID) -> StoredItem:
    """One that is for this person, locked, also when it is closed; raises ``not_found`` for all others."""
    item = StoredItem.objects.select_for_update(of=("self",)).filter(waits_for(asker), id=item_id).first()
    if item is None:
        raise PlatformError(NOT_FOUND)
    return item
