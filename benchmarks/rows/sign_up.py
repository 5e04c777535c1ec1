"""Sign-up over HTTP, against PostgreSQL alone, and against itself where there are few tenants."""

import http.client
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from benchmarks.bench import Bench
from benchmarks.database import Database
from benchmarks.processes import granian
from benchmarks.psql import Psql
from benchmarks.row import Arm, Figure, Pairs, Row, at_most, interleaved

FEW, SOME, MANY = 10, 100, 1000
# One after another in each round; a round's figure is their median.
AT_ONCE = 3
_numbers = itertools.count(1)


class SignUp(Row):
    name = "sign_up"
    title = f"Sign-up at {MANY:,} tenants"
    counterpart = "psql replaying the same DDL"
    bar = at_most(3, aim=2)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        # A quick run fills fewer, and says so: its figures are of another size.
        most = MANY // 5 if bench.quick else MANY
        with ExitStack() as stack:
            few, some, many = (stack.enter_context(bench.database(tenants=count)) for count in (FEW, SOME, most))
            arms = [self._over_http(stack, database) for database in (few, some, many)]
            replay = self._replay(stack.enter_context(Psql(many.owner_url)), _ddl(many))
            for arm in (*arms, replay):
                arm()
            at_few, at_some, at_many, by_psql = interleaved(bench.rounds(15), *arms, replay)
            what, few_tenants = f"Sign-up at {most:,} tenants", f"itself at {FEW} tenants"
            yield Pairs(at_many, by_psql).figure(what, "ms", self.counterpart, self.bar)
            yield Pairs(at_many, at_few).figure(what, "ms", few_tenants, at_most(1.3, aim=1.1))
            yield Pairs(at_some, at_few).figure(f"Sign-up at {SOME} tenants", "ms", few_tenants)

    def _over_http(self, stack: ExitStack, database: Database) -> Arm:
        web = stack.enter_context(granian(database.env(), workers=1))
        client = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
        stack.callback(client.close)
        return lambda: median(_sign_up(client) for _ in range(AT_ONCE))

    def _replay(self, psql: Psql, ddl: str) -> Arm:
        def once() -> float:
            schema = f"t_{next(_numbers):016x}"
            script = f"BEGIN;\nCREATE SCHEMA {schema};\nSET LOCAL search_path = {schema}, public;\n{ddl}COMMIT;\n"
            return psql.run(script) * 1000

        return lambda: median(once() for _ in range(AT_ONCE))


def _ddl(database: Database) -> str:
    with database.connect() as connection:
        row = connection.execute("SELECT ddl FROM tenancy_schematemplate").fetchone()
    assert row is not None
    return str(row[0])


def _sign_up(client: http.client.HTTPConnection) -> float:
    """Milliseconds from the request to the whole answer."""
    number = next(_numbers)
    body = {
        "companyName": f"Measured {number}",
        "slug": f"measured-{number}",
        "adminEmail": f"admin@measured-{number}.test",
        "adminPassword": "correct horse battery",
        "adminFirstName": "Ada",
        "adminLastName": "Lovelace",
    }
    begun = time.perf_counter()
    client.request("POST", "/api/v1/tenants/register", json.dumps(body), {"Content-Type": "application/json"})
    response = client.getresponse()
    answer = response.read()
    took = time.perf_counter() - begun
    assert response.status == 201, answer
    return took * 1000
