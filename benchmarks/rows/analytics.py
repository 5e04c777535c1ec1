"""What became of a year's deliveries: from the daily sums, against adding up the rows themselves."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from json import loads
from typing import Any, Final
from urllib.request import Request, urlopen

import psycopg
from psycopg import sql

from benchmarks.bench import Bench
from benchmarks.database import Database, Tenant
from benchmarks.load import get, load
from benchmarks.processes import granian
from benchmarks.row import Figure, Pairs, Row, at_most, interleaved

# Each is in the inbox and by mail, which are two deliveries.
NOTIFICATIONS, QUICK = 1_000_000, 50_000
PEOPLE, EVENTS, DAYS, UNFOLDED = 500, 20, 365, 5_000
SECONDS = 0.8

_PEOPLE = """
    INSERT INTO accounts_user (uuid, email, email_key, first_name, last_name, role, profile_id, status, password,
                               avatar_url, timezone, locale, updated_at)
    SELECT gen_random_uuid(), n || '@company.example', n || '@company.example', 'Person', n::text, 'user', 3, 'active',
           '', '', '', '', now()
    FROM generate_series(1, {people}) AS n
"""
_TOLD = """
    INSERT INTO notifications_notification (id, user_id, event_key, title, body, action_url, data, in_inbox, read_at,
                                            created_at)
    SELECT (lpad(to_hex(n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
           (SELECT min(id) FROM accounts_user) + n % {people}, 'module.event_' || n % {events}, 'Lead ' || n, '', '',
           '{{}}', true, CASE n % 3 WHEN 0 THEN NULL ELSE now() END,
           date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - n % {days} * interval '1 day'
    FROM generate_series(1, {count}) AS n
"""
_MAILED = """
    INSERT INTO notifications_delivery (id, notification_id, channel, status, reason, created_at, delivered_at,
                                        opened_at)
    SELECT id, id, 'email',
           CASE n % 10 WHEN 0 THEN 'suppressed' WHEN 1 THEN 'failed' ELSE 'sent' END,
           CASE n % 10 WHEN 0 THEN 'already_read' WHEN 1 THEN 'address_refused' ELSE '' END,
           created_at, CASE WHEN n % 10 > 1 THEN now() END, CASE WHEN n % 10 > 6 THEN now() END
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM notifications_notification) AS told
"""
# The rows of both kinds as what they count.
_ROWS: Final = """
    SELECT (created_at AT TIME ZONE 'UTC')::date AS day, event_key, 'in_app' AS channel, '' AS reason, 1 AS created,
           0 AS suppressed, 1 AS sent, 1 AS delivered, 0 AS failed, (read_at IS NOT NULL)::int AS opened
    FROM notifications_notification WHERE in_inbox
    UNION ALL
    SELECT (d.created_at AT TIME ZONE 'UTC')::date, n.event_key, d.channel, d.reason, 1,
           (d.status = 'suppressed')::int, (d.status = 'sent')::int, (d.delivered_at IS NOT NULL)::int,
           (d.status = 'failed')::int, (d.opened_at IS NOT NULL)::int
    FROM notifications_delivery d JOIN notifications_notification n ON n.id = d.notification_id
"""
_NAMES: Final = ("created", "suppressed", "sent", "delivered", "failed", "opened")
_SUMS: Final = ", ".join(f"sum({name})::bigint AS {name}" for name in _NAMES)
_OTHERS: Final = "bounced, machine_opened, clicked, complained, unsubscribed, items"
_COUNTED: Final = f"(day, event_key, channel, reason, {', '.join(_NAMES)}, {_OTHERS})"
_FOLDED: Final = f"""
    INSERT INTO notifications_dailycount {_COUNTED}
    SELECT day, event_key, channel, reason, {_SUMS}, 0, 0, 0, 0, 0, 0 FROM ({_ROWS}) AS counted
    GROUP BY day, event_key, channel, reason
"""
# Changes that wait to be folded, which cancel each other out.
_WAITING: Final = f"""
    INSERT INTO notifications_countchange {_COUNTED}
    SELECT (now() AT TIME ZONE 'UTC')::date, 'module.event_' || n % {{events}}, 'email', '', sign, 0, sign, 0, 0, 0,
           0, 0, 0, 0, 0, 0
    FROM generate_series(1, {{unfolded}} / 2) AS n, unnest(ARRAY[1, -1]) AS sign
"""
_RAW: Final = f"""
    SELECT day, event_key, channel, reason, {_SUMS} FROM ({_ROWS}) AS counted WHERE day BETWEEN %s AND %s
    GROUP BY GROUPING SETS ((event_key, channel), (day), (reason), ())
"""


class Analytics(Row):
    name = "analytics"
    title = f"GET /notifications/analytics, a year with {2 * NOTIFICATIONS:,} deliveries"
    counterpart = "PostgreSQL adding up the rows"
    bar = at_most(0.1, aim=0.05)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=1) as database:
            (tenant,) = database.tenants
            _fill(database, tenant, QUICK if bench.quick else NOTIFICATIONS)
            last = datetime.now(UTC).date()
            first = last - timedelta(days=DAYS - 1)
            path = f"/api/v1/notifications/analytics?from={first}&to={last}"
            with granian(database.env(), workers=1) as web, database.connect() as connection:
                connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(tenant.schema_name)))

                def ours() -> float:
                    return load(
                        port=web.port, requests=[get(path, tenant.token)], connections=1, seconds=SECONDS
                    ).p50_ms

                def raw() -> float:
                    began = time.perf_counter()
                    connection.execute(_RAW, [first, last]).fetchall()
                    return (time.perf_counter() - began) * 1000

                _check(_answer(web.port, path, tenant.token), connection, first, last)
                ours()
                yield self.against(Pairs(*interleaved(bench.rounds(9), ours, raw)), "ms")


def _answer(port: int, path: str, token: str) -> dict[str, Any]:
    asked = Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"})
    with urlopen(asked) as answer:  # noqa: S310 - our own server
        found: dict[str, Any] = loads(answer.read())["data"]["overview"]
    return found


def _check(overview: dict[str, Any], connection: "psycopg.Connection[Any]", first: object, last: object) -> None:
    """Both have to say the same."""
    rows = connection.execute(_RAW, [first, last]).fetchall()
    total = next(row[4:] for row in rows if row[:4] == (None, None, None, None))
    found = tuple(overview[name] for name in _NAMES)
    assert found == total, f"{found} is not {total}"


def _fill(database: Database, tenant: Tenant, count: int) -> None:
    values = {"people": PEOPLE, "events": EVENTS, "days": DAYS, "count": count, "unfolded": UNFOLDED}
    with database.connect() as connection:
        connection.execute("SET synchronous_commit = on")
        connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(tenant.schema_name)))
        for statement in (_PEOPLE, _TOLD, _MAILED, _FOLDED, _WAITING):
            literals = {name: sql.Literal(value) for name, value in values.items()}
            connection.execute(sql.SQL(statement).format(**literals))
        connection.execute("VACUUM (ANALYZE)")
