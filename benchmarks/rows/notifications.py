"""Somebody's inbox and its count: a tenant with many notifications against one with few."""

from collections.abc import Iterator

from psycopg import sql

from benchmarks.bench import Bench
from benchmarks.database import Database, Tenant
from benchmarks.load import get, load
from benchmarks.processes import Web, granian
from benchmarks.row import Arm, Figure, Pairs, Row, at_most, interleaved

FEW, MANY = 1_000, 1_000_000
# The same in both tenants: how many people there are, and what the one who asks was told.
PEOPLE, OWN, UNREAD = 500, 200, 20
SECONDS = 0.8
COUNTERPART = f"at {FEW:,}"
BAR = at_most(1.5, aim=1.2)

_PEOPLE = """
    INSERT INTO accounts_user (uuid, email, email_key, first_name, last_name, role, profile_id, status, password,
                               avatar_url, timezone, locale, updated_at)
    SELECT gen_random_uuid(), n || '@company.example', n || '@company.example', 'Person', n::text, 'user', 3, 'active',
           '', '', '', '', now()
    FROM generate_series(1, {people}) AS n
"""
# Ids begin with a time, as those that the platform makes do; the one who asks has number 1.
_TOLD = """
    INSERT INTO notifications_notification (id, user_id, event_key, title, body, action_url, data, in_inbox, read_at)
    SELECT (lpad(to_hex(1700000000000 + n * 997), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
           CASE WHEN n % ({count} / {own}) = 0 THEN 1
                ELSE (SELECT min(id) FROM accounts_user WHERE id > 1) + n % {people} END,
           'sales.lead_assigned', 'New lead: Acme ' || n, 'Jane Doe assigned Acme to you.', '/sales/leads/42',
           '{{"leadId": 42}}', true, CASE WHEN n % ({count} / {unread}) = 0 THEN NULL ELSE now() END
    FROM generate_series(1, {count}) AS n
"""


class Inbox(Row):
    name = "inbox"
    title = f"GET /notifications at {MANY:,}"
    counterpart = COUNTERPART
    bar = BAR

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=2) as database:
            few, many = database.tenants
            _fill(database, few, FEW)
            _fill(database, many, MANY)
            with granian(database.env(), workers=1) as web:
                for what, path in (
                    (self.title, "notifications?limit=20"),
                    ("The same, unread=true", "notifications?limit=20&unread=true"),
                    ("GET /notifications/unread-count", "notifications/unread-count"),
                ):
                    arms = _arm(web, many, path), _arm(web, few, path)
                    yield Pairs(*interleaved(bench.rounds(9), *arms)).figure(what, "ms", COUNTERPART, BAR)


def _arm(web: Web, tenant: Tenant, path: str) -> Arm:
    """Milliseconds for one request, one client after another."""
    requests = [get(f"/api/v1/{path}", tenant.token)]

    def once() -> float:
        return load(port=web.port, requests=requests, connections=1, seconds=SECONDS).p50_ms

    once()
    return once


def _fill(database: Database, tenant: Tenant, count: int) -> None:
    values = {"people": PEOPLE, "own": OWN, "unread": UNREAD, "count": count}
    with database.connect() as connection:
        # The throw-away server does not wait for its log, and VACUUM takes no page for visible before that is written.
        connection.execute("SET synchronous_commit = on")
        connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(tenant.schema_name)))
        for statement in (_PEOPLE, _TOLD):
            filled = sql.SQL(statement).format(**{name: sql.Literal(value) for name, value in values.items()})
            connection.execute(filled)
        connection.execute("VACUUM (ANALYZE) notifications_notification")
