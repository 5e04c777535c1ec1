"""The set-up as its readers see it."""

from typing import Any

from accounts.models import User
from platform_site.api.identity import Identity
from platform_site.moments import wire_time
from platform_site.setup_tasks import SetupTask
from setup_hub.catalog import SETUP_MANAGE
from setup_hub.models import TaskState
from setup_hub.progress import COMPLETED, IN_PROGRESS, NOT_STARTED, Progress, blocked_by, next_task
from setup_hub.selectors import Overview
from setup_hub.services.changing import Changed
from setup_hub.services.checking import Checked


def present_overview(seen: Overview, *, to: Identity) -> dict[str, Any]:
    setup, progress = seen.setup, seen.progress
    started = any(state.status != TaskState.Status.PENDING for state in seen.states.values())
    return {
        "status": COMPLETED if setup.completed_at else IN_PROGRESS if started else NOT_STARTED,
        "progress": present_progress(progress),
        "completedAt": wire_time(setup.completed_at) if setup.completed_at else None,
        "completedBy": _person(setup.completed_by),
        "canComplete": not progress.missing,
        # Whoever completed the set-up knew nothing of these.
        "newTasks": list(progress.missing) if setup.completed_at else [],
        "nextTask": next_task(seen.tasks, seen.states),
        "tasks": [present_task(task, seen, to=to) for task in seen.tasks],
    }


def present_changed(changed: Changed, *, to: Identity) -> dict[str, Any]:
    seen = changed.overview
    return {"task": present_task(changed.task, seen, to=to), "progress": present_progress(seen.progress)}


def present_checked(checked: Checked, seen: Overview) -> dict[str, Any]:
    return {
        "checked": checked.checked,
        "changed": [{"code": move.code, "from": move.before, "to": move.after} for move in checked.moves],
        "errors": [{"code": code, "error": error} for code, error in checked.errors.items()],
        "progress": present_progress(seen.progress),
        "durationMs": checked.duration_ms,
    }


def present_progress(progress: Progress) -> dict[str, int]:
    return {
        "percent": progress.percent,
        "completed": progress.completed,
        "skipped": progress.skipped,
        "total": progress.total,
        "requiredRemaining": len(progress.missing),
    }


def present_task(task: SetupTask, seen: Overview, *, to: Identity) -> dict[str, Any]:
    """Where it is done is told to those who can do it."""
    state = seen.states.get(task.code) or TaskState(code=task.code)
    return {
        "code": task.code,
        "app": task.app,
        "title": task.title,
        "description": task.description,
        "category": task.category,
        "order": task.order,
        "required": task.required,
        "weight": task.weight,
        "minRole": task.min_role,
        "estimateMinutes": task.estimate_minutes,
        "status": state.status,
        "source": state.source,
        "checkable": task.check is not None,
        "autoDetected": state.status == TaskState.Status.COMPLETED and state.source == TaskState.Source.AUTO,
        "dependsOn": list(task.depends_on),
        "blockedBy": blocked_by(task, seen.tasks, seen.states),
        "actionUrl": (task.action_path or None) if SETUP_MANAGE.key in to.permissions else None,
        "completedAt": wire_time(state.completed_at) if state.completed_at else None,
        "completedBy": _person(state.completed_by),
        "reason": state.reason or None,
        "lastCheckedAt": wire_time(state.last_checked_at) if state.last_checked_at else None,
        "detail": state.detail or None,
    }


def _person(user: User | None) -> dict[str, Any] | None:
    return {"id": str(user.uuid), "userId": user.id, "displayName": user.display_name} if user else None
