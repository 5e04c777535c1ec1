"""Chat where a channel has a million messages, against one that has a thousand."""

from collections.abc import Iterator

from psycopg import sql

from benchmarks.bench import Bench
from benchmarks.database import Database, Tenant
from benchmarks.load import get, load
from benchmarks.processes import Web, granian
from benchmarks.row import Arm, Figure, Pairs, Row, at_most, interleaved

FEW, MANY = 1_000, 1_000_000
# The same in both tenants: who is there, other channels, and what the one who asks has not read in each.
PEOPLE, CHANNELS, SHORT, UNREAD = 50, 50, 200, 20
SECONDS = 0.8
COUNTERPART = f"at {FEW:,}"
BAR = at_most(1.5, aim=1.2)
# The one with many messages.
LONG = "01890000-0000-7000-8000-000000000001"

_PEOPLE = """
    INSERT INTO accounts_user (uuid, email, email_key, first_name, last_name, role, profile_id, status, password,
                               avatar_url, timezone, locale, updated_at)
    SELECT gen_random_uuid(), n || '@company.example', n || '@company.example', 'Person', n::text, 'user', 3, 'active',
           '', '', '', '', now()
    FROM generate_series(2, {people}) AS n
"""
_CHANNELS = """
    INSERT INTO chat_channel (id, kind, name, created_by_id, last_seq, last_message_at, active_at)
    SELECT ('01890000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'group', 'Channel ' || n, 1,
           CASE WHEN n = 1 THEN {count} ELSE {short} END, now() - n * interval '1 minute', now()
    FROM generate_series(1, {channels}) AS n
"""
_MEMBERS = """
    INSERT INTO chat_member (user_id, channel_id, role, last_read_seq)
    SELECT p.id, c.id, CASE WHEN p.id = 1 THEN 'owner' ELSE 'member' END, c.last_seq - {unread}
    FROM chat_channel AS c, accounts_user AS p
"""
# One of a hundred is deleted, also among those that are unread.
_MESSAGES = """
    INSERT INTO chat_message (id, channel_id, seq, sender_id, content, created_at, deleted_at)
    SELECT gen_random_uuid(), c.id, n, people.ids[1 + n % {people}],
           'Message ' || n || ': the numbers for the third quarter are in; have a look before we talk.',
           now() - (c.last_seq - n) * interval '20 seconds', CASE WHEN n % 100 = 95 THEN now() END
    FROM chat_channel AS c, generate_series(1, c.last_seq) AS n,
         (SELECT array_agg(id ORDER BY id) AS ids FROM accounts_user) AS people
"""


class Chat(Row):
    name = "chat"
    title = f"GET /chat/unread-count at {MANY:,} messages"
    counterpart = COUNTERPART
    bar = BAR

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=2) as database:
            few, many = database.tenants
            _fill(database, few, FEW)
            _fill(database, many, MANY)
            messages = f"chat/channels/{LONG}/messages?limit=50"
            with granian(database.env(), workers=1) as web:

                def arms(path: str) -> list[list[float]]:
                    return interleaved(bench.rounds(9), _arm(web, many, path), _arm(web, few, path))

                for what, path in (
                    (self.title, "chat/unread-count"),
                    ("GET /chat/channels, 50 of them", "chat/channels"),
                    ("GET /chat/channels/:id/messages", messages),
                    ("The same, after=500", f"{messages}&after=500"),
                ):
                    yield Pairs(*arms(path)).figure(what, "ms", COUNTERPART, BAR)


def _arm(web: Web, tenant: Tenant, path: str) -> Arm:
    """Milliseconds for one request, one client after another."""
    requests = [get(f"/api/v1/{path}", tenant.token)]

    def once() -> float:
        return load(port=web.port, requests=requests, connections=1, seconds=SECONDS).p50_ms

    once()
    return once


def _fill(database: Database, tenant: Tenant, count: int) -> None:
    values = {"people": PEOPLE, "channels": CHANNELS, "short": SHORT, "unread": UNREAD, "count": count}
    with database.connect() as connection:
        # The throw-away server does not wait for its log, and VACUUM takes no page for visible before that is written.
        connection.execute("SET synchronous_commit = on")
        connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(tenant.schema_name)))
        # An index of words that is made at once takes a tenth of the time.
        search = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = %s AND indexname = 'message_search'",
            [tenant.schema_name],
        ).fetchone()
        assert search is not None
        connection.execute("DROP INDEX message_search")
        for statement in (_PEOPLE, _CHANNELS, _MEMBERS, _MESSAGES):
            filled = sql.SQL(statement).format(**{name: sql.Literal(value) for name, value in values.items()})
            connection.execute(filled)
        connection.execute(search[0])
        for table in ("accounts_user", "chat_channel", "chat_member", "chat_message"):
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
