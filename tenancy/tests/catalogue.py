"""What PostgreSQL says about a schema, told without the schema's name; and a second connection to look with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from platform_site.binding import bind
from tenancy.provisioning.schemas import schema_ref

_LISTINGS = (
    """
    SELECT 'column', table_name, column_name,
           -- Its place among those that are there: a dropped column leaves a gap that nobody sees.
           (row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position))::text,
           data_type, udt_name, is_nullable, column_default,
           character_maximum_length::text, numeric_precision::text, collation_name, is_identity, identity_generation,
           identity_start, identity_increment, is_generated, generation_expression
    FROM information_schema.columns WHERE table_schema = %s
    """,
    "SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %s",
    """
    SELECT 'constraint', conrelid::regclass::text, conname, contype::text, condeferrable::text, condeferred::text,
           convalidated::text, confupdtype::text, confdeltype::text, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = %s::regnamespace
    """,
    """
    SELECT 'sequence', sequencename, data_type::text, start_value::text, min_value::text, max_value::text,
           increment_by::text, cycle::text, last_value::text, pg_get_serial_sequence(c.relname, a.attname)
    FROM pg_sequences s
    JOIN pg_depend d ON d.objid = format('%%I.%%I', schemaname, sequencename)::regclass AND d.deptype = 'i'
    JOIN pg_class c ON c.oid = d.refobjid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
    WHERE schemaname = %s
    """,
)


def catalogue(schema_name: str) -> list[tuple[str | None, ...]]:
    """Columns, indexes, constraints and sequences, one line each; equal for schemas that are equal."""
    lines: list[tuple[str | None, ...]] = []
    with bind(schema_ref(schema_name)), connection.cursor() as cursor:
        for listing in _LISTINGS:
            cursor.execute(listing, [schema_name])
            lines += cursor.fetchall()
    return sorted(
        (tuple(field and str(field).replace(f"{schema_name}.", "") for field in line) for line in lines), key=str
    )


def execute(schema_name: str, sql: str) -> list[tuple[Any, ...]]:
    """Run ``sql`` in a schema; gives the rows when there are any."""
    with bind(schema_ref(schema_name)), connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall()) if cursor.description else []


def make_schema(schema_name: str, sql: str = "") -> str:
    """A schema outside of all products: for what should not be there."""
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{schema_name}"')
    if sql:
        execute(schema_name, sql)
    return schema_name


def schema_exists(schema_name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname = %s", [schema_name])
        return bool(cursor.fetchone()[0])


@contextmanager
def somebody_else() -> Iterator["psycopg.Connection[Any]"]:
    """A connection of its own to the database of the test, as another process would have."""
    connection.ensure_connection()
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        yield other
