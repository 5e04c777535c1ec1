"""The dispatcher as Celery tasks: nudged when there is work, swept when a nudge got lost."""

from platform_site.celery import app
from platform_site.outbox import dispatcher
from platform_site.tasks import PlatformTask


@app.task(base=PlatformTask, name="platform_site.outbox.dispatch")
def dispatch() -> None:
    dispatcher.drain()


@app.task(base=PlatformTask, name="platform_site.outbox.sweep")
def sweep() -> None:
    dispatcher.drain()
