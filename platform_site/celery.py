"""The Celery app of worker and scheduler. Its default task class fails closed."""

import os
from typing import Any

from celery import Celery
from celery.signals import after_task_publish, beat_init, worker_init, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_site.settings")

app = Celery("platform_site", task_cls="platform_site.tasks:TenantTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


# What these import is not at the top: this module is imported before there are settings and models.


@worker_init.connect
def _watch(**_: Any) -> None:
    """Before it forks: a worker counts and traces, where that is asked for."""
    from platform_site import tracing
    from platform_site.metrics import serving, tasks_of_celery

    tracing.start("worker")
    if serving.start("worker"):
        tasks_of_celery.watch()


@worker_ready.connect
def _show(**_: Any) -> None:
    """After it has forked: its processes get no thread and no port of ours."""
    from platform_site.metrics import serving

    serving.serve_beside()


@beat_init.connect
def _tick(**_: Any) -> None:
    """In the scheduler each message that was sent is a sign of life."""
    after_task_publish.connect(_sent, weak=False, dispatch_uid="the scheduler's pulse")


def _sent(**_: Any) -> None:
    from platform_site import pulse

    pulse.leave(pulse.Part.SCHEDULER)
