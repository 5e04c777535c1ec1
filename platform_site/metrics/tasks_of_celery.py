"""What becomes of Celery's tasks, by its own signals. The worker's first process answers for those it forks."""

import time
from typing import Any

from celery import signals

from platform_site.metrics.measures import TASK_SECONDS, TASKS

_began: dict[str, float] = {}


def connect() -> None:
    """Listen for a worker that starts in this process."""
    signals.worker_init.connect(_start, weak=False, dispatch_uid="metrics: start")
    signals.worker_ready.connect(_serve, weak=False, dispatch_uid="metrics: serve")


def _start(**_: Any) -> None:
    # Knows models, and this module is loaded before they are.
    from platform_site import tracing
    from platform_site.metrics import serving

    tracing.start("worker")
    if serving.start("worker"):
        watch()


def watch() -> None:
    signals.task_prerun.connect(_begins, weak=False, dispatch_uid="metrics: prerun")
    signals.task_postrun.connect(_ended, weak=False, dispatch_uid="metrics: postrun")


def _serve(**_: Any) -> None:
    from platform_site.metrics import serving

    # After the pool has forked: its processes get no thread and no port of ours.
    serving.serve_beside()


def _begins(task_id: str = "", **_: Any) -> None:
    _began[task_id] = time.perf_counter()


def _ended(task_id: str = "", task: Any = None, state: str | None = None, **_: Any) -> None:
    name = str(task.name)
    TASKS.add(name, str(state or "FAILURE"))
    if (began := _began.pop(task_id, None)) is not None:
        TASK_SECONDS.observe(time.perf_counter() - began, name)
