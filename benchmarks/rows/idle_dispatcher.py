"""The outbox's dispatcher when nothing is due: tenants, and work that rests, must not cost it anything."""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.bench import Bench
from benchmarks.database import Database
from benchmarks.dispatcher import Dispatcher
from benchmarks.row import Arm, Figure, Pairs, Row, at_most, interleaved

TENANTS = 3000
PARKED = 10_000
LOOKS = 300

# Rows are enough: a dispatcher that wanted to visit the tenants would read them from here.
_COPIED = "plan, timezone, locale, logo_url, suspended_reason, schema_fingerprint, updated_at"
_MAKE_TENANTS = f"""
    INSERT INTO tenancy_tenant (id, name, slug, schema_name, status, {_COPIED})
    SELECT gen_random_uuid(), 'Idle', 'idle-' || n, 't_' || lpad(n::text, 16, '0'), 'active', {_COPIED}
    FROM tenancy_tenant, generate_series(2, {TENANTS}) AS n
"""
_MAKE_PARKED = f"""
    INSERT INTO outbox_outboxrow (id, tenant_id, entry_id, key, reaction, state, attempts, last_error)
    SELECT gen_random_uuid(), id, gen_random_uuid(), 'user.registered', 'somebody.reacts', 'parked', 0, ''
    FROM tenancy_tenant, generate_series(1, {PARKED // TENANTS + 1})
    LIMIT {PARKED}
"""


class IdleDispatcher(Row):
    name = "idle_dispatcher"
    title = f"Idle dispatcher's look with {TENANTS:,} tenants"
    counterpart = "with 1 tenant"
    bar = at_most(1.3, aim=1.1)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with ExitStack() as stack:
            one, many, parked = (stack.enter_context(bench.database(tenants=1)) for _ in range(3))
            _prepare(one)
            _prepare(many, _MAKE_TENANTS)
            _prepare(parked, _MAKE_TENANTS, _MAKE_PARKED)

            def arm(database: Database) -> Arm:
                dispatcher = stack.enter_context(Dispatcher(database))
                dispatcher.look(LOOKS)
                return lambda: dispatcher.look(LOOKS)

            alone, among, beside = interleaved(bench.rounds(9), arm(one), arm(many), arm(parked))
            yield self.against(Pairs(among, alone), "ms")
            what = f"The same and {PARKED:,} parked rows"
            yield Pairs(beside, alone).figure(what, "ms", self.counterpart, self.bar)


def _prepare(database: Database, *statements: str) -> None:
    with database.connect() as connection:
        # The sign-up's own work is due; here nothing is to be.
        for statement in ("DELETE FROM outbox_outboxrow", *statements, "VACUUM (ANALYZE)"):
            connection.execute(statement)
