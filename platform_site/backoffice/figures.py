"""The figures of the home page: a fixed number of queries, all in public, whatever the number of tenants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from platform_site.backoffice.models import TenantDay, TenantFigures, Walk
from platform_site.outbox.selectors import OutboxGlance, outbox_glance
from platform_site.realtime.census import sockets_open
from tenancy.migrating.tenants import schema_is_behind
from tenancy.models import Tenant

DAYS: Final = 30
# Of what waits or rests no more rows than this are counted; beyond it is "or more".
MOST_COUNTED: Final = 10_000
MOST_LISTED: Final = 10

_DEAD: Final = """
    SELECT dead.tenant_id, tenant.slug, dead.letters FROM (
        SELECT tenant_id, count(*) AS letters FROM (
            SELECT tenant_id FROM outbox_outboxrow WHERE state = 'dead' LIMIT %(most)s
        ) AS counted GROUP BY tenant_id ORDER BY letters DESC LIMIT %(listed)s
    ) AS dead LEFT JOIN tenancy_tenant AS tenant ON tenant.id = dead.tenant_id ORDER BY dead.letters DESC
"""
_BAD: Final = """
    SELECT figures.tenant_id, tenant.slug, figures.mail_server, figures.error
    FROM backoffice_tenantfigures AS figures JOIN tenancy_tenant AS tenant ON tenant.id = figures.tenant_id
    WHERE figures.mail_server IN ('failing', 'paused') OR figures.error <> '' ORDER BY tenant.slug LIMIT %(listed)s
"""


@dataclass(frozen=True, slots=True)
class Failing:
    """One tenant that needs somebody, and why. Without a slug: work of nobody's, or of a tenant that is gone."""

    tenant_id: UUID | None
    slug: str
    why: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Days are the last ``DAYS``, oldest first, each with what happened on it."""

    now: datetime
    days: list[date]
    tenants: Mapping[str, int]
    signed_up: Mapping[date, int]
    summed: Mapping[date, Mapping[str, Any]]
    outbox: OutboxGlance
    sockets: int | None
    failing: list[Failing]
    behind: int
    walk: Walk | None


def figures(now: datetime | None = None) -> Figures:
    """Eight queries."""
    now = now or timezone.now()
    days = [now.date() - timedelta(days=ago) for ago in reversed(range(DAYS))]
    tenants = dict(Tenant.objects.values_list("status").annotate(Count("id")).order_by())
    since = Tenant.objects.filter(created_at__gte=now - timedelta(days=DAYS))
    signed_up = since.annotate(day=TruncDate("created_at")).values_list("day").annotate(Count("id")).order_by()
    sums = TenantDay.objects.filter(day__gte=days[0]).values("day").order_by()
    behind, failing = _behind()
    return Figures(
        now=now,
        days=days,
        tenants=tenants,
        signed_up=dict(signed_up),
        summed={
            row["day"]: row
            for row in sums.annotate(
                active=Sum("active_people"),
                sent=Sum("mails_sent"),
                bounced=Sum("mails_bounced"),
                dead=Sum("mails_dead"),
            )
        },
        outbox=outbox_glance(most=MOST_COUNTED, now=now),
        sockets=sockets_open(),
        failing=[*_with_dead_letters(), *failing, *_with_bad_mail()],
        behind=behind,
        walk=Walk.objects.filter(id=1).first(),
    )


def _with_dead_letters() -> list[Failing]:
    with connection.cursor() as cursor:
        cursor.execute(_DEAD, {"most": MOST_COUNTED, "listed": MOST_LISTED})
        return [
            Failing(tenant_id if slug else None, slug or "", f"{letters} dead letter{'s' if letters > 1 else ''}")
            for tenant_id, slug, letters in cursor.fetchall()
        ]


def _behind() -> tuple[int, list[Failing]]:
    """How many tenants' schemas are not the code's, and the first of them."""
    rows = Tenant.objects.filter(schema_is_behind())
    # Every tenant is behind while a migration of all runs: they are counted, and few are named.
    found = list(rows.order_by("slug").values_list("id", "slug")[:MOST_LISTED])
    return rows.count(), [Failing(tenant_id, slug, "schema behind") for tenant_id, slug in found]


def _with_bad_mail() -> list[Failing]:
    with connection.cursor() as cursor:
        cursor.execute(_BAD, {"listed": MOST_LISTED})
        return [
            Failing(
                tenant_id,
                slug,
                f"could not be read: {error}"
                if error
                else f"mail server {TenantFigures.MailServer(mail).label.lower()}",
            )
            for tenant_id, slug, mail, error in cursor.fetchall()
        ]
