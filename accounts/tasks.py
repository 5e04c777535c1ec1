"""Housekeeping over all tenants: what nobody can use any more goes after a while."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from accounts.models import LinkToken, Session
from platform_site.binding import bind
from platform_site.celery import app
from platform_site.idempotency.models import IdempotencyRecord
from platform_site.tasks import PlatformTask
from platform_site.tenants import active_tenants

log = structlog.get_logger(__name__)

# Sessions stay for a while after their end, so that a list of devices can show when they ended.
KEEP_ENDED = timedelta(days=30)


@app.task(base=PlatformTask, name="accounts.purge")
def purge() -> None:
    """Delete ended sessions, old links and expired idempotency keys, tenant by tenant."""
    for tenant in active_tenants():
        with bind(tenant):
            count = purge_bound_tenant()
        if count:
            log.info("accounts.purged", rows=count)


def purge_bound_tenant() -> int:
    now = timezone.now()
    stale = (
        Session.objects.filter(absolute_expires_at__lt=now - KEEP_ENDED),
        LinkToken.objects.filter(expires_at__lt=now - KEEP_ENDED),
        IdempotencyRecord.objects.filter(created_at__lt=now - timedelta(hours=settings.IDEMPOTENCY_HOURS)),
    )
    return sum(rows.delete()[0] for rows in stale)
