"""Reading the set-up, inside the bound tenant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import structlog
from psycopg.errors import QueryCanceled

from platform_site.probing import TookTooLong, ask
from platform_site.setup_tasks import LONGEST_DETAIL, CheckResult, SetupTask, always, setup_tasks
from setup_hub.models import Setup, TaskState
from setup_hub.progress import Progress, States, progress_of

log = structlog.get_logger(__name__)

# How long a check, or the question whether a task applies, may take.
BUDGET_MS: Final = 2000
Answer = TypeVar("Answer")


class CheckBroke(Exception):
    """A check gave no answer. ``code`` is "timeout" or "failed"; what it raised is in the log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Overview:
    """The tasks that apply, in their order, and where they stand."""

    setup: Setup
    tasks: Sequence[SetupTask]
    states: States

    @property
    def progress(self) -> Progress:
        return progress_of(self.tasks, self.states)


def overview() -> Overview:
    """Two queries, and those with which tasks say whether they apply."""
    rows = TaskState.objects.select_related("completed_by")
    return Overview(
        setup=Setup.objects.select_related("completed_by").filter(id=1).first() or Setup(),
        tasks=applicable_tasks(),
        states={row.code: row for row in rows},
    )


def applicable_tasks(codes: Sequence[str] | None = None) -> list[SetupTask]:
    """These, or all, in their order. One that cannot say whether it applies does: an error is nobody's progress."""
    wanted = (task for task in setup_tasks if codes is None or task.code in codes)
    return [task for task in sorted(wanted, key=lambda task: (task.order, task.code)) if _applies(task)]


def _applies(task: SetupTask) -> bool:
    if task.applies is always:
        return True
    try:
        return _asked(task, task.applies)
    except CheckBroke:
        return True


def check(task: SetupTask) -> CheckResult:
    """What the data say about a task that can be checked. Raises ``CheckBroke``."""
    if task.check is None:
        raise LookupError(f"{task.code} cannot be checked.")
    result = _asked(task, task.check)
    return replace(result, detail=result.detail[:LONGEST_DETAIL])


def check_all(tasks: Sequence[SetupTask]) -> tuple[Mapping[str, CheckResult], Mapping[str, str]]:
    """Results and errors by code, of those of these that can be checked."""
    results: dict[str, CheckResult] = {}
    errors: dict[str, str] = {}
    for task in tasks:
        if task.check is None:
            continue
        try:
            results[task.code] = check(task)
        except CheckBroke as broke:
            errors[task.code] = broke.code
    return results, errors


def _asked(task: SetupTask, question: Callable[[], Answer]) -> Answer:
    try:
        return ask(question, milliseconds=BUDGET_MS)
    except Exception as error:
        # Whatever an app's check raises is the check's fault, and no reason to tell nobody anything.
        late = isinstance(error, TookTooLong) or isinstance(error.__cause__, QueryCanceled)
        log.warning("setup.check_broke", task=task.code, error=type(error).__name__)
        raise CheckBroke("timeout" if late else "failed") from error
