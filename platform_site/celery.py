"""The Celery app of worker and scheduler. Its default task class fails closed."""

import os
from typing import Any

from celery import Celery
from celery.signals import after_task_publish, beat_init

from platform_site.metrics import tasks_of_celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_site.settings")

app = Celery("platform_site", task_cls="platform_site.tasks:TenantTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
tasks_of_celery.connect()


@beat_init.connect
def _tick(**_: Any) -> None:
    """In the scheduler each message that was sent is a sign of life."""
    after_task_publish.connect(_sent, weak=False, dispatch_uid="the scheduler's pulse")


def _sent(**_: Any) -> None:
    # Not at the top: this module is imported before there are settings.
    from platform_site import pulse

    pulse.leave(pulse.Part.SCHEDULER)
