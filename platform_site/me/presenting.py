"""Action items as their readers see them."""

from typing import Any
from uuid import UUID

from platform_site.action_items import PRIORITIES, ActionItem, Window
from platform_site.me.collecting import Collected
from platform_site.me.models import StoredItem
from platform_site.moments import wire_time


def present_collected(collected: Collected) -> dict[str, Any]:
    shown = [present_item(source, item, collected.window) for source, item in collected.items]
    counts = collected.counts
    return {
        "tasks": [item for item in shown if item["state"] == "open"],
        "overdue": [item for item in shown if item["state"] == "overdue"],
        "dueSoon": [item for item in shown if item["state"] == "due_soon"],
        "counts": {
            "total": counts.total,
            "overdue": counts.overdue,
            "dueToday": counts.due_today,
            "dueSoon": counts.due_soon,
        },
        "bySource": dict(collected.by_source),
        "partial": bool(collected.failed),
        "errors": list(collected.failed),
    }


def present_item(source: str, item: ActionItem, window: Window) -> dict[str, Any]:
    return {
        "id": item.id,
        "source": source,
        "app": item.app,
        "type": item.type,
        "title": item.title,
        "url": item.url or None,
        "priority": item.priority,
        "dueAt": wire_time(item.due_at) if item.due_at else None,
        "state": window.state_of(item.due_at),
        "entity": _entity(item.entity),
        "createdAt": wire_time(item.created_at) if item.created_at else None,
    }


def present_stored(item: StoredItem) -> dict[str, Any]:
    return {
        "id": str(item.id),
        "app": item.app,
        "key": item.key,
        "type": item.type,
        "title": item.title,
        "url": item.url or None,
        "priority": PRIORITIES[item.priority],
        "dueAt": wire_time(item.due_at) if item.due_at else None,
        "entity": _entity(item.entity),
        "state": item.closed or "open",
        "closedAt": wire_time(item.closed_at) if item.closed_at else None,
        "createdAt": wire_time(item.created_at),
    }


def _entity(entity: UUID | None) -> dict[str, str] | None:
    return {"canonicalId": str(entity)} if entity else None
