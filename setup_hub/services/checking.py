"""What the data say about the set-up, and moving tasks accordingly."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from platform_site.journal.services import record
from platform_site.outbox.clock import working_now
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import job_kind
from platform_site.outbox.services import Job, enqueue_jobs
from platform_site.setup_tasks import CheckResult, SetupTask
from setup_hub import catalog
from setup_hub.models import Setup, TaskState
from setup_hub.selectors import CheckBroke, applicable_tasks, check, check_all

Status, Source = TaskState.Status, TaskState.Source
LOOK: Final = "setup_hub.look"
EVERY: Final = timedelta(days=1)
# There is one of it in each tenant.
_THE_SETUP: Final = UUID(int=4)
_KEPT: Final = (
    *("status", "source", "completed_at", "completed_by", "reason"),
    *("detail", "last_checked_at", "updated_at"),
)


@dataclass(frozen=True, slots=True)
class Move:
    code: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Checked:
    """``errors`` by code: "timeout" or "failed". They move nothing."""

    checked: int
    moves: Sequence[Move]
    errors: Mapping[str, str]
    duration_ms: int


def setup_lock() -> Setup:
    """The tenant's set-up, locked until the caller's transaction ends: one change of it at a time."""
    Setup.objects.bulk_create([Setup(id=1)], ignore_conflicts=True)
    return Setup.objects.select_for_update(of=("self",)).get(id=1)


def look_tomorrow() -> None:
    """See to it that the tasks are looked at tomorrow. A tenant in which nothing happens costs nothing."""
    enqueue_jobs(kind=LOOK, jobs=[Job(_THE_SETUP, due_at=timezone.now() + EVERY, queue=OutboxRow.Queue.BULK)])


@job_kind(LOOK)
def look(_: UUID) -> datetime | None:
    """Once a day for as long as the set-up goes on: what no fact in the journal tells is seen here."""
    if Setup.objects.filter(completed_at__isnull=False).exists():
        return None
    setup_check()
    return working_now() + EVERY


def setup_check(codes: Sequence[str] | None = None) -> Checked:
    """Check these tasks, by default all that can be checked, and move those about which the data say something else.

    What a person said stays: neither is a tick taken back nor something skipped done. In no transaction of the
    caller's, or in one that reads what is committed, as they all do.
    """
    began = time.monotonic()
    tasks = applicable_tasks(codes)
    # Before anything is locked: checks may take their time, and mostly nothing moves.
    results, errors = check_all(tasks)
    moves, more_errors = _apply(tasks, results)
    return Checked(
        checked=len(results),
        moves=moves,
        errors={**errors, **more_errors},
        duration_ms=round((time.monotonic() - began) * 1000),
    )


@transaction.atomic
def _apply(tasks: Sequence[SetupTask], results: Mapping[str, CheckResult]) -> tuple[list[Move], dict[str, str]]:
    setup = setup_lock()
    states = {row.code: row for row in TaskState.objects.all()}
    moves: list[Move] = []
    errors: dict[str, str] = {}
    rows: list[TaskState] = []
    now = timezone.now()
    for task in tasks:
        result = results.get(task.code)
        if result is None:
            continue
        state = states.get(task.code) or TaskState(code=task.code)
        before, after = state.status, _status(state, result)
        if after != before:
            # Somebody may have moved it while the checks ran; behind the lock the answer is of now.
            try:
                result = check(task)
            except CheckBroke as broke:
                errors[task.code] = broke.code
                continue
            after = _status(state, result)
        state.detail, state.last_checked_at = result.detail, now
        if after != before:
            _move(state, after, now)
            moves.append(Move(task.code, before, after))
        rows.append(state)
    TaskState.objects.bulk_create(rows, update_conflicts=True, unique_fields=["code"], update_fields=_KEPT)
    for move in moves:
        data = {"from": move.before, "to": move.after}
        record(catalog.TASK_ADVANCED, subject=("setup_task", move.code), data=data)
    if setup.completed_at is None:
        look_tomorrow()
    return moves, errors


def _status(state: TaskState, result: CheckResult) -> str:
    """What the task's status should be."""
    if state.status == Status.SKIPPED:
        return Status.SKIPPED
    if result.done:
        return Status.COMPLETED
    if state.source == Source.MANUAL:
        return state.status
    return Status.IN_PROGRESS if result.progress else Status.PENDING


def _move(state: TaskState, after: str, now: datetime) -> None:
    state.status, state.source, state.updated_at = after, Source.AUTO, now
    state.completed_at = now if after == Status.COMPLETED else None
    state.completed_by = None
    state.reason = ""
