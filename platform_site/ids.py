"""UUIDv7, made here because PostgreSQL before 18 has no function for it."""

import os
import threading
import time
from datetime import datetime
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A UUIDv7 (RFC 9562): sorts by time, and strictly upwards within one process.

    The 12 bits after the milliseconds hold the fraction of the millisecond
    (method 3 of section 6.2); two ids of one instant differ by one tick.
    """
    global _last
    nanoseconds = time.time_ns()
    tick = (nanoseconds // 1_000_000 << 12) | (nanoseconds % 1_000_000 * 4096 // 1_000_000)
    with _lock:
        if tick <= _last:
            tick = _last + 1
        _last = tick
    random_bits = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    value = (tick >> 12 & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << 62 | random_bits
    return UUID(int=value)


def uuid7_floor(moment: datetime) -> UUID:
    """What is less than every UUIDv7 made at this moment or later, and more than those made a millisecond before."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
