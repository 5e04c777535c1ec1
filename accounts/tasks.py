"""Housekeeping over all tenants: what nobody can use any more goes after a while."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from accounts.models import LinkToken, Session
from platform_site.binding import bind, require_tenant
from platform_site.celery import app
from platform_site.idempotency.models import IdempotencyRecord
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from platform_site.owner import as_owner, is_owner
from platform_site.tasks import PlatformTask
from platform_site.tenants import active_tenants
from tenancy.org_settings.catalog import AUDIT_DAYS
from tenancy.org_settings.selectors import setting_value

log = structlog.get_logger(__name__)

# Sessions stay for a while after their end, so that a list of devices can show when they ended.
KEEP_ENDED = timedelta(days=30)
# Entries of the journal that one statement deletes.
JOURNAL_BATCH = 1000


@app.task(base=PlatformTask, name="accounts.purge")
def purge() -> None:
    """Delete ended sessions, old links, expired idempotency keys and old journal entries, tenant by tenant."""
    for tenant in active_tenants():
        with bind(tenant):
            count = purge_bound_tenant()
        if count:
            log.info("accounts.purged", rows=count)
    with as_owner():
        if is_owner():
            _purge_journals()
        else:
            # Nobody else may delete what was written down.
            log.warning("accounts.old_journals_stay", hint="manage.py retention_run")


def _purge_journals() -> None:
    for tenant in active_tenants():
        with bind(tenant):
            kept = timedelta(days=setting_value(AUDIT_DAYS))
            count = purge_journal(before=timezone.now() - kept)
        if count:
            log.info("accounts.journal_purged", rows=count)


def purge_bound_tenant() -> int:
    now = timezone.now()
    stale = (
        Session.objects.filter(absolute_expires_at__lt=now - KEEP_ENDED),
        LinkToken.objects.filter(expires_at__lt=now - KEEP_ENDED),
        IdempotencyRecord.objects.filter(created_at__lt=now - timedelta(hours=settings.IDEMPOTENCY_HOURS)),
    )
    return sum(rows.delete()[0] for rows in stale)


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
