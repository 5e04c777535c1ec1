"""Tenancy's work by the clock."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from platform_site.celery import app
from platform_site.errors import PlatformError
from platform_site.tasks import PlatformTask
from tenancy.models import RegistrationKey
from tenancy.provisioning import reaper
from tenancy.purging import due_tenants, may_drop_schemas, tenant_purge

log = structlog.get_logger(__name__)


@app.task(base=PlatformTask, name="tenancy.reap")
def reap() -> None:
    reaper.reap()
    expired = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)
    RegistrationKey.objects.filter(created_at__lt=expired).delete()


@app.task(base=PlatformTask, name="tenancy.purge_due")
def purge_due() -> None:
    """Purge the tenants whose date is over, if this process may: dropping a schema takes the database's owner."""
    due = list(due_tenants().values_list("id", "slug"))
    if due and not may_drop_schemas():
        log.warning("tenancy.purge_waits", slugs=[slug for _, slug in due], hint="manage.py tenants_purge")
        return
    for tenant_id, slug in due:
        try:
            tenant_purge(tenant_id=tenant_id)
        except PlatformError as error:
            # Somebody is at work there, or took it back; tomorrow we look again.
            log.warning("tenancy.not_purged", slug=slug, error=error.code.key)
