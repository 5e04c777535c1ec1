"""What time it is for work that the dispatcher runs: the time at which it was claimed, and on from there.

Everywhere else, and in a real dispatcher, that is the time of day; tests move it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta

from django.utils import timezone

_ahead: ContextVar[timedelta] = ContextVar("how far the dispatcher's clock is ahead", default=timedelta(0))


def working_now() -> datetime:
    return timezone.now() + _ahead.get()


@contextmanager
def clock_of(claimed_at: datetime) -> Iterator[None]:
    """Let it be ``claimed_at`` now, until the end of the block. The moments between claim and run do not count."""
    ahead = claimed_at - timezone.now()
    token = _ahead.set(ahead if abs(ahead) > timedelta(minutes=5) else timedelta(0))
    try:
        yield
    finally:
        _ahead.reset(token)
