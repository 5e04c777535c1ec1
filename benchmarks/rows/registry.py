"""Search in a large registry, through the service and as bare SQL; and what an importer takes of memory."""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from psycopg import sql

from benchmarks.answering import Answering
from benchmarks.bench import Bench
from benchmarks.database import Database, Tenant
from benchmarks.processes import ROOT
from benchmarks.psql import Psql
from benchmarks.row import Arm, Figure, Pairs, Row, at_most, interleaved
from benchmarks.rows.events import record_id

MANY = 1_000_000
# Of each kind of search so many texts in a round.
TEXTS = 40
# Syllables, of which ten thousand surnames and a thousand first names are made.
_PARTS = ["ba", "ke", "li", "mo", "ru", "sa", "te", "vi", "wo", "zu", "dan", "ger", "hol", "kin", "ler", "mar", "nor",
          "pet", "ros", "ste", "tal", "ulm", "van", "win"]  # fmt: skip
_ENTITIES = """
    INSERT INTO registry_entity (id, entity_class, status, name, email, attributes, provenance, pins, name_key,
                                 search_text, match_keys, links_count)
    SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
           'person', 'active', initcap(name), address, '{{}}', '{{}}', '{{}}', name, name || ' ' || address,
           ARRAY['e:' || address, 'n:' || name], 1
    FROM (
        SELECT n, first || ' ' || last AS name, first || '.' || last || n || '@company.example' AS address
        FROM (
            SELECT n, part[1 + h % 24] || part[1 + h / 24 % 24] AS first,
                   part[1 + h / 576 % 24] || part[1 + h / 13824 % 24] || part[1 + h / 331776 % 18] AS last
            FROM (SELECT n, abs(hashint8(n)) AS h, {parts}::text[] AS part FROM generate_series(1, {count}) AS n) AS s
        ) AS names
    ) AS people
"""
_IDENTIFIERS = """
    INSERT INTO registry_identifier (entity_class, kind, value, entity_id, origin_id, raw)
    SELECT 'person', 'email', email, id, id, email FROM registry_entity
"""


class RegistrySearch(Row):
    name = "registry_search"
    title = f"Search among {MANY:,} records, a whole address, 95th percentile"
    counterpart = "the same statement in psql"
    bar = at_most(2, aim=1.3)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        # A quick run fills fewer, and says so.
        count = MANY // 10 if bench.quick else MANY
        with bench.database(tenants=1) as database:
            (tenant,) = database.tenants
            people = _fill(database, tenant, count)
            module = "benchmarks.registry_search"
            with Answering(module, database.env(), tenant.schema_name) as service, Psql(database.owner_url) as psql:
                psql.run(f"SET search_path = {tenant.schema_name}, public;\n")
                for what, texts in _texts(people).items():
                    arms = _by_service(service, texts), _by_psql(psql, service, texts)
                    for arm in arms:
                        arm()
                    pairs = Pairs(*interleaved(bench.rounds(7), *arms))
                    title = f"Search among {count:,} records, {what}, 95th percentile"
                    yield pairs.figure(title, "ms", self.counterpart, self.bar)


def _fill(database: Database, tenant: Tenant, count: int) -> list[tuple[str, str]]:
    with database.connect() as connection:
        # The throw-away server does not wait for its log, and VACUUM takes no page for visible before that is written.
        connection.execute("SET synchronous_commit = on")
        connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(tenant.schema_name)))
        connection.execute(sql.SQL(_ENTITIES).format(count=sql.Literal(count), parts=sql.Literal(_PARTS)))
        connection.execute(_IDENTIFIERS)
        for table in ("registry_entity", "registry_identifier"):
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
        found = connection.execute("SELECT name_key, email FROM registry_entity TABLESAMPLE SYSTEM (1) LIMIT 2000")
        people = [(str(name), str(address)) for name, address in found.fetchall()]
    # The same people in every run.
    random.Random(1).shuffle(people)
    return people


def _texts(people: list[tuple[str, str]]) -> dict[str, list[str]]:
    names = [name for name, _ in people[:TEXTS]]
    return {
        "a whole address": [address for _, address in people[:TEXTS]],
        "the beginning of a name": [name[:3] for name in names],
        "part of a surname": [name.split()[1][1:] for name in names],
        "a slip of the pen": [name[:4] + name[5] + name[4] + name[6:] for name in names],
    }


def _by_service(service: Answering, texts: list[str]) -> Arm:
    def once() -> float:
        return _p95(json.loads(service.ask(json.dumps(texts))))

    return once


def _by_psql(psql: Psql, service: Answering, texts: list[str]) -> Arm:
    """The statements that the service runs for these texts, as psql runs them."""
    scripts = ["".join(f"{one};\n" for one in json.loads(service.ask(f"statements {text}"))) for text in texts]

    def once() -> float:
        return _p95([psql.run(script) * 1000 for script in scripts])

    return once


def _p95(times: list[float]) -> float:
    return sorted(times)[len(times) * 95 // 100]


class ImportMemory(Row):
    name = "import_memory"
    title = "manage.py import_events, most memory"
    counterpart = "a tenth of the rows"
    bar = at_most(1.1, aim=1.05)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        rows = 20_000 if bench.quick else 200_000
        with bench.database(tenants=1) as database, tempfile.TemporaryDirectory() as folder:
            (tenant,) = database.tenants
            with database.connect() as connection:
                connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(tenant.schema_name)))
                connection.execute(sql.SQL(_ENTITIES).format(count=sql.Literal(1000), parts=sql.Literal(_PARTS)))
            few, _ = _import(database, Path(folder) / "few.jsonl", rows // 10)
            many, seconds = _import(database, Path(folder) / "many.jsonl", rows)
            yield Figure(self.title, many, "KiB", self.counterpart, few, many / few, self.bar)
            yield Figure("The same, events a second", rows / seconds, "/s")


def _import(database: Database, path: Path, rows: int) -> tuple[float, float]:
    """Most memory in KiB, and how many seconds it took."""
    with path.open("w") as file:
        for n in range(rows):
            event = {
                "canonicalId": record_id(1 + n % 1000),
                "app": "sales",
                "category": "engagement",
                "action": "email_opened",
                "occurredAt": f"2026-11-{1 + n % 27:02}T{n % 24:02}:00:00.000Z",
                "metadata": {"campaign": "autumn", "subject": f"An offer for number {n}"},
            }
            file.write(json.dumps(event) + "\n")
    begun = time.monotonic()
    command = [sys.executable, "manage.py", "import_events", "company-1", str(path), "--json"]
    measured = [sys.executable, "-c", _MEASURED, *command]
    done = subprocess.run(
        measured, cwd=ROOT, env=database.env("benchmarks.filling_settings"), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return float(done.stdout.splitlines()[-1]), time.monotonic() - begun


_MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
