"""The Valkey client of request-serving processes: short timeouts, no retries.

Valkey makes things faster and is allowed to be away. Callers catch
``ValkeyAway`` and fall back to SQL or to something stricter, never to nothing.
"""

import re
import time
from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

ValkeyAway = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.BusyLoadingError)

_RUN_ID = re.compile(rb"run_id:(\w+)")
# After it could not be reached it is left alone for so long. A request asks it several times, and nothing that it
# could answer is worth trying to connect each time.
_PAUSE_SECONDS: Final = 0.25


class _Pool(redis.ConnectionPool):
    """Gives connections that are connected; after one that could not be, none at all for a moment."""

    _away_until = 0.0

    def get_connection(self, *args: Any, **options: Any) -> Any:
        if time.monotonic() < self._away_until:
            raise redis.exceptions.ConnectionError("It could not be reached a moment ago.")
        try:
            return super().get_connection(*args, **options)
        except ValkeyAway:
            self._away_until = time.monotonic() + _PAUSE_SECONDS
            raise


_client: redis.Redis | None = None
_run_id = ""


def client() -> redis.Redis:
    """One client per process; its pool is safe to share between threads."""
    global _client
    if _client is None:
        pool = _Pool.from_url(
            settings.REDIS_URL,
            socket_timeout=0.5,
            socket_connect_timeout=0.3,
            max_connections=128,
            retry=Retry(NoBackoff(), 0),
            redis_connect_func=_connect,
        )
        _client = redis.Redis.from_pool(pool)
    return _client


def _connect(connection: Any) -> None:
    """Greet the server as redis-py does, and note which run of it this is."""
    global _run_id
    connection.on_connect()
    connection.send_command("INFO", "server")
    answer = connection.read_response()
    found = _RUN_ID.search(answer if isinstance(answer, bytes) else answer.encode())
    _run_id = found[1].decode() if found else ""


def run_id() -> str:
    """Which run of the server this process last connected to; a restarted server has another one."""
    if not _run_id:
        client().ping()
    return _run_id


def close() -> None:
    """Drop the client; for tests that move to another server, and for forked workers."""
    global _client, _run_id
    if _client is not None:
        _client.close()
    _client, _run_id = None, ""


def key(*parts: Any) -> str:
    """A key of ours: ``core:part:part``."""
    return ":".join([settings.REDIS_PREFIX, *(str(part) for part in parts)])
