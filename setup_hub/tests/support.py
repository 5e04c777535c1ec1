"""What tests of the set-up share: a catalogue of their own, and reading."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from platform_site.binding import bind
from platform_site.setup_tasks import CheckResult, SetupTask, setup_tasks
from setup_hub.models import TaskState
from tests.support import Api, data

Facts = dict[str, Any]


def task(code: str, **more: Any) -> SetupTask:
    """One of the test's own; required, and without a check unless ``more`` says otherwise."""
    words = {"title": code, "description": code, "category": "test", "order": 10}
    return SetupTask(**{**words, "code": code, **more})


def install(monkeypatch: pytest.MonkeyPatch, *tasks: SetupTask) -> None:
    """Let the catalogue hold these and no others."""
    monkeypatch.setattr(setup_tasks, "_entries", {one.code: one for one in tasks})


def says(facts: Facts, code: str) -> Callable[[], CheckResult]:
    """A check that reads ``facts``: true, false, a number as progress, or an exception that it raises."""

    def check() -> CheckResult:
        fact = facts.get(code, False)
        if isinstance(fact, Exception):
            raise fact
        return CheckResult(fact is True, f"it is {fact}", None if isinstance(fact, bool) else fact)

    return check


def seen(person: Api) -> Any:
    return data(person.get("/setup-hub"))


def task_of(person: Api, code: str) -> Any:
    return next(one for one in seen(person)["tasks"] if one["code"] == code)


def statuses(person: Api) -> dict[str, str]:
    return {one["code"]: one["status"] for one in seen(person)["tasks"]}


def say(person: Api, code: str, status: str, **more: Any) -> Any:
    """The answer to changing a task."""
    return person.call("PATCH", f"/setup-hub/tasks/{code}", {"status": status, **more})


def look(person: Api) -> Any:
    return data(person.post("/setup-hub/auto-check"))


def stored(tenant: Any, codes: Sequence[str] = ()) -> dict[str, TaskState]:
    with bind(tenant.ref):
        return {row.code: row for row in TaskState.objects.all() if not codes or row.code in codes}
