"""Rate limits: exact in any window, in one atomic script in Valkey.

A limit is a sliding log: the script drops what is older than the window, counts
and adds in one step, with the server's clock. While Valkey is away each process
counts for itself, with a quarter of the allowance, and never stops counting.
"""

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import structlog
from django.conf import settings
from django.http import HttpResponseBase

from platform_site import valkey
from platform_site.errors import RATE_LIMITED, ErrorCode, PlatformError
from platform_site.keys import fingerprint
from platform_site.metrics.measures import LIMITS_REACHED

log = structlog.get_logger(__name__)

# Gives {allowed, used, microseconds until the oldest entry leaves}.
_SCRIPT = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local window = tonumber(ARGV[2]) * 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - window)
local used = redis.call('ZCARD', KEYS[1])
local allowed = 0
if used < tonumber(ARGV[1]) then
    redis.call('ZADD', KEYS[1], now, ARGV[3])
    redis.call('EXPIRE', KEYS[1], ARGV[2])
    used = used + 1
    allowed = 1
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local wait = window
if oldest[2] then wait = oldest[2] + window - now end
return {allowed, used, wait}
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left of a limit after one use. ``reset`` is in seconds."""

    name: str
    limit: int
    window: int
    used: int
    reset: int

    def add_headers(self, response: HttpResponseBase) -> None:
        """``RateLimit-Policy`` and ``RateLimit`` as draft-ietf-httpapi-ratelimit-headers-11 has them."""
        response["RateLimit-Policy"] = f'"{self.name}";q={self.limit};w={self.window}'
        response["RateLimit"] = f'"{self.name}";r={max(0, self.limit - self.used)};t={self.reset}'


class _LocalLog:
    """The fallback: one sliding log per key in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: dict[str, deque[float]] = defaultdict(deque)

    def use(self, key: str, limit: int, window: int) -> tuple[bool, int, float]:
        now = time.monotonic()
        with self._lock:
            if len(self._uses) > 50_000:
                # Under a flood of keys the oldest half goes; the flood itself stays limited by its origin.
                for old in list(self._uses)[:25_000]:
                    del self._uses[old]
            uses = self._uses[key]
            while uses and uses[0] <= now - window:
                uses.popleft()
            allowed = len(uses) < limit
            if allowed:
                uses.append(now)
            return allowed, len(uses), uses[0] + window - now if uses else window

    def forget(self, key: str) -> None:
        with self._lock:
            self._uses.pop(key, None)


_local = _LocalLog()


def _key(name: str, subject: str) -> str:
    # Subjects are addresses of people and machines; the store needs to know only that they are equal.
    return valkey.key("limit", name, fingerprint(subject).hex()[:32])


def spend(name: str, subject: str, *, code: ErrorCode = RATE_LIMITED) -> Spent:
    """Count one use of ``settings.RATE_LIMITS[name]`` by ``subject``; raises ``code`` when none is left."""
    limit, window = settings.RATE_LIMITS[name]
    if not settings.RATE_LIMITS_ENABLED:
        return Spent(name, limit, window, 0, window)
    key = _key(name, subject)
    try:
        allowed, used, wait = _use_shared(key, limit, window)
    except valkey.ValkeyAway as error:
        log.warning("limits.local", limit=name, error=type(error).__name__)
        allowed, used, wait = _local.use(key, max(1, limit // 4), window)
    spent = Spent(name, limit, window, used, max(1, round(wait)))
    if not allowed:
        LIMITS_REACHED.add(name)
        raise PlatformError(code, retry_after=spent.reset, headers=_headers(spent))
    return spent


def _use_shared(key: str, limit: int, window: int) -> tuple[bool, int, float]:
    script = valkey.client().register_script(_SCRIPT)
    result: Any = script(keys=[key], args=[limit, window, uuid4().hex])
    allowed, used, wait = result
    return bool(allowed), int(used), int(wait) / 1_000_000


def _headers(spent: Spent) -> dict[str, str]:
    return {
        "RateLimit-Policy": f'"{spent.name}";q={spent.limit};w={spent.window}',
        "RateLimit": f'"{spent.name}";r=0;t={spent.reset}',
    }


def forget(name: str, subject: str) -> None:
    """Give the whole allowance back, as a right password does."""
    key = _key(name, subject)
    _local.forget(key)
    try:
        valkey.client().delete(key)
    except valkey.ValkeyAway as error:
        log.warning("limits.local", limit=name, error=type(error).__name__)
