"""The dispatcher as Celery tasks: nudged when there is work, swept when a nudge got lost."""

import structlog
from django.db import InterfaceError, OperationalError

from platform_site.celery import app
from platform_site.outbox import dispatcher
from platform_site.tasks import PlatformTask

log = structlog.get_logger(__name__)


@app.task(base=PlatformTask, name="platform_site.outbox.dispatch")
def dispatch() -> None:
    """Run what is due. Without the database there is nothing to run, and the next sweep looks again."""
    try:
        dispatcher.drain()
    except (OperationalError, InterfaceError) as error:
        log.warning("dispatcher.database_away", error=type(error).__name__)


@app.task(base=PlatformTask, name="platform_site.outbox.sweep")
def sweep() -> None:
    """The same, by the clock: whatever a nudge missed is found here."""
    dispatch.run()
