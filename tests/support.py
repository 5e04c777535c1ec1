"""What tests share: a client of the API, people who are signed in, overlap that is real."""

import itertools
import os
import signal
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

COMPANY, OTHER_COMPANY = "acme", "globex"
PASSWORD = "correct horse battery"
Result = TypeVar("Result")

_addresses = itertools.count(1)


class Api:
    """A client of the API: short paths, JSON in and out, an address of its own, perhaps a token."""

    def __init__(self, token: str = "", address: str = "") -> None:
        from django.test import Client

        number = next(_addresses) + (os.getpid() % 200) * 65536
        self.address = address or f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self.client = Client(REMOTE_ADDR=self.address)
        self.token = token
        self.tokens: Any = None
        self.user: Any = None
        self.tenant: Any = None

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """``headers`` are given in snake_case: ``idempotency_key="k"``."""
        import orjson

        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        content = sent.pop("content-type", "application/json")
        return self.client.generic(method, f"/api/v1{path}", data, content_type=content, headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)


def data(answer: Any, status: int = 200) -> Any:
    """What an answer with this status holds."""
    assert answer.status_code == status, answer.content
    return answer.json()["data"]


def error(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


def signed_in(tenant: Any, email: str) -> Api:
    """A client of the person with this address, with a session of the product's own making."""
    from django.db import transaction

    from accounts.models import User
    from accounts.services.sessions import session_start
    from platform_site.binding import bind

    client = Api()
    with bind(tenant.ref), transaction.atomic():
        client.user = User.objects.get(email_key=email)
        client.tokens = session_start(user=client.user)
    client.tenant = tenant
    client.token = client.tokens.access_token
    return client


def database_server(name: str = "postgres") -> Any:
    """A connection to the server's own database, or to this one, as the one who makes databases."""
    import psycopg
    from django.conf import settings

    database = settings.DATABASE_OWNER or settings.DATABASES["default"]
    return psycopg.connect(
        dbname=name,
        user=database["USER"],
        password=database["PASSWORD"] or None,
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        autocommit=True,
    )


def create_database(name: str, template: str) -> None:
    from psycopg import sql

    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    with database_server() as server:
        server.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))


def drop_database(name: str) -> None:
    """Also while somebody is connected to it."""
    from psycopg import sql

    with database_server() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def point_at(name: str) -> None:
    """Let every thread's next connection go to this database."""
    from django.db import connections

    connections.close_all()
    connections.settings["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name
    os.environ["TEST_DATABASE_NAME"] = name


def database_environment(name: str) -> dict[str, str]:
    """The environment in which another process sees the same database, keys and prefix."""
    from django.conf import settings

    urls = {variable: os.environ.get(variable, "") for variable in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    named = {variable: _with_database(url, name) for variable, url in urls.items() if url}
    return {**os.environ, **named, "REDIS_PREFIX": settings.REDIS_PREFIX}


def _with_database(url: str, name: str) -> str:
    base, _, query = url.partition("?")
    return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


@contextmanager
def threads_close_connections() -> Iterator[None]:
    """For the body of a thread that a test starts: its connection ends with it."""
    from django.db import connections

    try:
        yield
    finally:
        connections.close_all()


def somebody_waits() -> bool:
    """Whether a statement of another connection waits for a lock in this database."""
    from django.db import connection

    with connection.cursor() as cursor:
        # Else a transaction sees for ever who was connected at its first look.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


def until_somebody_waits() -> None:
    """Return as soon as a statement waits for a lock, mostly one that the caller's transaction holds."""
    until = time.monotonic() + 30
    while not somebody_waits():
        assert time.monotonic() < until, "Nobody waits for a lock."
        time.sleep(0.01)


SCALE = os.environ.get("SCALE", "small")


def scaled(small: int, soak: int) -> int:
    """How many times: a few in ``make test``, all of them in ``make soak``."""
    return soak if SCALE == "soak" else small


def finishes_before_kill(work: str, *, statement: int, database: str, as_owner: bool = False) -> bool:
    """Run Python source ``work`` in a process that kills itself with -9 before SQL statement number ``statement``.

    Gives whether it got to its end before that. Raises when it ended in any other way.
    """
    from tests.forked import killed, run_forked

    work = textwrap.dedent(work)
    if as_owner:
        work = "from platform_site.owner import as_owner\nwith as_owner():\n" + textwrap.indent(work, "    ")
    code, _, said = run_forked(killed, work, statement, database=database, seconds=60)
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(said)
    return code == 0


@dataclass
class Overlapped(Generic[Result]):
    """Results in the order of their numbers, and how many calls ran at the same moment at most."""

    results: list[Result]
    most_at_once: int


def at_once(count: int, call: Callable[[int], Result]) -> Overlapped[Result]:
    """Run ``call(0) … call(count - 1)`` on as many threads, all let go at one barrier.

    Raises the first error of a call. The caller asserts ``most_at_once``, so that
    a test about a race cannot pass because nothing raced.
    """
    barrier = threading.Barrier(count)
    results: list[Any] = [None] * count
    errors: list[BaseException] = []
    spans: list[tuple[float, int]] = []

    def work(number: int) -> None:
        with threads_close_connections():
            try:
                barrier.wait(30)
                began = time.perf_counter()
                results[number] = call(number)
                spans.extend([(began, 1), (time.perf_counter(), -1)])
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    running = most = 0
    for _, change in sorted(spans):
        running += change
        most = max(most, running)
    return Overlapped(results, most)
