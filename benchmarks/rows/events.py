"""Taking in events, and reading those of one record where there are many."""

import json
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.bench import Bench
from benchmarks.database import Database, Tenant
from benchmarks.load import get, load, post
from benchmarks.processes import Web, granian
from benchmarks.psql import Psql
from benchmarks.row import Arm, Figure, Pairs, Row, at_least, at_most, interleaved

RECORDS, BATCH, BATCHES, CLIENTS = 10_000, 500, 100, 4
FEW, MANY, OF_ONE = 5_000, 5_000_000, 200_000
SECONDS = 0.8
_numbers = count(1)

_ENTITIES = """
    INSERT INTO registry_entity (id, entity_class, status, name, email, attributes, provenance, pins, name_key,
                                 search_text)
    SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
           'person', 'active', 'Person ' || n, '', '{{}}', '{{}}', '{{}}', 'person ' || n, 'person ' || n
    FROM generate_series(0, {records} - 1) AS n
"""
_COPIED = "CREATE TABLE copied (LIKE events_event INCLUDING ALL)"
_COLUMNS = "id, canonical_id, app, category, action, occurred_at, message_id, metadata"
# Record 0 has many of them; the others share the rest, and all of them within a year.
_EVENTS = """
    INSERT INTO events_event (id, canonical_id, app, category, action, occurred_at, message_id, metadata)
    SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '7001' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
           (lpad(to_hex(1700000000000 + one), 12, '0') || '7000' || '8000' || lpad(to_hex(one), 12, '0'))::uuid,
           (ARRAY['sales', 'support', 'web', 'billing'])[1 + n % 4],
           (ARRAY['engagement', 'visit', 'money'])[1 + n % 3], 'action_' || n % 12,
           now() - (n::bigint * 7919 % 31536000) * interval '1 second', NULL, '{{"campaign": "autumn"}}'
    FROM (
        SELECT n, CASE WHEN n < {of_one} THEN 0 ELSE 1 + n % ({records} - 1) END AS one
        FROM generate_series(0, {events} - 1) AS n
    ) AS numbered
"""
_STATS = """
    INSERT INTO events_eventstat
    SELECT canonical_id, count(*), min(occurred_at), max(occurred_at) FROM events_event GROUP BY 1
"""


def record_id(number: int) -> str:
    text = f"{1700000000000 + number:012x}70008000{number:012x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Ingest(Row):
    name = "ingest"
    title = f"Events in batches of {BATCH} over HTTP"
    counterpart = "psql \\copy into a table with the same indexes"
    bar = at_least(0.35, aim=0.5)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=1) as database, tempfile.TemporaryDirectory() as folder:
            (tenant,) = database.tenants
            with database.connect() as connection:
                _path(connection, tenant)
                _run(connection, _ENTITIES, records=RECORDS)
                connection.execute(_COPIED)
            with granian(database.env(), workers=2) as web, Psql(database.owner_url) as psql:
                psql.run(f"SET search_path = {tenant.schema_name}, public;\n")
                arms = _over_http(web, tenant), _by_copy(psql, Path(folder) / "rows")
                for arm in arms:
                    arm()
                yield self.against(Pairs(*interleaved(bench.rounds(5), *arms)), "/s")
                one = [post("/api/v1/platform-events", _event(0, repeated=True), tenant.token)]
                load(port=web.port, requests=one, connections=CLIENTS, seconds=1)
                single = load(port=web.port, requests=one, connections=CLIENTS, seconds=SECONDS * 5)
                yield Figure("Events one by one over HTTP", single.per_second, "/s")


def _event(number: int, *, repeated: bool = False) -> dict[str, object]:
    event: dict[str, object] = {
        "canonicalId": record_id(number * 7919 % RECORDS),
        "app": "sales",
        "category": "engagement",
        "action": "email_opened",
        "occurredAt": f"2026-11-{1 + number % 27:02}T{number % 24:02}:00:00.000Z",
        "metadata": {"campaign": "autumn", "subject": f"An offer for number {number}", "opens": number % 7},
    }
    return event if repeated else {**event, "messageId": f"m-{next(_numbers)}"}


