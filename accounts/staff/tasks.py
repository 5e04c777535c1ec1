"""What the clock does about staff."""

import structlog
from django.utils import timezone

from accounts.staff.retention import old_acts, old_sessions
from platform_site.celery import app
from platform_site.owner import as_owner, may_be_owner
from platform_site.retention import delete_in_batches
from platform_site.tasks import PlatformTask

log = structlog.get_logger(__name__)


@app.task(base=PlatformTask, name="staff.purge")
def purge() -> None:
    """Delete what staff did longer ago than is kept. Only the database's owner may."""
    now = timezone.now()
    delete_in_batches(old_sessions(now))
    if not may_be_owner():
        log.warning("staff.acts_not_purged", hint="manage.py retention_run, with DATABASE_OWNER_URL set")
        return
    with as_owner():
        count = delete_in_batches(old_acts(now))
    if count:
        log.info("staff.purged", rows=count)
