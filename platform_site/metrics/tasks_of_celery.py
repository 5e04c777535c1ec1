"""What becomes of Celery's tasks, by its own signals."""

import time
from typing import Any

from celery import signals

from platform_site.metrics.measures import TASK_SECONDS, TASKS

_began: dict[str, float] = {}


def watch() -> None:
    """Count, in the worker that starts in this process."""
    signals.task_prerun.connect(_begins, weak=False, dispatch_uid="metrics: prerun")
    signals.task_postrun.connect(_ended, weak=False, dispatch_uid="metrics: postrun")


def _begins(task_id: str = "", **_: Any) -> None:
    _began[task_id] = time.perf_counter()


def _ended(task_id: str = "", task: Any = None, state: str | None = None, **_: Any) -> None:
    name = str(task.name)
    TASKS.add(name, str(state or "FAILURE"))
    if (began := _began.pop(task_id, None)) is not None:
        TASK_SECONDS.observe(time.perf_counter() - began, name)
