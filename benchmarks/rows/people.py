"""The list of people, and looking for somebody in it: a large tenant against a small one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg import sql

from benchmarks.bench import Bench
from benchmarks.database import Database, Tenant
from benchmarks.load import get, load
from benchmarks.processes import Web, granian
from benchmarks.row import Arm, Bar, Figure, Pairs, Row, at_most, interleaved

FEW, MANY = 1_000, 100_000
# The same people in both tenants, so that a search for one of them gives the same answer in both.
SOUGHT = 5
PROFILES = 20
SECONDS = 0.8
COUNTERPART = f"with {FEW:,} people"
BAR = at_most(1.5, aim=1.2)

FIRST = """
    Anna Bernd Carla Daniel Elif Farid Greta Hassan Ines Jakob Katharina Leon Maria Niklas Olga Paul Rosa Samuel Tamara
    Ulrich Vera Wolfgang Yasmin Zoe Martin Marlene Priya Chen Aiko Mehmet
"""
LAST = """
    Albrecht Becker Castellano Dimitrov Eriksson Fischer Gonzalez Hoffmann Ivanova Jansen Kowalski Lehmann Moreau
    Nakamura Okafor Petersen Quandt Rossi Schneider Takahashi Usman Vogel Wagner Xu Yilmaz Zimmermann Marquez Novak
    Oliveira Papadopoulos Richter Singh Tremblay Weber Andersson Brandt Costa Dubois Engel Ferrari
"""

_PEOPLE = """
    INSERT INTO accounts_user (uuid, email, email_key, first_name, last_name, role, profile_id, status, password,
                               avatar_url, timezone, locale, updated_at)
    SELECT gen_random_uuid(), address, address, first, last,
           CASE WHEN n % 50 = 0 THEN 'manager' ELSE 'user' END,
           CASE WHEN n % 3 = 0 THEN 101 + n % {profiles} ELSE 3 END,
           CASE WHEN n % 20 = 0 THEN 'inactive' WHEN n % 33 = 0 THEN 'pending' ELSE 'active' END,
           '', '', 'Europe/Berlin', 'de', now()
    FROM (
        SELECT n, first, last, lower(first || '.' || last) || '.' || n || '@company.example' AS address
        FROM (
            SELECT n, ({first}::text[])[1 + n * 7919 % {firsts}] AS first, ({last}::text[])[1 + n / 7 % {lasts}] AS last
            FROM generate_series(1, {count}) AS n
        ) AS names
    ) AS people
"""
_SOUGHT = """
    UPDATE accounts_user SET first_name = 'Quirin', last_name = 'Wolkenstein',
           email = 'quirin.wolkenstein.' || place || '@company.example',
           email_key = 'quirin.wolkenstein.' || place || '@company.example'
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM (
            SELECT id, row_number() OVER (ORDER BY id) AS n FROM accounts_user WHERE role = 'user' AND status = 'active'
        ) AS numbered
        WHERE n % {apart} = 0
    ) AS chosen
    WHERE accounts_user.id = chosen.id AND place <= {sought}
"""
_PROFILES = """
    INSERT INTO accounts_customprofile (id, name, name_key, permissions, description, is_active, version,
                                        created_at, updated_at)
    SELECT 101 + n, 'Profile ' || n, 'profile ' || n, '{{1}}', '', true, 1, now(), now()
    FROM generate_series(0, {profiles} - 1) AS n
"""


@dataclass(frozen=True, slots=True)
class Offices:
    """One server, and two tenants that differ in how many people they have."""

    web: Web
    few: Tenant
    many: Tenant

    def arm(self, tenant: Tenant, query: str) -> Arm:
        """Milliseconds for one request, one client after another."""
        requests = [get(f"/api/v1/users?{query}", tenant.token)]

        def once(seconds: float = SECONDS) -> float:
            return load(port=self.web.port, requests=requests, connections=1, seconds=seconds).p50_ms

        once()
        return once

    def figure(self, bench: Bench, what: str, query: str, bar: Bar | None = None) -> Figure:
        arms = self.arm(self.many, query), self.arm(self.few, query)
        return Pairs(*interleaved(bench.rounds(9), *arms)).figure(what, "ms", COUNTERPART, bar)


@contextmanager
def offices(bench: Bench) -> Iterator[Offices]:
    with bench.database(tenants=2) as database:
        few, many = database.tenants
        _fill(database, few, FEW)
        _fill(database, many, MANY)
        with granian(database.env(), workers=1) as web:
            yield Offices(web, few, many)


def _fill(database: Database, tenant: Tenant, count: int) -> None:
    with database.connect() as connection:
        # The throw-away server does not wait for its log, and VACUUM takes no page for visible before that is written.
        connection.execute("SET synchronous_commit = on")
        connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(tenant.schema_name)))
        _run(connection, _PROFILES)
        _run(connection, _PEOPLE, count=count)
        _run(connection, _SOUGHT, apart=count // 10)
        connection.execute("VACUUM (ANALYZE) accounts_user")


def _run(connection: "psycopg.Connection[tuple[object, ...]]", statement: str, **values: int) -> None:
    first, last = FIRST.split(), LAST.split()
    names = {"first": first, "firsts": len(first), "last": last, "lasts": len(last)}
    known = {**names, "profiles": PROFILES, "sought": SOUGHT, **values}
    connection.execute(sql.SQL(statement).format(**{name: sql.Literal(value) for name, value in known.items()}))


class PeopleList(Row):
    name = "people_list"
    title = f"GET /users?limit=20 with {MANY:,} people"
    counterpart = COUNTERPART
    bar = BAR

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with offices(bench) as both:
            yield both.figure(bench, self.title, "limit=20", BAR)
            yield both.figure(bench, "The same, page 40", "limit=20&page=40", BAR)
            yield both.figure(bench, "The same, status=inactive", "limit=20&status=inactive", BAR)
            # As far as only the large tenant reaches, against its own first page.
            arms = both.arm(both.many, "limit=20&page=4000"), both.arm(both.many, "limit=20")
            pairs = Pairs(*interleaved(bench.rounds(5), *arms))
            yield pairs.figure("The same, page 4,000", "ms", "page 1 of the same tenant")


class PeopleSearch(Row):
    name = "people_search"
    title = f"GET /users?search= with {MANY:,} people"
    counterpart = COUNTERPART
    bar = BAR

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with offices(bench) as both:
            for what, search in (
                (self.title, "olkenst"),
                ("The same, first and last name", "quirin wolkenstein"),
                ("The same, a whole address", "quirin.wolkenstein.3@company.example"),
                ("The same, nobody", "xyzzy"),
            ):
                yield both.figure(bench, what, f"search={quote(search)}", BAR)
            for what, search in (
                ("The same, a part that many have (mar)", "mar"),
                ("The same, a part that all have (company)", "company"),
                ("The same, two letters (qu)", "qu"),
                ("The same, one letter (a)", "a"),
            ):
                yield both.figure(bench, what, f"search={quote(search)}")
