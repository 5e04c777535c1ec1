"""What a tenant may still do by what was paid, as two moments from which it follows at any time.

Billing works the moments out whenever something changes and writes them on the
tenant. Nothing has to happen when a trial or a grace period ends: whoever asks
after that moment gets another answer.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Level = Literal["full", "read_only", "blocked"]


@dataclass(frozen=True, slots=True)
class PaidAccess:
    """``reason`` is the key of a 402 code: what the tenant is told once it is not full. None: never."""

    read_only_from: datetime | None = None
    blocked_from: datetime | None = None
    reason: str = ""

    def level(self, now: datetime) -> Level:
        """At the moment itself the earlier level is over."""
        if self.blocked_from is not None and now >= self.blocked_from:
            return "blocked"
        if self.read_only_from is not None and now >= self.read_only_from:
            return "read_only"
        return "full"


FULL = PaidAccess()
