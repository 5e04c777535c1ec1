"""Signs of life of the worker and the scheduler, left in Valkey.

A sign is a key with a long life of its own. How old it is follows from how much of
that life is left, so Valkey's clock alone counts, whoever left the sign and whoever looks.
"""

import threading
import time
from enum import StrEnum
from typing import Final

from platform_site import valkey

# So long a sign stays: whoever has been away for longer is as good as never seen.
KEEP_SECONDS: Final = 86_400
# Work comes several times a second; one sign a second tells as much.
_PAUSE_SECONDS: Final = 1.0


class Part(StrEnum):
    """``worker`` has run a task; ``scheduler`` has sent one."""

    WORKER = "worker"
    SCHEDULER = "scheduler"


_lock = threading.Lock()
_left_at: dict[Part, float] = {}


def leave(part: Part) -> None:
    """Say that this part lives. Without Valkey nobody hears it, and no work comes either."""
    now = time.monotonic()
    with _lock:
        if now - _left_at.get(part, -_PAUSE_SECONDS) < _PAUSE_SECONDS:
            return
        _left_at[part] = now
    try:
        valkey.client().set(valkey.key("pulse", part), 1, ex=KEEP_SECONDS)
    except valkey.ValkeyAway:
        return


def age(part: Part) -> float | None:
    """Seconds since its last sign; None when there is none. Raises ``ValkeyAway``."""
    left: int = valkey.client().pttl(valkey.key("pulse", part))
    return None if left < 0 else KEEP_SECONDS - left / 1000
