"""Tenancy's work by the clock."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from platform_site.celery import app
from platform_site.errors import PlatformError
from platform_site.owner import as_owner, may_be_owner
from platform_site.retention import Retention, retentions
from platform_site.tasks import PlatformTask
from tenancy.models import FormerSlug, RegistrationKey
from tenancy.provisioning import reaper
from tenancy.purging import due_tenants, tenant_purge

log = structlog.get_logger(__name__)


@app.task(base=PlatformTask, name="tenancy.reap")
def reap() -> None:
    if may_be_owner():
        with as_owner():
            reaper.reap()
    elif reaper.reap(dry_run=True) != reaper.Reaped():
        log.warning("tenancy.reaping_waits", hint="manage.py tenants_reap, with DATABASE_OWNER_URL set")
    _old_keys(timezone.now()).delete()


@app.task(base=PlatformTask, name="tenancy.purge_due")
def purge_due() -> None:
    """Purge the tenants whose date is over, if this process may: dropping a schema takes the database's owner."""
    due = list(due_tenants().values_list("id", "slug"))
    if due and not may_be_owner():
        log.warning("tenancy.purge_waits", slugs=[slug for _, slug in due], hint="manage.py tenants_purge")
        return
    for tenant_id, slug in due:
        try:
            tenant_purge(tenant_id=tenant_id)
        except PlatformError as error:
            # Somebody is at work there, or took it back; tomorrow we look again.
            log.warning("tenancy.not_purged", slug=slug, error=error.code.key)


def _old_keys(now: datetime) -> QuerySet[RegistrationKey]:
    return RegistrationKey.objects.filter(created_at__lt=now - timedelta(hours=settings.IDEMPOTENCY_HOURS))


def _free_slugs(now: datetime) -> QuerySet[FormerSlug]:
    """Slugs that nobody is kept from any more."""
    return FormerSlug.objects.filter(until__lt=now)


retentions.add(
    Retention(
        "tenancy.registration_keys",
        lambda now: _old_keys(now).count(),
        lambda now: _old_keys(now).delete()[0],
        where="public",
    )
)
retentions.add(
    Retention(
        "tenancy.former_slugs",
        lambda now: _free_slugs(now).count(),
        lambda now: _free_slugs(now).delete()[0],
        where="public",
    )
)
