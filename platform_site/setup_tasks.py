"""The catalogue of set-up tasks, which apps fill in their ``catalog.py``.

A task says what a new tenant should do, and how it is seen that it was done: from
the tenant's own data, by ``check``. What is kept about tasks, and who ticks them
off by hand, is for the set-up hub; the task's own app never calls it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from platform_site.catalog import Catalog
from platform_site.journal.keys import JournalKey
from platform_site.permissions import ROLE_RANKS

_CODE: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
LONGEST_CODE: Final = 80
LONGEST_DETAIL: Final = 200


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the data say. ``progress`` is 0 to 1, or None where there is nothing between not done and done."""

    done: bool
    detail: str = ""
    progress: float | None = None


def always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class SetupTask:
    """One thing to set up.

    ``check`` and ``applies`` run with the tenant bound, read only, and have two seconds; a task without ``check`` is
    ticked off by a person. A task that does not apply to a tenant is not there for it. ``required`` ones stand between
    a tenant and the end of its set-up and cannot be skipped. ``weight`` is the task's part in the percentage.
    ``depends_on`` names tasks that come first; one that is not installed or does not apply is no hindrance. Facts in
    ``advanced_by`` are a reason to check at once. ``action_path`` is a path in the product's frontend, "" for none.
    """

    code: str
    title: str
    description: str
    category: str
    # Among all tasks, in steps of ten, so that another one fits in between.
    order: int
    check: Callable[[], CheckResult] | None = None
    required: bool = True
    weight: int = 1
    # The lowest role that can do it; everybody else only sees how far it is.
    min_role: str = "tenant_admin"
    action_path: str = ""
    estimate_minutes: int = 5
    depends_on: tuple[str, ...] = ()
    applies: Callable[[], bool] = always
    advanced_by: tuple[JournalKey, ...] = ()

    @property
    def key(self) -> str:
        return self.code

    @property
    def app(self) -> str:
        """The part of the code before the dot."""
        return self.code.partition(".")[0]


setup_tasks: Catalog[SetupTask] = Catalog("set-up tasks")


def setup_task(task: SetupTask) -> SetupTask:
    """Declare a task. Raises ``ValueError`` for one that could not work."""
    wrongs = [
        (not _CODE.fullmatch(task.code) or len(task.code) > LONGEST_CODE, "its code is not app.task"),
        (task.weight < 1, "one without weight could be missing at 100 percent"),
        (task.min_role not in ROLE_RANKS, "there is no such role"),
        (task.code in task.depends_on, "it waits for itself"),
        (not task.check and bool(task.advanced_by), "nothing is checked when something happens"),
    ]
    for wrong, why in wrongs:
        if wrong:
            raise ValueError(f"{task.code!r} cannot be a set-up task: {why}.")
    return setup_tasks.add(task)
