"""The Valkey client of request-serving processes: short timeouts, no retries.

Valkey makes things faster and is allowed to be away. Callers catch
``ValkeyAway`` and fall back to SQL or to something stricter, never to nothing.
"""

from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

ValkeyAway = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.BusyLoadingError)

_client: "redis.Redis[bytes] | None" = None


def client() -> "redis.Redis[bytes]":
    """One client per process; its pool is safe to share between threads."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=0.5,
            socket_connect_timeout=0.3,
            max_connections=128,
            retry=Retry(NoBackoff(), 0),
        )
    return _client


def key(*parts: Any) -> str:
    """A key of ours: ``core:part:part``."""
    return ":".join([settings.REDIS_PREFIX, *(str(part) for part in parts)])
