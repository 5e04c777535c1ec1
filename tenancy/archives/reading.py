"""Reading a schema as one moment: its tables, its rows as JSON, what it needs, and sums by which to compare it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from django.db import connection, transaction
from psycopg import sql

PAGE: Final = 1000

_TABLES: Final = """
    SELECT c.relname,
           (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
           (SELECT array_agg(a.attname::text ORDER BY k.place) FROM pg_index i
            CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE i.indrelid = c.oid AND i.indisprimary)
    FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' ORDER BY c.relname
"""
# Whatever in the schema rests on something that an extension brought: index classes, types, functions.
_EXTENSIONS: Final = """
    WITH own AS (
        SELECT 'pg_class'::regclass AS classid, oid FROM pg_class WHERE relnamespace = %(schema)s::regnamespace
        UNION ALL
        SELECT 'pg_attrdef'::regclass, d.oid FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
        WHERE c.relnamespace = %(schema)s::regnamespace
        UNION ALL
        SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
    )
    SELECT DISTINCT e.extname::text, n.nspname::text
    FROM own
    JOIN pg_depend needs ON needs.classid = own.classid AND needs.objid = own.oid
    JOIN pg_depend brought ON brought.classid = needs.refclassid AND brought.objid = needs.refobjid
        AND brought.deptype = 'e' AND brought.refclassid = 'pg_extension'::regclass
    JOIN pg_extension e ON e.oid = brought.refobjid
    JOIN pg_namespace n ON n.oid = e.extnamespace
    ORDER BY 1
"""
# A sum of 64-bit hashes does not depend on the order of rows and costs no memory.
_SUM: Final = "SELECT count(*), coalesce(sum(hashtextextended(r::text, 0)::numeric), 0)::text FROM {table} r"
_SEQUENCES: Final = """
    SELECT c.relname::text, a.attname::text, s.seqrelid::regclass::text
    FROM pg_sequence s
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('i', 'a')
    JOIN pg_class c ON c.oid = d.refobjid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
    WHERE c.relnamespace = %s::regnamespace ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Table:
    """``columns`` without those that the database works out by itself."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


class Sum(msgspec.Struct, frozen=True):
    """How many rows a table has, and the sum of their hashes."""

    rows: int
    sum: str


@contextmanager
def one_moment() -> Iterator[str]:
    """Everything read inside is of one moment; gives the name by which other connections can read the same."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        no_timeouts(cursor)
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def no_timeouts(cursor: Any) -> None:
    """For the rest of this transaction: it may take long, and be idle while another program works."""
    cursor.execute(
        "SELECT set_config('statement_timeout', '0', true),"
        " set_config('idle_in_transaction_session_timeout', '0', true)"
    )


def tables_of(schema_name: str) -> list[Table]:
    return [Table(name, tuple(columns), tuple(key or ())) for name, columns, key in rows(_TABLES, [schema_name])]


def extensions_of(schema_name: str) -> dict[str, str]:
    """Extensions that the schema rests on, each with the schema that it is in."""
    return dict(rows(_EXTENSIONS, {"schema": schema_name}))


def migrations_of(schema_name: str) -> list[str]:
    """The schema's migrations by name, ``app.name``, sorted."""
    table = sql.Identifier(schema_name, "django_migrations")
    found = rows(sql.SQL("SELECT app || '.' || name FROM {}").format(table))
    return sorted(name for (name,) in found)


def sums_of(schema_name: str) -> dict[str, Sum]:
    """A sum for each table. Equal sums: equal rows."""
    return {table.name: sum_of(schema_name, table.name) for table in tables_of(schema_name)}


def sum_of(schema_name: str, table: str) -> Sum:
    [(count, total)] = rows(sql.SQL(_SUM).format(table=sql.Identifier(schema_name, table)))
    return Sum(count, total)


def sequences_of(schema_name: str) -> dict[str, int]:
    """The last number that each sequence gave, by ``table.column``; 0 for one that gave none."""
    last = sql.SQL("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}")
    return {
        f"{table}.{column}": rows(last.format(sql.SQL(sequence)))[0][0]
        for table, column, sequence in rows(_SEQUENCES, [schema_name])
    }


def json_rows(
    schema_name: str, table: Table, *, columns: Sequence[str] = (), where: tuple[str, object] | None = None
) -> Iterator[str]:
    """Rows as JSON objects, one text each, in the order of the primary key; a page at a time, so that any number fits.

    ``where`` is one column and its value.
    """
    chosen = sql.SQL(", ").join(sql.Identifier(name) for name in columns or table.columns)
    key = sql.SQL(", ").join(sql.Identifier(name) for name in table.key)
    source = sql.Identifier(schema_name, table.name)
    after: tuple[object, ...] = ()
    while True:
        conditions: list[sql.Composable] = [sql.SQL("true")]
        values: list[object] = []
        if where is not None:
            conditions.append(sql.SQL("{} = %s").format(sql.Identifier(where[0])))
            values.append(where[1])
        if after:
            places = sql.SQL(", ").join([sql.Placeholder()] * len(after))
            conditions.append(sql.SQL("({}) > ({})").format(key, places))
            values += after
        query = sql.SQL(
            "SELECT (SELECT row_to_json(chosen)::text FROM (SELECT {chosen}) AS chosen), {key} FROM {source}"
            " WHERE {conditions} ORDER BY {key} LIMIT {page}"
        ).format(
            chosen=chosen,
            key=key,
            source=source,
            conditions=sql.SQL(" AND ").join(conditions),
            page=sql.Literal(PAGE),
        )
        page = rows(query, values)
        for text, *_ in page:
            yield text
        if len(page) < PAGE:
            return
        after = tuple(page[-1][1:])


def rows(query: Any, values: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
