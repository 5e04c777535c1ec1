"""What waits for one person, put together from all sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from django.utils import timezone

from accounts.models import User
from events.days import day_begins, day_of
from platform_site.action_items import PRIORITIES, ActionItem, ActionSource, Counts, Found, Window, action_sources
from platform_site.api.identity import Identity
from platform_site.binding import require_tenant
from platform_site.errors import invalid_field
from platform_site.me import errors
from platform_site.probing import ask
from tenancy.models import Tenant

log = structlog.get_logger(__name__)

# How long one source may take.
BUDGET_MS: Final = 500
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Collected:
    """``items`` are (source, item), what is due first, and no more than were asked for; the counts are of all.

    ``failed`` are sources that gave no answer.
    """

    window: Window
    items: Sequence[tuple[str, ActionItem]]
    counts: Counts
    by_source: Mapping[str, int]
    failed: Sequence[str]


def action_items_of(asker: Identity, *, limit: int, within_days: int, source: str | None = None) -> Collected:
    """What waits for this person now. Raises ``unknown_source``."""
    if source is not None and source not in action_sources:
        raise invalid_field("source", errors.UNKNOWN_SOURCE)
    window = window_of(own_zone(asker.user_id), now=timezone.now(), within_days=within_days, limit=limit)
    answers = {one.key: _ask(one, asker, window) for one in action_sources if source in (None, one.key)}
    found = {key: answer for key, answer in answers.items() if answer is not None}
    items = [(key, item) for key, answer in found.items() for item in answer.items]
    counts = [answer.counts for answer in found.values()]
    return Collected(
        window=window,
        items=sorted(items, key=lambda one: _due_first(one[1]))[:limit],
        counts=Counts(
            total=sum(one.total for one in counts),
            overdue=sum(one.overdue for one in counts),
            due_today=sum(one.due_today for one in counts),
            due_soon=sum(one.due_soon for one in counts),
        ),
        by_source={key: found[key].counts.total if key in found else 0 for key in answers},
        failed=[key for key in answers if key not in found],
    )


def own_zone(user_id: int) -> ZoneInfo:
    """The person's time zone, else the company's. Two queries."""
    own = User.objects.values_list("timezone", flat=True).get(id=user_id)
    company = Tenant.objects.values_list("timezone", flat=True).get(id=require_tenant().id)
    return ZoneInfo(own or company)


def window_of(zone: ZoneInfo, *, now: datetime, within_days: int, limit: int) -> Window:
    """Days as the clocks there show them. What is due within no days is due today."""
    today = day_of(now, zone)
    return Window(
        now=now,
        today=day_begins(today, zone),
        tomorrow=day_begins(today + timedelta(days=1), zone),
        soon=day_begins(today + timedelta(days=within_days + 1), zone),
        limit=limit,
    )


def _ask(source: ActionSource, asker: Identity, window: Window) -> Found | None:
    """What this source found, or None when it failed or took too long."""
    if source.needs is not None and source.needs.key not in asker.permissions:
        return Found((), Counts())
    try:
        return ask(lambda: source.find(asker, window), milliseconds=BUDGET_MS)
    except Exception as error:
        # Whatever an app's source raises is no reason to show nothing of the others.
        log.warning("action_items.source_broke", source=source.key, error=type(error).__name__)
        return None


def _due_first(item: ActionItem) -> tuple[datetime, int, datetime, str]:
    return (item.due_at or _NEVER, -PRIORITIES.index(item.priority), item.created_at or _NEVER, item.id)
