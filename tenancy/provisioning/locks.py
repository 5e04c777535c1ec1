"""The advisory locks of tenancy, in one place because no two may mean the same number.

- ``migrate_all`` holds ``RUN`` from start to end, so that two of them take turns, and
  ``DEPLOY`` exclusively while public and the template change.
- A sign-up holds one of four slots and ``DEPLOY`` shared, until its transaction ends.
- Whoever migrates or drops one tenant's schema holds that schema's own lock.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zlib import crc32

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable, QueryCanceled

from platform_site.errors import PlatformError
from tenancy.errors import TENANT_PROVISIONING

# An advisory lock is named by two numbers: what it is about, and which one.
_ABOUT_ALL = 7300
_ABOUT_SLOTS = 7301
_ABOUT_SCHEMAS = 7302
_RUN = 1
_DEPLOY = 2

# One sign-up holds about a dozen locks per table until it commits. Without slots, sixty at
# once exhaust the server's lock table; with four they are even done sooner.
SLOTS = 4
RETRY_SECONDS = 5
_ASK_AGAIN_SECONDS = 0.1


def enter_sign_up(schema_name: str) -> None:
    """Hold a sign-up's two locks until the transaction ends.

    Raises ``PlatformError(TENANT_PROVISIONING)`` while a deployment changes the schema. It does
    not wait for the deployment: the sign-up has written its tenant row already, and a migration
    that needs that table would wait for the sign-up in turn.
    """
    try:
        _ask("SELECT pg_advisory_xact_lock(%s, %s)", _ABOUT_SLOTS, _number(schema_name) % SLOTS)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled | LockNotAvailable):
            raise
        # More sign-ups at once than the slots can serve before the statement times out.
        raise PlatformError(TENANT_PROVISIONING, retry_after=RETRY_SECONDS) from error
    if not _ask("SELECT pg_try_advisory_xact_lock_shared(%s, %s)", _ABOUT_ALL, _DEPLOY):
        raise PlatformError(TENANT_PROVISIONING, retry_after=RETRY_SECONDS)


@contextmanager
def one_run_at_a_time(*, on_wait: Callable[[], None]) -> Iterator[None]:
    """Be the only ``migrate_all``. ``on_wait`` is called before waiting for another one."""
    with _held(_ABOUT_ALL, _RUN, on_wait):
        yield


def no_run_now() -> bool:
    """Keep ``migrate_all`` from starting until the transaction ends; False when one runs already."""
    return bool(_ask("SELECT pg_try_advisory_xact_lock(%s, %s)", _ABOUT_ALL, _RUN))


@contextmanager
def no_sign_ups() -> Iterator[None]:
    """Wait for the sign-ups that are in flight, and have new ones told to come back."""
    with _held(_ABOUT_ALL, _DEPLOY):
        yield


@contextmanager
def own_schema(schema_name: str) -> Iterator[None]:
    """Be the only one who changes this schema's tables.

    A worker whose ``migrate_all`` was killed finishes its tenant; the next run's worker waits here.
    """
    with _held(_ABOUT_SCHEMAS, _number(schema_name)):
        yield


def own_schema_in_transaction(schema_name: str) -> bool:
    """The same until the transaction ends, without waiting; False when somebody is at work there."""
    return bool(_ask("SELECT pg_try_advisory_xact_lock(%s, %s)", _ABOUT_SCHEMAS, _number(schema_name)))


@contextmanager
def _held(about: int, number: int, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a lock of the session. It is asked for again and again, so that no timeout ends the wait."""
    while not _ask("SELECT pg_try_advisory_lock(%s, %s)", about, number):
        if on_wait is not None:
            on_wait()
            on_wait = None
        time.sleep(_ASK_AGAIN_SECONDS)
    try:
        yield
    finally:
        # Without a connection there is nothing to give back: the server did that when it broke.
        if connection.connection is not None and connection.is_usable():
            _ask("SELECT pg_advisory_unlock(%s, %s)", about, number)


def _number(schema_name: str) -> int:
    """31 bits of the name: two names that share them wait for each other, no more."""
    return crc32(schema_name.encode()) & 0x7FFF_FFFF


def _ask(sql: str, about: int, number: int) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql, [about, number])
        return cursor.fetchone()[0]
