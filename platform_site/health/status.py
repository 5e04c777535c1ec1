"""Three words, and how the whole follows from its parts."""

from collections.abc import Iterable
from enum import StrEnum


class Status(StrEnum):
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


def overall(parts: Iterable[tuple[bool, Status]]) -> Status:
    """Of (critical, status) pairs: down when a critical one is, degraded when anything is not up."""
    seen = list(parts)
    if (True, Status.DOWN) in seen:
        return Status.DOWN
    return Status.UP if all(status is Status.UP for _, status in seen) else Status.DEGRADED
