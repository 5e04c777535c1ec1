"""Tenancy's work by the clock."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from platform_site.celery import app
from platform_site.owner import as_owner, is_owner
from platform_site.tasks import PlatformTask
from tenancy.models import RegistrationKey
from tenancy.provisioning import reaper

log = structlog.get_logger(__name__)


@app.task(base=PlatformTask, name="tenancy.reap")
def reap() -> None:
    with as_owner():
        if is_owner():
            reaper.reap()
        elif reaper.reap(dry_run=True) != reaper.Reaped():
            log.warning("tenancy.reaping_needs_the_owner", hint="manage.py tenants_reap")
    expired = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)
    RegistrationKey.objects.filter(created_at__lt=expired).delete()
