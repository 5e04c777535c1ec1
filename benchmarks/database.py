"""Databases of the benchmarks: made from a migrated base, filled with tenants, dropped at the end."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from json import loads
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from benchmarks.processes import ROOT, inherited


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant of a benchmark, its schema, and its administrator's access token."""

    schema_name: str
    token: str


@dataclass(frozen=True, slots=True)
class Database:
    """A database with the tenants that were made in it. The platform comes as one role, we as the tables' owner."""

    url: str
    owner_url: str
    tenants: list[Tenant]

    def env(self, settings: str = "benchmarks.settings") -> dict[str, str]:
        """The environment in which a process works with it."""
        return inherited(DATABASE_URL=self.url, DATABASE_OWNER_URL=self.owner_url, DJANGO_SETTINGS_MODULE=settings)

    def connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.owner_url, autocommit=True)


class Databases:
    """Makes databases on the server that DATABASE_URL names, and drops them when it is closed."""

    def __init__(self) -> None:
        self._server_url = os.environ["DATABASE_URL"]
        self._owner_url = os.environ.get("DATABASE_OWNER_URL") or self._server_url
        self._prefix = f"bench_{os.getpid()}"
        self._made = 0
        self._base = ""

    @contextmanager
    def database(self, *, tenants: int) -> Iterator[Database]:
        """A database of one's own with this many tenants."""
        name = self._create(template=self._base or self._make_base())
        try:
            database = self._database(name)
            database.tenants.extend(_fill(database.env("benchmarks.filling_settings"), tenants))
            with database.connect() as connection:
                # The throw-away server has no autovacuum, which production has.
                connection.execute("VACUUM (ANALYZE)")
            yield database
        finally:
            self._drop(name)

    def close(self) -> None:
        if self._base:
            self._drop(self._base)

    def _make_base(self) -> str:
        self._base = self._create(template="template0")
        database = self._database(self._base)
        run(["manage.py", "migrate_all"], database.env("benchmarks.filling_settings"))
        return self._base

    def _create(self, *, template: str) -> str:
        name = f"{self._prefix}_{self._made}"
        self._made += 1
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def _drop(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(_with_name(self._owner_url, "postgres"), autocommit=True) as server:
            server.execute(statement)

    def _database(self, name: str) -> Database:
        return Database(_with_name(self._server_url, name), _with_name(self._owner_url, name), [])


def _with_name(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _fill(env: Mapping[str, str], count: int) -> Iterator[Tenant]:
    if count:
        for line in run(["-m", "benchmarks.fill", str(count)], env).splitlines():
            yield Tenant(**loads(line))


def run(arguments: list[str], env: Mapping[str, str]) -> str:
    """What Python prints that is started with these arguments. Raises when it fails."""
    done = subprocess.run(
        [sys.executable, *arguments], env=dict(env), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{arguments} failed:\n{done.stderr[-3000:]}")
    return done.stdout
