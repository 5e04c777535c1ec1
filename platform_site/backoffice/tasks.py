"""Counting for staff, by the clock."""

from platform_site.backoffice.counting import count_all
from platform_site.celery import app
from platform_site.tasks import PlatformTask


@app.task(base=PlatformTask, name="backoffice.count")
def count() -> None:
    count_all()
