"""A schema that is being built beside the living ones: nobody's until a tenant names it, and gone if none does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import structlog
from django.db import DatabaseError
from psycopg import sql

from platform_site.binding import connection
from tenancy.archives.container import ArchiveRefused
from tenancy.archives.reading import rows
from tenancy.provisioning.locks import own_schema
from tenancy.provisioning.rights import application_role, owner_may_step_down
from tenancy.provisioning.schemas import drop_schema, new_schema_name

log = structlog.get_logger(__name__)
_LIBPQ: Final = ("host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey")


def refuse_roles() -> None:
    """Raises unless the owner can do as the application does: rows are not written with the owner's rights."""
    if not owner_may_step_down():
        role = application_role()
        raise ArchiveRefused(f"The database's owner is no member of {role}. As a superuser: GRANT {role} TO the owner.")


@contextmanager
def new_schema() -> Iterator[str]:
    """A name for it, under the lock that keeps the reaper away. What was made is dropped when the block raises.

    A process that is killed leaves it without a tenant, and the reaper finds it.
    """
    name = new_schema_name()
    with own_schema(name):
        try:
            yield name
        except BaseException:
            drop_if_possible(name)
            raise


def drop_if_possible(schema_name: str) -> bool:
    """Drop it, or leave it to the reaper: when somebody still reads there, or the server is away."""
    try:
        drop_schema(schema_name)
    except DatabaseError as error:
        log.warning("tenancy.left_for_the_reaper", schema=schema_name, error=type(error).__name__)
        return False
    return True


@contextmanager
def connection_beside() -> Iterator["psycopg.Connection[Any]"]:
    """A second connection of the same role, without a search path and without timeouts; commits at the end."""
    known = connection.get_connection_params()
    wanted = {name: known[name] for name in _LIBPQ if known.get(name)}
    options = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c timezone=UTC"
    with psycopg.connect(**wanted, options=options) as beside:
        yield beside


def insert_json(
    schema_name: str, table: str, columns: list[str], objects: str, *, skip_conflicts: bool = False
) -> list[tuple[Any, ...]]:
    """Insert rows that are a JSON array of objects; other columns get their defaults. Gives a row for each inserted."""
    target = sql.Identifier(schema_name, table)
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    query = sql.SQL(
        "INSERT INTO {target} ({names}) OVERRIDING SYSTEM VALUE"
        " SELECT {names} FROM jsonb_populate_recordset(NULL::{target}, %s::jsonb) {conflicts} RETURNING 1"
    ).format(target=target, names=names, conflicts=sql.SQL("ON CONFLICT DO NOTHING" if skip_conflicts else ""))
    return rows(query, [objects])


def update_json(schema_name: str, table: str, columns: list[str], text: str, *, key: str) -> bool:
    """Make the row that has this object's ``key`` what the object says. False when there is no such row."""
    target = sql.Identifier(schema_name, table)
    query = sql.SQL(
        "UPDATE {target} AS now SET ({names}) = ROW ({values})"
        " FROM jsonb_populate_record(NULL::{target}, %s::jsonb) AS wanted WHERE now.{key} = wanted.{key} RETURNING 1"
    ).format(
        target=target,
        names=sql.SQL(", ").join(sql.Identifier(name) for name in columns),
        values=sql.SQL(", ").join(sql.Identifier("wanted", name) for name in columns),
        key=sql.Identifier(key),
    )
    return bool(rows(query, [text]))
