"""The time of the local Stripe: real time moved forward, or a time that stands still."""

import time
from collections.abc import Callable

DAY = 86_400
HOUR = 3_600


class Clock:
    """Unix seconds. With `fixed` the time moves only when it is told to."""

    def __init__(self, *, fixed: int | None = None, offset: int = 0, source: Callable[[], float] = time.time) -> None:
        self.fixed = fixed
        self.offset = offset
        self._source = source
        # While what was due is made up for, it is the time at which each thing was due.
        self._pinned: int | None = None

    def now(self) -> int:
        return self._pinned if self._pinned is not None else self.target()

    def target(self) -> int:
        """The time that is reached once everything due has been done."""
        return self.fixed if self.fixed is not None else int(self._source()) + self.offset

    def move_to(self, moment: int) -> None:
        """Forward only."""
        if moment < self.target():
            raise ValueError("The clock moves forward only.")
        if self.fixed is not None:
            self.fixed = moment
        else:
            self.offset += moment - self.target()

    def pin(self, moment: int | None) -> None:
        self._pinned = moment
