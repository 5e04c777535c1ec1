"""The session cache: records in Valkey that can be believed, because SQL says when not to.

Every request reads one record. SQL is the truth; three rules keep the copy honest:

- A write calls ``forget_…`` *inside its transaction*. That puts a tombstone where
  the record was; while it stands, readers go to SQL and do not fill, so a reader
  that is slower than the commit cannot put the old state back.
- A write that cannot reach Valkey adds one to the epoch in SQL instead, in the same
  transaction. The epoch is part of every key, and each process looks at it again
  after at most a second, so all records are forgotten everywhere.
- The server's run id is part of every key as well. A Valkey that comes back with
  yesterday's data has another run id, and nothing in it is found.
"""

import threading
import time
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction

from platform_site import valkey
from platform_site.realtime.envelopes import Header
from platform_site.realtime.publishing import publish, topic

log = structlog.get_logger(__name__)

# A record is believed for a minute at most, whatever happens.
RECORD_SECONDS = 60
# A tombstone outlives every record filled before it, and every reader that began before it.
TOMBSTONE_SECONDS = RECORD_SECONDS + 30
EPOCH_SECONDS = 1.0
TOMBSTONE = b"x"


class _Epoch:
    """This process's knowledge of the epoch, at most a second old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value = 0
        self._known_until = 0.0

    def value(self) -> int:
        if time.monotonic() >= self._known_until:
            with self._lock:
                if time.monotonic() >= self._known_until:
                    self._value = _read_epoch()
                    self._known_until = time.monotonic() + EPOCH_SECONDS
        return self._value

    def expire(self) -> None:
        self._known_until = 0.0


_epoch = _Epoch()


def _read_epoch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(epoch), 0) FROM public.tenancy_cacheepoch")
        return int(cursor.fetchone()[0])


def _bump_epoch() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.tenancy_cacheepoch (id, epoch) VALUES (1, 1)"
            " ON CONFLICT (id) DO UPDATE SET epoch = tenancy_cacheepoch.epoch + 1"
        )
    _epoch.expire()


def _tenant_key(run_id: str, tenant_id: UUID) -> str:
    return valkey.key("session", run_id, _epoch.value(), tenant_id)


def _session_key(run_id: str, tenant_id: UUID, session_id: UUID) -> str:
    return f"{_tenant_key(run_id, tenant_id)}:{session_id}"


class Slot:
    """The place of one session's record: read it, and fill it when it was empty."""

    def __init__(self, tenant_id: UUID, session_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.session_id = session_id
        # Empty: do not fill. The cache is away, or a tombstone stands there.
        self._key = ""

    def read(self) -> bytes | None:
        """The record, or None when SQL has to be asked."""
        try:
            run_id = valkey.run_id()
            key = _session_key(run_id, self.tenant_id, self.session_id)
            fence, record = valkey.client().mget(_tenant_key(run_id, self.tenant_id), key)
            if valkey.run_id() != run_id:
                # The server was replaced between naming the key and reading it.
                return None
        except valkey.ValkeyAway as error:
            log.debug("session_cache.away", error=type(error).__name__)
            return None
        if fence is not None or record == TOMBSTONE:
            return None
        self._key = key
        return record if isinstance(record, bytes) else None

    def fill(self, record: bytes) -> None:
        """Put the record that was read from SQL where it was missing."""
        if not self._key:
            return
        try:
            valkey.client().set(self._key, record, ex=RECORD_SECONDS, nx=True)
        except valkey.ValkeyAway as error:
            # Nothing is lost: the next request asks SQL again.
            log.debug("session_cache.away", error=type(error).__name__)


def forget_sessions(tenant_id: UUID, session_ids: list[UUID]) -> None:
    """Make these sessions' next requests ask SQL. Call it inside the transaction that changes them.

    Open sockets look at their session again once it is committed.
    """
    _entomb(lambda run_id: [_session_key(run_id, tenant_id, session_id) for session_id in session_ids])
    if session_ids:
        _let_sockets_look(tenant_id, session_ids)


def forget_tenant(tenant_id: UUID) -> None:
    """The same for every session of a tenant."""
    _entomb(lambda run_id: [_tenant_key(run_id, tenant_id)])
    _let_sockets_look(tenant_id, [])


def _let_sockets_look(tenant_id: UUID, session_ids: list[UUID]) -> None:
    header = Header(kind="look", sessions=tuple(str(session_id) for session_id in session_ids))
    transaction.on_commit(lambda: publish(topic(tenant_id), [(header, b"")]))


def _entomb(keys_for: Any) -> None:
    try:
        run_id = valkey.run_id()
        keys = keys_for(run_id)
        pipeline = valkey.client().pipeline(transaction=False)
        for key in keys:
            pipeline.set(key, TOMBSTONE, ex=TOMBSTONE_SECONDS)
        pipeline.execute()
        if valkey.run_id() == run_id:
            return
        log.warning("session_cache.server_replaced")
    except valkey.ValkeyAway as error:
        log.warning("session_cache.epoch_bumped", error=type(error).__name__)
    _bump_epoch()
