"""Tenancy's work by the clock."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from platform_site.celery import app
from platform_site.owner import as_owner
from platform_site.tasks import PlatformTask
from tenancy.models import RegistrationKey
from tenancy.provisioning import reaper


@app.task(base=PlatformTask, name="tenancy.reap")
def reap() -> None:
    with as_owner():
        reaper.reap()
    expired = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)
    RegistrationKey.objects.filter(created_at__lt=expired).delete()
