"""The walk over all tenants that fills staff's figures. Each tenant is looked into by itself; one that cannot be is
written down as such and stops nobody else's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from accounts.models import Session, User
from accounts.seats import HOLDING
from notifications.email_settings.smtp_server import server_row
from notifications.models import SmtpServer
from platform_site.backoffice.models import TenantDay, TenantFigures, Walk
from platform_site.binding import TenantRef, bind
from platform_site.tenants import active_tenants

log = structlog.get_logger(__name__)

BATCH: Final = 200
# What a provider reports late still counts for the day of the mail.
MAIL_DAYS: Final = 30
KEPT_DAYS: Final = 400

_MAIL: Final = """
    SELECT day, sum(sent), sum(bounced), sum(failed) FROM (
        SELECT day, sent, bounced, failed FROM notifications_dailycount
        WHERE day BETWEEN %(first)s AND %(last)s AND channel = 'email'
        UNION ALL
        SELECT day, sent, bounced, failed FROM notifications_countchange
        WHERE day BETWEEN %(first)s AND %(last)s AND channel = 'email'
    ) AS counted GROUP BY day
"""


@dataclass(slots=True)
class Counted:
    """What one tenant has: its figures, and its days."""

    figures: TenantFigures
    days: dict[date, TenantDay] = field(default_factory=dict)


def count_all(*, now: datetime | None = None) -> Walk:
    """Look into every active tenant and write what is there, a batch at a time."""
    began = now or timezone.now()
    tenants = failed = 0
    for batch in _in_batches(active_tenants()):
        counted = [_count(tenant, began) for tenant in batch]
        _write(counted)
        tenants += len(counted)
        failed += sum(1 for one in counted if one.figures.error)
    # What was not met is not active any more; days stay until they are old.
    TenantFigures.objects.filter(counted_at__lt=began).delete()
    TenantDay.objects.filter(day__lt=began.date() - timedelta(days=KEPT_DAYS)).delete()
    values = {"began_at": began, "ended_at": timezone.now(), "tenants": tenants, "failed": failed}
    walk, _ = Walk.objects.update_or_create(id=1, defaults=values)
    log.info("backoffice.counted", tenants=tenants, failed=failed)
    return walk


def _in_batches(tenants: Iterable[TenantRef]) -> Iterator[list[TenantRef]]:
    batch: list[TenantRef] = []
    for tenant in tenants:
        batch.append(tenant)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _count(tenant: TenantRef, now: datetime) -> Counted:
    try:
        # A savepoint where there is a transaction around: a failure then is this tenant's alone.
        with bind(tenant), transaction.atomic():
            return _look_into(tenant, now)
    except DatabaseError as error:
        log.warning("backoffice.not_counted", tenant=str(tenant.id), error=type(error).__name__)
        return Counted(TenantFigures(tenant_id=tenant.id, error=type(error).__name__, counted_at=now))


def _look_into(tenant: TenantRef, now: datetime) -> Counted:
    """Four queries in the bound tenant."""
    people = User.objects.aggregate(
        held=Count("id", filter=Q(status__in=HOLDING)), active=Count("id", filter=Q(status=User.Status.ACTIVE))
    )
    figures = TenantFigures(
        tenant_id=tenant.id,
        seats_used=people["held"],
        people_active=people["active"],
        mail_server=mail_server_state(server_row(), now),
        counted_at=now,
    )
    counted = Counted(figures)
    today = now.astimezone(UTC).date()
    seen = Session.objects.aggregate(
        **{
            name: Count("user", distinct=True, filter=Q(last_used_at__gte=start, last_used_at__lt=start + _DAY))
            for name, start in (("today", _start(today)), ("yesterday", _start(today - _DAY)))
        }
    )
    for name, day in (("today", today), ("yesterday", today - _DAY)):
        if seen[name]:
            _day(counted, day).active_people = seen[name]
    with connection.cursor() as cursor:
        # A company's day may be ahead of ours.
        cursor.execute(_MAIL, {"first": today - timedelta(days=MAIL_DAYS), "last": today + _DAY})
        for day, sent, bounced, failed in cursor.fetchall():
            row = _day(counted, day)
            row.mails_sent, row.mails_bounced, row.mails_dead = max(0, sent), max(0, bounced), max(0, failed)
    return counted


_DAY: Final = timedelta(days=1)


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _day(counted: Counted, day: date) -> TenantDay:
    if day not in counted.days:
        counted.days[day] = TenantDay(tenant_id=counted.figures.tenant_id, day=day)
    return counted.days[day]


def mail_server_state(server: SmtpServer | None, now: datetime) -> TenantFigures.MailServer:
    """How the tenant's own mail server is."""
    states = TenantFigures.MailServer
    if server is None or not server.enabled:
        return states.PLATFORM
    if server.paused_until is not None and server.paused_until > now:
        return states.PAUSED
    if server.failures:
        return states.FAILING
    return states.WORKING if server.verified_at is not None else states.UNTESTED


@transaction.atomic
def _write(counted: list[Counted]) -> None:
    TenantFigures.objects.bulk_create(
        [one.figures for one in counted],
        update_conflicts=True,
        unique_fields=["tenant_id"],
        update_fields=["seats_used", "people_active", "mail_server", "error", "counted_at"],
    )
    days = [day for one in counted for day in one.days.values()]
    written = TenantDay.objects.filter(
        tenant_id__in=[one.figures.tenant_id for one in counted], day__in={day.day for day in days}
    )
    known = {(row.tenant_id, row.day): row.active_people for row in written}
    for day in days:
        # A session remembers its last use alone, so whoever comes back leaves yesterday: it counts what was highest.
        day.active_people = max(day.active_people, known.get((day.tenant_id, day.day), 0))
    TenantDay.objects.bulk_create(
        days,
        batch_size=2000,
        update_conflicts=True,
        unique_fields=["tenant_id", "day"],
        update_fields=["active_people", "mails_sent", "mails_bounced", "mails_dead"],
    )
