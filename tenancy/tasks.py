"""Tenancy's work by the clock."""

from platform_site.celery import app
from platform_site.tasks import PlatformTask
from tenancy.provisioning import reaper


@app.task(base=PlatformTask, name="tenancy.reap")
def reap() -> None:
    reaper.reap()
