"""Housekeeping over all tenants: what nobody can use any more goes after a while."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import LinkToken, Session
from platform_site.binding import bind, require_tenant
from platform_site.celery import app
from platform_site.idempotency.models import IdempotencyRecord
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from platform_site.owner import as_owner, may_be_owner
from platform_site.retention import Retention, delete_in_batches, retentions
from platform_site.tasks import PlatformTask
from platform_site.tenants import active_tenants
from tenancy.org_settings.catalog import AUDIT_DAYS
from tenancy.org_settings.selectors import setting_value

log = structlog.get_logger(__name__)

# Sessions stay for a while after their end, so that a list of devices can show when they ended.
KEEP_ENDED = timedelta(days=30)
# Rows that one statement deletes.
JOURNAL_BATCH = 1000


@app.task(base=PlatformTask, name="accounts.purge")
def purge() -> None:
    """Delete ended sessions, old links and expired idempotency keys, tenant by tenant."""
    now = timezone.now()
    for tenant in active_tenants():
        with bind(tenant):
            count = sum(delete_in_batches(rows) for rows in _stale(now))
        if count:
            log.info("accounts.purged", rows=count)


@app.task(base=PlatformTask, name="accounts.purge_journals")
def purge_journals() -> None:
    """Delete what each tenant keeps no longer of its journal. Only the database's owner may."""
    if not may_be_owner():
        log.warning("accounts.journals_not_purged", hint="manage.py retention_run, with DATABASE_OWNER_URL set")
        return
    now = timezone.now()
    with as_owner():
        for tenant in active_tenants():
            with bind(tenant):
                count = purge_journal(before=journal_kept_since(now))
            if count:
                log.info("accounts.journal_purged", rows=count)


def _stale(now: datetime) -> tuple[QuerySet[Any], ...]:
    """What nobody can use any more, in the bound tenant."""
    return (
        Session.objects.filter(absolute_expires_at__lt=now - KEEP_ENDED),
        LinkToken.objects.filter(expires_at__lt=now - KEEP_ENDED),
        IdempotencyRecord.objects.filter(created_at__lt=now - timedelta(hours=settings.IDEMPOTENCY_HOURS)),
    )


def journal_kept_since(now: datetime) -> datetime:
    """Entries from before then are not kept: as the tenant chose, and never longer than the platform says."""
    days = setting_value(AUDIT_DAYS)
    if settings.JOURNAL_RETENTION_DAYS:
        days = min(days, settings.JOURNAL_RETENTION_DAYS)
    return now - timedelta(days=days)


def purge_journal(*, before: datetime, batch: int = JOURNAL_BATCH) -> int:
    """Delete the bound tenant's journal entries from before then, a batch at a time. Gives how many.

    One that a reaction still waits for stays, also when that is a dead letter:
    staff may re-drive it. The outbox is asked on its own, because it is in public
    and may be on another node than the journal.
    """
    tenant_id, count = require_tenant().id, 0
    old = JournalEntry.objects.filter(at__lt=before).order_by("at", "id")
    rest = old
    while page := list(rest.values_list("at", "id")[:batch]):
        ids = [entry_id for _, entry_id in page]
        waited_for = OutboxRow.objects.filter(tenant_id=tenant_id, entry_id__in=ids).values_list("entry_id", flat=True)
        count += JournalEntry.objects.filter(id__in=set(ids) - set(waited_for)).delete()[0]
        at, entry_id = page[-1]
        # Behind this page, so that what has to stay is not met again.
        rest = old.filter(at__gte=at).exclude(at=at, id__lte=entry_id)
    return count


for _number, _key in enumerate(("sessions", "links", "idempotency_keys")):
    retentions.add(
        Retention(
            f"accounts.{_key}",
            lambda now, number=_number: _stale(now)[number].count(),  # type: ignore[misc]
            lambda now, number=_number: delete_in_batches(_stale(now)[number]),  # type: ignore[misc]
        )
    )
retentions.add(
    Retention(
        "journal",
        lambda now: JournalEntry.objects.filter(at__lt=journal_kept_since(now)).count(),
        lambda now: purge_journal(before=journal_kept_since(now)),
        by_owner=True,
    )
)
