"""Timeouts of requests do not fit migrations."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# A migration that waits for a lock makes every request on that table wait behind it, so it
# gives up soon; the next run takes it up again.
LOCK_TIMEOUT = "4s"


@contextmanager
def migration_timeouts() -> Iterator[None]:
    """Statements may take as long as they need, waiting for locks may not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        statement_timeout, lock_timeout = cursor.fetchone()
    _set("0", LOCK_TIMEOUT)
    try:
        yield
    finally:
        if connection.connection is not None and connection.is_usable():
            _set(statement_timeout, lock_timeout)


def _set(statement_timeout: str, lock_timeout: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)",
            [statement_timeout, lock_timeout],
        )