def _over_http(web: Web, tenant: Tenant) -> Arm:
    """Events a second, from several clients at once."""

    def once() -> float:
        batches = [{"events": [_event(batch * BATCH + n) for n in range(BATCH)]} for batch in range(BATCHES)]
        requests = [post("/api/v1/platform-events/batch", batch, tenant.token) for batch in batches]
        done = load(port=web.port, requests=requests, connections=CLIENTS, count=BATCHES)
        return BATCH * BATCHES / done.seconds

    return once


def _by_copy(psql: Psql, path: Path) -> Arm:
    """Rows a second of the same events, ready in a file."""

    def once() -> float:
        with path.open("w") as file:
            for n in range(BATCH * BATCHES):
                event = _event(n)
                moment = time.time_ns() // 1_000_000
                made = f"{moment:012x}7{next(_numbers) & 0xFFF:03x}8000{next(_numbers):012x}"
                words = [
                    event[name] for name in ("canonicalId", "app", "category", "action", "occurredAt", "messageId")
                ]
                file.write("\t".join([made, *map(str, words), json.dumps(event["metadata"])]) + "\n")
        return BATCH * BATCHES / psql.run(f"\\copy copied ({_COLUMNS}) FROM '{path}'\n")

    return once


class EventPages(Row):
    name = "event_pages"
    title = f"GET /platform-events/:id at {MANY:,} events"
    counterpart = f"at {FEW:,}"
    bar = at_most(1.5, aim=1.2)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        # A quick run fills fewer, and says so.
        many = MANY // 10 if bench.quick else MANY
        with bench.database(tenants=2) as database:
            few_tenant, many_tenant = database.tenants
            _fill(database, few_tenant, FEW, FEW // 25)
            _fill(database, many_tenant, many, OF_ONE * many // MANY)
            with granian(database.env(), workers=1) as web:
                for what, path in (
                    (f"GET /platform-events/:id at {many:,} events", ""),
                    ("The same, from the middle by cursor", "cursor"),
                ):
                    arms = [_page(web, tenant, path) for tenant in (many_tenant, few_tenant)]
                    pairs = Pairs(*interleaved(bench.rounds(9), *arms))
                    yield pairs.figure(what, "ms", self.counterpart, self.bar)
                for what, path in (("activity-summary", "/activity-summary"), ("summary", "/summary")):
                    arm = _reading(web, many_tenant, f"{record_id(0)}{path}")
                    (took,) = interleaved(bench.rounds(5), arm)
                    yield Figure(
                        f"GET …/{what} of a record with {OF_ONE * many // MANY:,}", sorted(took)[len(took) // 2], "ms"
                    )


def _fill(database: Database, tenant: Tenant, events: int, of_one: int) -> None:
    with database.connect() as connection:
        # The throw-away server does not wait for its log, and VACUUM takes no page for visible before that is written.
        connection.execute("SET synchronous_commit = on")
        _path(connection, tenant)
        _run(connection, _ENTITIES, records=RECORDS)
        _run(connection, _EVENTS, records=RECORDS, events=events, of_one=of_one)
        connection.execute(_STATS)
        connection.execute("VACUUM (ANALYZE) events_event")
        connection.execute("VACUUM (ANALYZE) events_eventstat")


def _page(web: Web, tenant: Tenant, path: str) -> Arm:
    """Milliseconds for a page of record 0, the first one or one in the middle of what it has."""
    query = f"{record_id(0)}?limit=50"
    if path == "cursor":
        import urllib.request

        for _ in range(2):
            request = urllib.request.Request(
                f"http://127.0.0.1:{web.port}/api/v1/platform-events/{query}",
                headers={"Authorization": f"Bearer {tenant.token}"},
            )
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
                query = f"{record_id(0)}?limit=50&cursor={json.load(answer)['meta']['nextCursor']}"
    return _reading(web, tenant, query)


def _reading(web: Web, tenant: Tenant, path: str) -> Arm:
    requests = [get(f"/api/v1/platform-events/{path}", tenant.token)]

    def once() -> float:
        return load(port=web.port, requests=requests, connections=1, seconds=SECONDS).p50_ms

    once()
    return once


def _path(connection: "psycopg.Connection[tuple[object, ...]]", tenant: Tenant) -> None:
    connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(tenant.schema_name)))


def _run(connection: "psycopg.Connection[tuple[object, ...]]", statement: str, **values: int) -> None:
    connection.execute(sql.SQL(statement).format(**{name: sql.Literal(value) for name, value in values.items()}))
