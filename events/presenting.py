"""Events, and what became of those that were sent, as clients see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from events.models import Event
from events.selectors.summaries import Activity, Summary, Window
from events.services.ingest import Ingested, Report
from platform_site.errors import FieldError
from platform_site.moments import wire_time


def present_event(event: Event, canonical_id: UUID) -> dict[str, Any]:
    """``canonical_id`` is where the event's own leads today."""
    return {
        "id": str(event.id),
        "canonicalId": str(canonical_id),
        "sentCanonicalId": str(event.canonical_id) if event.canonical_id != canonical_id else None,
        "app": event.app,
        "category": event.category,
        "action": event.action,
        "occurredAt": wire_time(event.occurred_at),
        "receivedAt": wire_time(event.received_at),
        "messageId": event.message_id,
        "actorId": str(event.actor_id) if event.actor_id else None,
        "source": {"entityType": event.source_type, "entityId": event.source_id} if event.source_id else None,
        "metadata": event.metadata,
    }


def present_ingested(one: Ingested) -> dict[str, Any]:
    canonical_id, sent = one.leads_to, one.stored.canonical_id
    return {
        "id": one.stored.id,
        "canonicalId": canonical_id,
        "sentCanonicalId": sent if sent != canonical_id else None,
        "receivedAt": wire_time(one.stored.received_at),
        "duplicate": one.again,
    }


def present_report(report: Report) -> dict[str, Any]:
    stored = [one.stored.id if isinstance(one, Ingested) else None for one in report.results]
    again, refused = report.again, report.refused
    return {
        "received": len(stored),
        "accepted": len(stored) - stored.count(None) - len(again),
        "duplicates": len(again),
        "rejected": len(refused),
        "ids": stored,
        "duplicateIndexes": again,
        "errors": [
            {
                "index": index,
                "messageId": one.message_id,
                "code": problem.code,
                "field": problem.field,
                "message": problem.message,
            }
            for index, one in refused
            for problem in one.problems
        ],
    }


def report_details(report: Report) -> list[FieldError]:
    """The same complaints as of one body: ``events.7.app``."""
    return [
        FieldError(".".join(filter(None, ("events", str(index), problem.field))), problem.code, problem.message)
        for index, one in report.refused
        for problem in one.problems
    ]


def present_summary(summary: Summary, canonical_id: UUID, linked_apps: Sequence[str]) -> dict[str, Any]:
    return {
        "canonicalId": str(canonical_id),
        "timezone": summary.zone,
        "total": summary.total,
        "firstAt": wire_time(summary.first_at) if summary.first_at else None,
        "lastAt": wire_time(summary.last_at) if summary.last_at else None,
        "daysSinceLast": summary.days_since_last,
        "activeDays30": summary.active_days,
        "last30": summary.last_30,
        "prev30": summary.prev_30,
        "deltaPct": summary.delta_percent,
        "byApp": summary.by_app,
        "byCategory": summary.by_category,
        "topActions": [
            {"app": one.app, "category": one.category, "action": one.action, "count": one.count}
            for one in summary.top_actions
        ],
        "linkedApps": list(linked_apps),
    }


def present_activity(activity: Activity, canonical_id: UUID) -> dict[str, Any]:
    return {
        "canonicalId": str(canonical_id),
        "asOf": activity.as_of.isoformat(),
        "timezone": activity.zone,
        "windows": {f"{days}d": _window(window) for days, window in activity.windows.items()},
    }


def _window(window: Window) -> dict[str, Any]:
    return {
        "from": window.first.isoformat(),
        "to": window.last.isoformat(),
        "total": window.total,
        "byApp": window.by("app"),
        "byCategory": window.by("category"),
        "matrix": [{"app": one.app, "category": one.category, "count": one.count} for one in window.cells],
    }
