"""UUIDv7, made here because PostgreSQL before 18 has no function for it."""

import os
import threading
import time
from datetime import datetime
from typing import Final
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A UUIDv7 (RFC 9562): sorts by time, and strictly upwards within one process.

    The 12 bits after the milliseconds hold the fraction of the millisecond
    (method 3 of section 6.2); two ids of one instant differ by one tick.
    """
    random_bits = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    tick = _ticks(1)
    value = (tick >> 12 & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << 62 | random_bits
    return UUID(int=value)


def uuid7_texts(count: int) -> list[str]:
    """As many of them, upwards, as texts. One look at the clock and one at the randomness are enough for all.

    They are as random as single ones, and stand a tick from each other: five hundred reach an eighth of a
    millisecond ahead.
    """
    noise = os.urandom(8 * count).hex()
    first = _ticks(count)
    texts: list[str] = []
    for millisecond in range(first >> 12, (first + count - 1 >> 12) + 1):
        moment = f"{millisecond & 0xFFFF_FFFF_FFFF:012x}"
        begin = f"{moment[:8]}-{moment[8:]}-7"
        ticks = range(max(first, millisecond << 12), min(first + count, millisecond + 1 << 12))
        start = 16 * len(texts)
        texts += [
            f"{begin}{tick & 0xFFF:03x}-{_VARIANT[noise[at]]}{noise[at + 1 : at + 4]}-{noise[at + 4 : at + 16]}"
            for tick, at in zip(ticks, range(start, start + 16 * len(ticks), 16), strict=True)
        ]
    return texts


# The first two bits of the digit are the variant, 10; the other two are random.
_VARIANT: Final = {f"{digit:x}": f"{0b1000 | digit & 0b11:x}" for digit in range(16)}


def _ticks(count: int) -> int:
    """The first of so many ticks that nobody else has in this process."""
    global _last
    nanoseconds = time.time_ns()
    tick = (nanoseconds // 1_000_000 << 12) | (nanoseconds % 1_000_000 * 4096 // 1_000_000)
    with _lock:
        if tick <= _last:
            tick = _last + 1
        _last = tick + count - 1
    return tick


def uuid7_floor(moment: datetime) -> UUID:
    """What is less than every UUIDv7 made at this moment or later, and more than those made a millisecond before."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
