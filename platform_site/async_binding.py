"""The asynchronous twin of ``bind``: a bound psycopg connection for the realtime process, under the same guard.

Django's connections belong to threads; sockets of many tenants share one. Here a
small pool of connections belongs to the event loop. ``abind`` takes one, puts it
into the tenant's schema, sets the same context variable, and takes both back. No
other pool exists: ``make lint`` refuses one.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from platform_site.binding import PUBLIC, BindingError, TenantRef, bound, refuse_unbound
from platform_site.metrics.measures import QUERY_FAILURES, QUERY_SECONDS

# The database is away, or so busy that nobody should wait for it any longer.
DatabaseAway = (psycopg.OperationalError, PoolTimeout)
_WAIT_SECONDS = 5.0
# A connection that was of use this recently is believed to be there still.
_BELIEVED_SECONDS = 5.0


class _Connection(psycopg.AsyncConnection[DictRow]):
    """Knows the schema it is in; "" while that is uncertain."""

    schema = PUBLIC
    used_at = 0.0

    async def enter(self, schema: str) -> None:
        if self.schema == schema:
            return
        self.schema = ""
        path = sql.SQL(", ").join(map(sql.Identifier, dict.fromkeys([schema, PUBLIC])))
        await self.execute(sql.SQL("SET search_path TO {}").format(path))
        self.schema = schema


class Bound:
    """A connection for the length of one ``abind``."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    async def fetch(self, statement: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> list[DictRow]:
        """All rows, as mappings by column. Raises ``BindingError`` when the schema is not the bound one."""
        refuse_unbound(self._connection.schema)
        began = time.perf_counter()
        try:
            cursor = await self._connection.execute(statement, params or None)
            return await cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            QUERY_FAILURES.add(type(error).__name__)
            raise
        finally:
            QUERY_SECONDS.observe(time.perf_counter() - began)


async def _check(connection: _Connection) -> None:
    """A sweep that met a closed connection would report that the database is away; many at once need no asking."""
    if time.monotonic() - connection.used_at <= _BELIEVED_SECONDS:
        return
    try:
        await AsyncConnectionPool.check_connection(connection)
    except psycopg.Error:
        # The others are no better, and the pool pauses after each that it tries, longer than anybody here waits.
        await (await _pool()).drain()
        raise


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, "AsyncConnectionPool[_Connection]"] = WeakKeyDictionary()


async def _pool() -> "AsyncConnectionPool[_Connection]":
    """This event loop's pool, opened by the first who asks. Connections are made when they are needed."""
    loop = asyncio.get_running_loop()
    if loop not in _pools:
        database = settings.DATABASES["default"]
        pool = AsyncConnectionPool(
            kwargs={
                "dbname": database["NAME"],
                "user": database["USER"] or None,
                "password": database["PASSWORD"] or None,
                "host": database["HOST"] or None,
                "port": database["PORT"] or None,
                "autocommit": True,
                "row_factory": dict_row,
                # A prepared statement would be planned anew for each schema anyhow.
                "prepare_threshold": None,
                **database["OPTIONS"],
            },
            connection_class=_Connection,
            min_size=0,
            max_size=settings.REALTIME_DATABASE_CONNECTIONS,
            timeout=_WAIT_SECONDS,
            # Then the next who asks tries anew. With more patience the pauses grow as long as the outage.
            reconnect_timeout=1,
            max_idle=60,
            check=_check,
            open=False,
        )
        _pools[loop] = pool
        await pool.open()
    return _pools[loop]


async def close_pool() -> None:
    """Give back this event loop's connections."""
    pool = _pools.pop(asyncio.get_running_loop(), None)
    if pool is not None:
        await pool.close()


@asynccontextmanager
async def abind(tenant: TenantRef | None) -> AsyncIterator[Bound]:
    """Work inside ``tenant``'s schema until the block ends; None is public, where tenants themselves are.

    Nesting is refused, because a second connection would wait for the first.
    Raises ``DatabaseAway`` when there is no connection to be had.
    """
    with bound(tenant):
        pool = await _pool()
        async with pool.connection() as connection:
            if not isinstance(connection, _Connection):
                raise BindingError("The pool gave a connection that does not know its schema.")
            await connection.enter(tenant.schema_name if tenant else PUBLIC)
            yield Bound(connection)
            connection.used_at = time.monotonic()
