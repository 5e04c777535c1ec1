"""Counting rows of all tables, to show that something wrote nothing."""

import psycopg
from psycopg import sql


def row_counts() -> dict[str, int]:
    """Rows of each table of every schema, by ``schema.table``, as a connection of its own sees them."""
    from django.db import connection

    database = connection.settings_dict
    with psycopg.connect(
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"] or None,
        host=database["HOST"] or None,
        port=database["PORT"] or None,
    ) as other:
        tables = other.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        counts = {}
        for schema, table in tables:
            row = other.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
            counts[f"{schema}.{table}"] = row[0] if row else 0
        return counts
