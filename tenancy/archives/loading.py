"""A dump of one schema, loaded under another name.

pg_restore prints the dump as SQL. Its structure names the schema, and nothing else in it looks like
``t_<16 hex digits>``, so there the name is replaced; rows come by COPY and are passed on as they are. Statements
are looked at one by one: whatever is no part of making one schema is refused, so a dump cannot reach another one.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tenancy.archives.container import ArchiveRefused
from tenancy.provisioning.schemas import TEMPLATE_SCHEMA, TENANT_SCHEMA

_END_OF_ROWS: Final = b"\\.\n"
_FLUSH: Final = 1 << 16
# A parameter that only newer servers know, and that says "off" here anyway.
_SKIPPED: Final = re.compile(r"SET transaction_timeout = ")
# Words of psql, against dumps that would run programs by it. Nothing here runs psql.
_PSQL: Final = re.compile(rb"\\(un)?restrict [A-Za-z0-9]+\n")
_NAME: Final = r'(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")'
_SETTINGS: Final = (
    "statement_timeout|lock_timeout|idle_in_transaction_session_timeout|client_encoding|standard_conforming_strings"
    "|check_function_bodies|xmloption|client_min_messages|row_security|default_tablespace|default_table_access_method"
)
_OTHERS: Final = re.compile(rf"\b(?:{TENANT_SCHEMA.pattern}|{TEMPLATE_SCHEMA.pattern})\b")


def _allowed(schema: str) -> re.Pattern[str]:
    inside = rf"{schema}\.{_NAME}"
    return re.compile(
        rf"SET (?:{_SETTINGS}) = [^;]*"
        r"|SELECT pg_catalog\.set_config\('search_path', '', false\)"
        rf"|SELECT pg_catalog\.setval\('{inside}', \d+, (?:true|false)\)"
        rf"|CREATE SCHEMA {schema}"
        rf"|CREATE TABLE {inside} \(.*\)"
        rf"|ALTER TABLE (?:ONLY )?{inside}\s.*"
        rf"|CREATE (?:UNIQUE )?INDEX {_NAME} ON {inside} .*",
        re.DOTALL,
    )


def load(connection: Any, lines: Iterable[bytes], *, written_as: str, schema_name: str) -> None:
    """Make ``schema_name`` from the SQL of a dump of ``written_as``, in the connection's open transaction.

    Raises ``ArchiveRefused`` for SQL that is not what pg_dump writes about one schema.
    """
    old, new = written_as.encode(), schema_name.encode()
    if not TENANT_SCHEMA.fullmatch(written_as) or not TENANT_SCHEMA.fullmatch(schema_name):
        raise ArchiveRefused("The dump is of no tenant's schema.")
    allowed = _allowed(schema_name)
    source = iter(lines)
    waiting: list[bytes] = []
    with connection.cursor() as cursor:
        for line in source:
            if not waiting and (line == b"\n" or line.startswith(b"--")):
                continue
            if not waiting and _PSQL.fullmatch(line):
                continue
            waiting.append(line)
            if not line.endswith(b";\n"):
                continue
            statement = b"".join(waiting).replace(old, new).decode().removesuffix(";\n")
            waiting.clear()
            if statement.startswith("COPY "):
                _copy(cursor, statement, schema_name, source)
            elif not _SKIPPED.match(statement):
                _judge(statement, allowed, schema_name)
                # The extended protocol takes one statement: a second one behind a semicolon is an error.
                cursor.execute(statement.encode(), binary=True)
    if waiting:
        raise ArchiveRefused("The dump ends within a statement.")


def _judge(statement: str, allowed: re.Pattern[str], schema_name: str) -> None:
    if not allowed.fullmatch(statement) or set(_OTHERS.findall(statement)) - {schema_name}:
        raise ArchiveRefused(f"The dump holds what does not belong there: {statement[:80]!r}.")


def _copy(cursor: Any, statement: str, schema_name: str, source: Iterator[bytes]) -> None:
    if not re.fullmatch(rf"COPY {schema_name}\.{_NAME} \([^;]*\) FROM stdin", statement):
        raise ArchiveRefused(f"The dump holds what does not belong there: {statement[:80]!r}.")
    with cursor.copy(statement) as copy:
        batch: list[bytes] = []
        size = 0
        for line in source:
            # A backslash of a row's own is written as two.
            if line == _END_OF_ROWS:
                copy.write(b"".join(batch))
                return
            batch.append(line)
            size += len(line)
            if size >= _FLUSH:
                copy.write(b"".join(batch))
                batch, size = [], 0
        raise ArchiveRefused("The dump ends within a table's rows.")
