"""Staff's pages: a large tenant against a small one, and many tenants against few."""

from collections.abc import Iterator

from psycopg import sql

from benchmarks.bench import Bench
from benchmarks.database import Database, run
from benchmarks.load import get, load
from benchmarks.processes import Web, granian
from benchmarks.row import Arm, Figure, Pairs, Row, at_most, interleaved

FEW, MANY = 1_000, 1_000_000
# As many as a page of their list shows, so that both pages are full.
FEW_TENANTS, MANY_TENANTS = 100, 1_000
SECONDS = 0.8
BAR = at_most(1.5, aim=1.2)

_DELIVERIES = """
    WITH told AS (
        INSERT INTO notifications_notification (id, user_id, event_key, title, body, action_url, data, in_inbox)
        SELECT (lpad(to_hex(1700000000000 + n * 997), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
               1, 'sales.lead_assigned', 'New lead: Acme ' || n, 'Jane Doe assigned it to you.', '/', '{{}}', true
        FROM generate_series(1, {count}) AS n
        RETURNING id
    )
    INSERT INTO notifications_delivery (id, notification_id, channel, status, reason, last_error)
    SELECT id, id, 'email', 'sent', '', '' FROM told
"""


class StaffPages(Row):
    name = "staff_pages"
    title = f"The lens: deliveries at {MANY:,}"
    counterpart = f"at {FEW:,}"
    bar = BAR

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=2) as database:
            for tenant, count in zip(database.tenants, (FEW, MANY), strict=True):
                _fill(database, tenant.schema_name, count)
            cookie = run(["-m", "benchmarks.staff"], database.env()).strip()
            with granian(database.env(), workers=1) as web:
                for what, path in (
                    (self.title, "notifications/delivery/"),
                    ("The same, page 15", "notifications/delivery/?p=15"),
                    ("The lens: notifications", "notifications/notification/"),
                    ("The lens: its first page", ""),
                ):
                    arms = [_arm(web, cookie, f"/admin/t/company-{number}/{path}") for number in (2, 1)]
                    pairs = Pairs(*interleaved(bench.rounds(7), *arms))
                    yield pairs.figure(what, "ms", self.counterpart, BAR)
        yield from self._tenants(bench)

    def _tenants(self, bench: Bench) -> Iterator[Figure]:
        many_tenants = MANY_TENANTS // 4 if bench.quick else MANY_TENANTS
        with bench.database(tenants=FEW_TENANTS) as few, bench.database(tenants=many_tenants) as many:
            cookies = [run(["-m", "benchmarks.staff"], one.env()).strip() for one in (many, few)]
            with granian(many.env(), workers=1) as crowded, granian(few.env(), workers=1) as empty:
                for what, path in (
                    (f"The admin's home page with {many_tenants:,} tenants", "/admin/"),
                    ("The same, list of tenants", "/admin/tenancy/tenant/"),
                ):
                    arms = _arm(crowded, cookies[0], path), _arm(empty, cookies[1], path)
                    pairs = Pairs(*interleaved(bench.rounds(7), *arms))
                    yield pairs.figure(what, "ms", f"with {FEW_TENANTS}", BAR)


def _arm(web: Web, cookie: str, path: str) -> Arm:
    """Milliseconds for one page, one browser after another."""
    request = get(path).replace("\r\n\r\n", f"\r\nCookie: sessionid={cookie}\r\n\r\n")

    def once() -> float:
        return load(port=web.port, requests=[request], connections=1, seconds=SECONDS).p50_ms

    once()
    return once


def _fill(database: Database, schema_name: str, count: int) -> None:
    with database.connect() as connection:
        # The throw-away server does not wait for its log, and VACUUM takes no page for visible before that is written.
        connection.execute("SET synchronous_commit = on")
        connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(schema_name)))
        connection.execute(sql.SQL(_DELIVERIES).format(count=sql.Literal(count)))
        connection.execute("VACUUM (ANALYZE) notifications_notification")
        connection.execute("VACUUM (ANALYZE) notifications_delivery")
