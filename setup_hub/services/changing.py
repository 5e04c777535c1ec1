"""What a person does about the set-up: ticking off, skipping, reopening, and ending it."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from platform_site.api.identity import Identity
from platform_site.errors import PlatformError
from platform_site.journal.services import record
from platform_site.setup_tasks import SetupTask
from setup_hub import catalog, errors
from setup_hub.models import TaskState
from setup_hub.progress import States, blocked_by
from setup_hub.selectors import CheckBroke, Overview, check, overview
from setup_hub.services.checking import look_tomorrow, setup_lock

Status = TaskState.Status


@dataclass(frozen=True, slots=True)
class Changed:
    """The task, and the whole set-up as it is now."""

    task: SetupTask
    overview: Overview


@transaction.atomic
def task_set(*, actor: Identity, code: str, status: Status, reason: str = "", force: bool = False) -> Changed:
    """Let the task have this status; the same one again changes nothing.

    Completing asks the task's check, and ``force`` completes whatever that says. What a person says, no check takes
    back. Raises ``unknown_task``, also for one that does not apply here, ``required_task_cannot_be_skipped``,
    ``task_blocked`` or ``check_failed``.
    """
    setup_lock()
    seen = overview()
    task = next((one for one in seen.tasks if one.code == code), None)
    if task is None:
        raise PlatformError(errors.UNKNOWN_TASK)
    if status == Status.SKIPPED and task.required:
        raise PlatformError(errors.REQUIRED_TASK_CANNOT_BE_SKIPPED)
    state = seen.states.get(code) or TaskState(code=code)
    before = state.status
    if before == status:
        return Changed(task, seen)
    detail = state.detail
    if status in (Status.COMPLETED, Status.IN_PROGRESS):
        _nothing_before(task, seen.tasks, seen.states)
    if status == Status.COMPLETED and not force:
        detail = _say_so(task, state.detail)
    over = status in (Status.COMPLETED, Status.SKIPPED)
    now = timezone.now()
    values: dict[str, Any] = {
        "status": status,
        "source": TaskState.Source.MANUAL,
        "completed_at": now if over else None,
        "completed_by_id": (actor.user_id or None) if over else None,
        "reason": reason,
        "detail": detail,
        "updated_at": now,
    }
    TaskState.objects.update_or_create(code=code, defaults=values)
    record(
        catalog.TASK_CHANGED,
        subject=("setup_task", code),
        data={"from": before, "to": status, "forced": force and status == Status.COMPLETED, "reason": reason},
    )
    look_tomorrow()
    return Changed(task, overview())


def _nothing_before(task: SetupTask, tasks: Any, states: States) -> None:
    before = blocked_by(task, tasks, states)
    if before:
        raise PlatformError(errors.TASK_BLOCKED, context={"blockedBy": before})


def _say_so(task: SetupTask, detail: str) -> str:
    """What the task's check says for it; a person's word suffices where there is no check."""
    if task.check is None:
        return detail
    try:
        result = check(task)
    except CheckBroke as broke:
        raise PlatformError(errors.CHECK_FAILED, context={"checkError": broke.code}) from None
    if not result.done:
        raise PlatformError(errors.CHECK_FAILED, context={"detail": result.detail})
    return result.detail


@transaction.atomic
def setup_complete(*, actor: Identity) -> Overview:
    """End the set-up; again changes nothing, also when there are new tasks since.

    Raises ``required_tasks_incomplete`` with their codes.
    """
    setup = setup_lock()
    seen = overview()
    if setup.completed_at is not None:
        return seen
    missing = seen.progress.missing
    if missing:
        raise PlatformError(errors.REQUIRED_TASKS_INCOMPLETE, context={"missing": list(missing)})
    setup.completed_at, setup.completed_by_id = timezone.now(), actor.user_id or None
    setup.save(update_fields=["completed_at", "completed_by"])
    record(catalog.SETUP_COMPLETED, subject=("setup", "setup"), data={"percent": seen.progress.percent})
    return overview()
