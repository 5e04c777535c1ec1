"""The questions themselves. Each blocks for as long as its answer takes, and raises when there is none."""

import asyncio
import smtplib
import ssl
from functools import lru_cache
from typing import Any, LiteralString

import httpx
import psycopg
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from platform_site import valkey
from platform_site.beside import SOON, connect_beside
from platform_site.health.status import Status
from platform_site.outbox.selectors import LATE_SECONDS, OLDEST_DUE
from tenancy.migrating.history import shared_apps

# Hard limit for a downstream service, from the look-up of its name to its status line.
DOWNSTREAM_SECONDS = 2.0


class NotAsExpected(Exception):
    """An answer came, but not the right one. The text goes to signed-in people: no addresses in it."""


def _connect() -> "psycopg.Connection[Any]":
    return connect_beside(**SOON, application_name="health")


def _ask(connection: "psycopg.Connection[Any]", question: LiteralString) -> Any:
    row = connection.execute(question).fetchone()
    return row[0] if row else None


class Database:
    """``SELECT 1`` over a connection that is kept while it works."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None

    def __call__(self) -> Status:
        if self._connection is not None:
            try:
                _ask(self._connection, "SELECT 1")
            except psycopg.Error:
                # The server may have been restarted since; only a new connection can tell.
                self.close()
            else:
                return Status.UP
        self._connection = _connect()
        _ask(self._connection, "SELECT 1")
        return Status.UP

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def valkey_answers() -> Status:
    valkey.client().ping()
    return Status.UP


def outbox_moves() -> Status:
    """Degraded while the oldest work that is due has waited too long: no worker, or too few."""
    with _connect() as connection:
        queues = connection.execute(OLDEST_DUE).fetchall()
    return Status.DEGRADED if any(seconds > LATE_SECONDS for _, seconds in queues) else Status.UP


def mail_server_greets() -> Status:
    """Connects and says goodbye; a provider with an HTTP API is not asked."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return Status.UP
    kind = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
    with kind(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=3):
        return Status.UP


def schema_is_current() -> Status:
    """Every migration of the shared apps is applied, and there is a template to make tenants from."""
    with _connect() as connection:
        applied = set(connection.execute("SELECT app, name FROM public.django_migrations").fetchall())
        if _shared_leaves() - applied:
            raise NotAsExpected("MigrationsMissing")
        if not _ask(connection, "SELECT EXISTS (SELECT FROM public.tenancy_schematemplate)"):
            raise NotAsExpected("TemplateMissing")
    return Status.UP


@lru_cache(maxsize=1)
def _shared_leaves() -> frozenset[tuple[str, str]]:
    """The last migration of each shared app, as the code of this process has it."""
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    return frozenset((app, name) for app, name in graph.leaf_nodes() if app in shared_apps())


class Downstream:
    """One GET of the service's URL; any 2xx or 3xx is up. Its body is not read."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self) -> Status:
        return asyncio.run(self._ask())

    async def _ask(self) -> Status:
        # httpx's own limits are per read; a service that answers a byte a second would pass them all. And a
        # proxy from the environment could answer in the place of a dead service.
        async with (
            asyncio.timeout(DOWNSTREAM_SECONDS),
            httpx.AsyncClient(verify=_tls(), trust_env=False, timeout=DOWNSTREAM_SECONDS) as client,
            client.stream("GET", self.url) as response,
        ):
            if response.status_code >= 400:
                raise NotAsExpected(f"HTTP{response.status_code}")
        return Status.UP


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
