"""How far a set-up is, worked out from its tasks: pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from platform_site.setup_tasks import SetupTask
from setup_hub.models import TaskState

Status = TaskState.Status
PENDING: Final = Status.PENDING
NOT_STARTED, IN_PROGRESS, COMPLETED = "not_started", "in_progress", "completed"
STATUSES: Final = (NOT_STARTED, IN_PROGRESS, COMPLETED)
States = Mapping[str, TaskState]


@dataclass(frozen=True, slots=True)
class Progress:
    """``percent`` is 100 only when nothing is left, and ``missing`` are the codes of required tasks that are."""

    percent: int
    completed: int
    skipped: int
    total: int
    missing: Sequence[str]


def status_of(states: States, code: str) -> Status:
    state = states.get(code)
    return Status(state.status) if state else PENDING


def counts_as_done(task: SetupTask, states: States) -> bool:
    """A required task that somebody skipped, when it was not required yet, is not done."""
    status = status_of(states, task.code)
    return status == Status.COMPLETED or (status == Status.SKIPPED and not task.required)


def progress_of(tasks: Sequence[SetupTask], states: States) -> Progress:
    """Of the tasks that apply. Rounded down; nothing to do at all is everything done."""
    whole = sum(task.weight for task in tasks)
    done = sum(task.weight for task in tasks if counts_as_done(task, states))
    statuses = [status_of(states, task.code) for task in tasks]
    return Progress(
        percent=100 * done // whole if whole else 100,
        completed=statuses.count(Status.COMPLETED),
        skipped=statuses.count(Status.SKIPPED),
        total=len(tasks),
        missing=[task.code for task in tasks if task.required and status_of(states, task.code) != Status.COMPLETED],
    )


def blocked_by(task: SetupTask, tasks: Sequence[SetupTask], states: States) -> list[str]:
    """Codes of those before it that are not done, of the tasks that apply."""
    before = [other for other in tasks if other.code in task.depends_on]
    return [other.code for other in before if not counts_as_done(other, states)]


def next_task(tasks: Sequence[SetupTask], states: States) -> str | None:
    """What to do next: the first required task that nothing stands before, else the first other one."""
    open_ones = [
        task
        for task in tasks
        if not counts_as_done(task, states)
        and status_of(states, task.code) != Status.SKIPPED
        and not blocked_by(task, tasks, states)
    ]
    return min(open_ones, key=lambda task: not task.required).code if open_ones else None
