"""What a supervisor is told about each thing it runs."""

import collections
import enum
import re
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from platform_site.local.processes import Command

_WINDOW = 60.0

EVERYTHING = re.compile("")
WARNINGS = re.compile(r"\b(WARN(ING)?|ERROR|FATAL|PANIC|CRITICAL)\b", re.IGNORECASE)


class Kind(enum.Enum):
    LASTING = "lasting"  # runs until we stop it, and is started again when it ends by itself
    STEP = "step"  # runs once; the next stage waits for it and needs its success


@dataclass(frozen=True, kw_only=True)
class Part:
    name: str
    doing: str  # the line that is shown while it starts, such as "Starting PostgreSQL 18.6"
    command: Callable[[], Command]
    kind: Kind = Kind.LASTING
    # Before every start, in a thread.  Answers what is worth telling.
    prepare: Callable[[], Sequence[str]] = tuple
    is_ready: Callable[[int], bool] = lambda pid: True
    ready_within: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 10.0
    # A fixed pause before a restart; without one it grows from half a second.
    restart_after: float | None = None
    # Which of its lines the terminal shows; the log file has all.
    shows: re.Pattern[str] = WARNINGS


Stage = Sequence[Part]


@dataclass
class Restarts:
    """How often a part may come back: five times a minute, ever more slowly."""

    fixed_pause: float | None = None
    most: int = 5
    clock: Callable[[], float] = time.monotonic
    _times: collections.deque[float] = field(default_factory=collections.deque)

    def next_pause(self) -> float | None:
        """Seconds to wait before the next start, or None when it has failed too often."""
        now = self.clock()
        while self._times and now - self._times[0] > _WINDOW:
            self._times.popleft()
        if len(self._times) >= self.most:
            return None
        self._times.append(now)
        if self.fixed_pause is not None:
            return self.fixed_pause
        return 0.5 * 2.0 ** (len(self._times) - 1)
