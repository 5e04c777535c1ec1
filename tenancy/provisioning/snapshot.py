"""The template's schema as text: read from PostgreSQL's catalogue, without any schema's name in it.

The text is a script for an empty schema that is first on the search path: tables with their
constraints, the rows that migrations put there (``django_migrations`` among them), indexes,
foreign keys, and a last statement that fails unless everything landed in that one schema.
PostgreSQL's own functions print types, expressions, constraints and indexes; they leave out
the name of a schema that is on the search path, which is why the template must be bound.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from platform_site.binding import require_tenant
from tenancy.provisioning.refusals import refusals


class SnapshotRefused(Exception):
    """The template holds what the snapshot does not know to copy."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("The template cannot be copied:\n" + "\n".join(f"  {reason}" for reason in reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    collation: str
    required: bool
    required_name: str
    default: str
    # As in pg_attribute: 'a' always, 'd' by default; 's' stored, 'v' virtual.
    identity: str
    sequence: str
    sequence_last: int | None
    generated: str

    def ddl(self) -> str:
        words = [_quoted(self.name), self.type]
        if self.collation:
            words.append(f"COLLATE {_quoted(self.collation)}")
        if self.generated:
            words.append(f"GENERATED ALWAYS AS ({self.default})" + (" STORED" if self.generated == "s" else ""))
        elif self.default:
            words.append(f"DEFAULT {self.default}")
        if self.identity:
            kind = "ALWAYS" if self.identity == "a" else "BY DEFAULT"
            words.append(f"GENERATED {kind} AS IDENTITY (SEQUENCE NAME {_quoted(self.sequence)})")
        if self.required:
            # From PostgreSQL 18 on the constraint has a name, which a later migration may need.
            named = f"CONSTRAINT {_quoted(self.required_name)} " if self.required_name else ""
            words.append(f"{named}NOT NULL")
        return " ".join(words)


@dataclass(slots=True)
class Table:
    oid: int
    name: str
    columns: list[Column] = field(default_factory=list)
    # (name, definition); foreign keys apart, because they need all tables.
    constraints: list[tuple[str, str]] = field(default_factory=list)
    foreign_keys: list[tuple[str, str]] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)


_COLUMNS = """
    SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation <> t.typcollation THEN l.collname ELSE '' END,
           a.attnotnull, coalesce(n.conname, ''), coalesce(pg_get_expr(d.adbin, d.adrelid, true), ''),
           a.attidentity, coalesce(s.relname, ''), pg_sequence_last_value(s.oid), a.attgenerated
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_constraint n ON n.conrelid = a.attrelid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum]
    LEFT JOIN pg_depend p ON p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid
        AND p.refobjsubid = a.attnum AND p.classid = 'pg_class'::regclass AND p.deptype = 'i'
    LEFT JOIN pg_class s ON s.oid = p.objid AND s.relkind = 'S'
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
    ORDER BY a.attrelid, a.attnum
"""
_CONSTRAINTS = """
    SELECT k.conrelid, k.contype = 'f', k.conname, pg_get_constraintdef(k.oid, true)
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND k.contype IN ('p', 'u', 'x', 'c', 'f')
    ORDER BY k.contype = 'p' DESC, k.conname
"""
# The pretty form (true) is the one that leaves the schema's name out.
_INDEXES = """
    SELECT i.indrelid, pg_get_indexdef(i.indexrelid, 0, true)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_class x ON x.oid = i.indexrelid
    WHERE c.relnamespace = current_schema()::regnamespace
      AND NOT EXISTS (
          SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
      )
    ORDER BY x.relname
"""
# A foreign key whose table is missing here would bind to a table of that name in public,
# without a word. The script fails instead.
_LAST = """
    DO $check$
    DECLARE tables regclass[] := ARRAY[{tables}]::regclass[];
    BEGIN
        IF EXISTS (
            SELECT FROM pg_class WHERE oid = ANY (tables) AND relnamespace <> current_schema()::regnamespace
        ) OR EXISTS (
            SELECT FROM pg_constraint k JOIN pg_class other ON other.oid = k.confrelid
            WHERE k.conrelid = ANY (tables) AND k.contype = 'f'
              AND other.relnamespace <> current_schema()::regnamespace
        ) THEN
            RAISE EXCEPTION 'a table or a foreign key lies outside the new schema';
        END IF;
    END $check$"""


def read_ddl() -> str:
    """The bound schema as a script that makes another one like it.

    Raises ``SnapshotRefused`` when there is anything that it would lose.
    """
    template = require_tenant().schema_name
    if reasons := refusals():
        raise SnapshotRefused(reasons)
    tables = _read_tables()
    script = ";\n".join(_statements(tables)) + ";\n"
    if template in script:
        raise SnapshotRefused([f"the text names the template's own schema {template}."])
    return script


def _read_tables() -> list[Table]:
    tables = {
        oid: Table(oid, name)
        for oid, name in _rows(
            "SELECT oid, relname FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY relname"
        )
    }
    for oid, *column in _rows(_COLUMNS):
        tables[oid].columns.append(Column(*column))
    for oid, foreign, name, definition in _rows(_CONSTRAINTS):
        table = tables[oid]
        (table.foreign_keys if foreign else table.constraints).append((name, definition))
    for oid, definition in _rows(_INDEXES):
        tables[oid].indexes.append(definition)
    return list(tables.values())


def _statements(tables: list[Table]) -> Iterator[str]:
    for table in tables:
        yield _create_table(table)
    for table in tables:
        yield from _seeds(table)
    for table in tables:
        yield from table.indexes
    for table in tables:
        if table.foreign_keys:
            added = ", ".join(f"ADD {_constraint(*key)}" for key in table.foreign_keys)
            yield f"ALTER TABLE {_quoted(table.name)} {added}"
    yield _LAST.format(tables=", ".join(_literal(_quoted(table.name)) for table in tables))


def _create_table(table: Table) -> str:
    parts = [column.ddl() for column in table.columns]
    parts += [_constraint(*constraint) for constraint in table.constraints]
    return f"CREATE TABLE {_quoted(table.name)} ({', '.join(parts)})"


def _seeds(table: Table) -> Iterator[str]:
    """The table's rows, each value as the text that its type prints and reads again."""
    columns = [column for column in table.columns if not column.generated]
    if not columns:
        return
    values = ", ".join(f"quote_nullable({_quoted(column.name)}::text)" for column in columns)
    rows = _rows(f"SELECT concat_ws(', ', {values}) FROM {_quoted(table.name)} ORDER BY ctid")
    if not rows:
        return
    names = ", ".join(_quoted(column.name) for column in columns)
    yield (
        f"INSERT INTO {_quoted(table.name)} ({names}) OVERRIDING SYSTEM VALUE VALUES\n"
        + ",\n".join(f"({row})" for (row,) in rows)
    )
    for column in columns:
        if column.sequence_last is not None:
            yield f"SELECT setval({_literal(_quoted(column.sequence))}, {column.sequence_last})"


def _constraint(name: str, definition: str) -> str:
    return f"CONSTRAINT {_quoted(name)} {definition}"


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
