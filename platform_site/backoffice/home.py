"""The home page's context: figures as cards, charts and lists. What is counted by a walk says how old it is."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.utils.timesince import timesince

from accounts.staff.addresses import tenant_page
from platform_site.backoffice.figures import MOST_COUNTED, Figures, figures
from platform_site.outbox.selectors import LATE_SECONDS
from tenancy.models import Tenant

# The scheduler counts every quarter of an hour; what is older than this was not counted any more.
STALE: Final = timedelta(hours=1)
# A colour that both schemes can be read in.
_TEAL: Final = "primary-500"


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold asks this for the home page."""
    seen = figures()
    return {
        **context,
        "cards": _cards(seen),
        "charts": _charts(seen),
        "failing": [(one, tenant_page(one.tenant_id) if one.tenant_id else "") for one in seen.failing],
        "behind": seen.behind,
        "counted": _counted(seen),
        "counted_is_stale": seen.walk is None or seen.now - seen.walk.ended_at > STALE,
    }


def _cards(seen: Figures) -> list[dict[str, Any]]:
    today = seen.summed.get(seen.days[-1], {})
    outbox, oldest = seen.outbox, seen.outbox.oldest
    waits = f"oldest for {timesince(oldest, seen.now)}" if oldest else "nothing waits"
    return [
        _card(
            "Tenants",
            sum(seen.tenants.values()),
            f"{seen.tenants.get(Tenant.Status.ACTIVE, 0):,} active",
            "/admin/tenancy/tenant/",
        ),
        _card("Active people today", today.get("active", 0), "whose session was used"),
        _card(
            "Sockets open",
            "?" if seen.sockets is None else seen.sockets,
            "Valkey is away" if seen.sockets is None else "in all processes",
        ),
        _card(
            "Work due",
            _many(outbox.due),
            waits,
            "/admin/outbox/outboxrow/?state__exact=pending",
            bad=bool(oldest and seen.now - oldest > timedelta(seconds=LATE_SECONDS)),
        ),
        _card(
            "Dead letters",
            _many(outbox.dead),
            f"{_many(outbox.parked)} parked",
            "/admin/outbox/outboxrow/?state__exact=dead",
            bad=bool(outbox.dead),
        ),
        _card(
            "Schemas behind",
            seen.behind,
            "of tenants that have one",
            "/admin/tenancy/tenant/?failing=schema",
            bad=bool(seen.behind),
        ),
    ]


def _card(title: str, value: int | str, text: str, link: str = "", *, bad: bool = False) -> dict[str, Any]:
    return {
        "title": title,
        "value": f"{value:,}" if isinstance(value, int) else value,
        "text": text,
        "link": link,
        "bad": bad,
    }


def _many(count: int) -> str:
    return f"{count:,}+" if count >= MOST_COUNTED else f"{count:,}"


def _charts(seen: Figures) -> list[dict[str, Any]]:
    labels = [f"{day:%d %b}" for day in seen.days]
    states = [(status.label, seen.tenants.get(status, 0)) for status in Tenant.Status]
    summed = [seen.summed.get(day, {}) for day in seen.days]
    signed_up = [seen.signed_up.get(day, 0) for day in seen.days]
    mail = [
        ("Sent", _TEAL, _column(summed, "sent")),
        ("Bounced", "orange-500", _column(summed, "bounced")),
        ("Given up", "red-500", _column(summed, "dead")),
    ]
    by_state = [("Tenants", _TEAL, [count for _, count in states])]
    return [
        _chart("Tenants by state", "bar", [label for label, _ in states], by_state, wide=True),
        _chart("Sign-ups per day", "bar", labels, [("Sign-ups", _TEAL, signed_up)]),
        _chart("Active people per day", "bar", labels, [("People", _TEAL, _column(summed, "active"))]),
        _chart("Mail per day", "line", labels, mail),
    ]


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> list[int]:
    return [row.get(name, 0) for row in rows]


def _chart(
    title: str,
    kind: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, str, Sequence[int]]],
    *,
    wide: bool = False,
) -> dict[str, Any]:
    datasets = [
        {
            "label": name,
            "data": list(values),
            "borderColor": f"var(--color-{color})",
            "backgroundColor": f"var(--color-{color})",
            "displayYAxis": True,
            "maxTicksXLimit": 6,
            **({"maxBarThickness": 48} if wide else {}),
        }
        for name, color, values in series
    ]
    total = [(name, f"{sum(values):,}", color) for name, color, values in series]
    words = ", ".join(f"{name} {count}" for name, count, _ in total)
    return {
        "title": title,
        "template": f"unfold/components/chart/{kind}.html",
        "data": json.dumps({"labels": list(labels), "datasets": datasets}),
        "total": [] if wide else total,
        "rows": list(zip(labels, series[0][2], strict=True)) if wide else [],
        "said": f"{title}: {words}",
    }


def _counted(seen: Figures) -> str:
    walk = seen.walk
    if walk is None:
        return "People and mail were not counted yet."
    ago = (
        timesince(walk.ended_at, seen.now) if seen.now - walk.ended_at >= timedelta(minutes=1) else "less than a minute"
    )
    failed = f", {walk.failed:,} could not be read" if walk.failed else ""
    tenants = "1 active tenant" if walk.tenants == 1 else f"{walk.tenants:,} active tenants"
    return f"People and mail were counted {ago} ago, in {tenants}{failed}."
