"""Counting rows of all tables, to show that something wrote nothing."""

from psycopg import sql

from tests.support import database_server


def row_counts() -> dict[str, int]:
    """Rows of each table of every schema, by ``schema.table``, as a connection of its own sees them."""
    from django.db import connection

    with database_server(connection.settings_dict["NAME"]) as other:
        tables = other.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        counts = {}
        for schema, table in tables:
            row = other.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
            counts[f"{schema}.{table}"] = row[0]
        return counts
