"""What operators wait for: a migration of all tenants, and one tenant that comes back from a backup."""

import json
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from psycopg import sql

from benchmarks.bench import Bench
from benchmarks.database import Database, Tenant, run
from benchmarks.row import Figure, Row, at_most

TENANTS = 200
ROWS = 200_000
# Ten minutes for five hundred tenants, and two minutes for one that comes back.
MIGRATION_BAR = at_most(1200, aim=600)
RESTORE_BAR = at_most(120, aim=30)

_EVENTS = """
    INSERT INTO events_event (id, canonical_id, app, category, action, occurred_at, metadata)
    SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
           (lpad(to_hex(n % 5000), 8, '0') || '-0000-7000-8000-000000000000')::uuid, 'sales', 'engagement',
           'email_opened', now() - n * interval '1 second', '{{"campaign": "spring"}}'
    FROM generate_series(1, {count}) AS n
"""
_NOTIFICATIONS = """
    INSERT INTO notifications_notification (id, user_id, event_key, title, body, action_url, data, in_inbox)
    SELECT (lpad(to_hex(1700000000000 + n * 997), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid, 1,
           'sales.lead_assigned', 'New lead: Acme ' || n, 'Jane Doe assigned it to you.', '/', '{{}}', true
    FROM generate_series(1, {count}) AS n
"""


class Migration(Row):
    name = "migrate_all"
    title = "migrate_all, a column, a table and an index, for each tenant"
    bar = MIGRATION_BAR

    def measure(self, bench: Bench) -> Iterator[Figure]:
        count = TENANTS // 4 if bench.quick else TENANTS
        with bench.database(tenants=count) as database:
            bare = _bare(database, database.tenants)
            began = time.perf_counter()
            done = json.loads(run(["manage.py", "migrate_all", "--json"], database.env("benchmarks.ahead.settings")))
            each = (time.perf_counter() - began) / count * 1000
            assert done["tenantsMigrated"] == count, done
            yield Figure(self.title, each, "ms", bar=self.bar)
            yield Figure(
                "The same", each, "ms", "the same statements in psycopg, one schema after another", bare, each / bare
            )
            began = time.perf_counter()
            run(["manage.py", "migrate_all", "--json"], database.env("benchmarks.ahead.settings"))
            yield Figure("migrate_all with nothing to do", time.perf_counter() - began, "s")


def _bare(database: Database, tenants: list[Tenant]) -> float:
    """Milliseconds for a tenant, and everything as it was before."""
    statements = import_module("benchmarks.ahead.journal.9001_a_column_and_a_table").STATEMENTS
    with database.connect() as connection:
        began = time.perf_counter()
        for tenant in tenants:
            connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(tenant.schema_name)))
            for statement in statements:
                connection.execute(statement)
        each = (time.perf_counter() - began) / len(tenants) * 1000
        for tenant in tenants:
            connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(tenant.schema_name)))
            connection.execute("DROP TABLE ahead_thing")
            connection.execute("ALTER TABLE journal_journalentry DROP COLUMN ahead")
    return each


class Restore(Row):
    name = "restore"
    title = f"tenant_restore, {2 * ROWS:,} rows, into a living database"
    bar = RESTORE_BAR

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=2) as database, tempfile.TemporaryDirectory(prefix="bench-restore-") as folder:
            tenant = database.tenants[0]
            with database.connect() as connection:
                connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(tenant.schema_name)))
                for statement in (_EVENTS, _NOTIFICATIONS):
                    connection.execute(sql.SQL(statement).format(count=sql.Literal(ROWS)))
            file = Path(folder) / "tenant.zip"
            env = database.env("benchmarks.filling_settings")
            began = time.perf_counter()
            run(["manage.py", "tenant_backup", "company-1", "--to", str(file)], env)
            backup = time.perf_counter() - began
            began = time.perf_counter()
            run(["manage.py", "tenant_restore", str(file), "--replace"], env)
            yield Figure(self.title, time.perf_counter() - began, "s", bar=self.bar)
            yield Figure("tenant_backup of it", backup, "s")
            yield Figure("The file", file.stat().st_size / 1024, "KiB")
