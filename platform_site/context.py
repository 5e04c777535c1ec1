"""Who asked, from where, under which request id: context that travels with the work.

The HTTP layer, a task and a command each open a context; the journal and the
logs read it. It holds ids only.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WorkContext:
    """``origin`` is the client's address, or the name of the command or task."""

    request_id: str = ""
    origin: str = ""
    user_agent: str = ""
    actor_id: UUID | None = None
    impersonator: str = ""


_NOBODY = WorkContext()
_current: ContextVar[WorkContext] = ContextVar("work_context", default=_NOBODY)


def current() -> WorkContext:
    return _current.get()


@contextmanager
def work_context(context: WorkContext) -> Iterator[WorkContext]:
    """Everything inside belongs to ``context``."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


@contextmanager
def acting_as(actor_id: UUID | None, impersonator: str = "") -> Iterator[WorkContext]:
    """The same work, now known to be done by this person."""
    with work_context(replace(_current.get(), actor_id=actor_id, impersonator=impersonator)) as context:
        yield context
