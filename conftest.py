"""Fixtures of the whole suite.

One template database per fingerprint is made by the product's own code: public
migrated, the template schema, two tenants. Each pytest worker copies it. An
ordinary test runs in a transaction that is rolled back; a test marked
``commits`` gets a copy of its own, with real commits, threads and processes.

The cast: ``alice`` is tenant_admin of the first tenant, ``bob`` a user there,
``mallory`` is tenant_admin of another tenant and should see nothing of theirs.
"""

import gc
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg import sql

from tests.support import (
    COMPANY,
    OTHER_COMPANY,
    PASSWORD,
    Api,
    create_database,
    database_environment,
    database_server,
    drop_database,
    point_at,
    signed_in,
)

ROOT = Path(__file__).parent


def _fingerprint() -> str:
    """What the template depends on: migrations, this file, and the code that makes tenants."""
    digest = hashlib.sha256()
    sources = [ROOT / "conftest.py", ROOT / "constraints.txt"]
    for pattern in ("*/migrations/*.py", "*/*/migrations/*.py", "tenancy/**/*.py", "accounts/**/*.py"):
        sources += [path for path in ROOT.glob(pattern) if ".venv" not in path.parts and "tests" not in path.parts]
    for path in sorted(set(sources)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _ensure_template() -> str:
    name = f"template_{_fingerprint()}"
    with database_server() as server:
        server.execute("SELECT pg_advisory_lock(7001)")
        row = server.execute("SELECT datistemplate FROM pg_database WHERE datname = %s", [name]).fetchone()
        if row and row[0]:
            return name
        drop_database(name)
        for (old,) in server.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'template\\_%%' AND datname <> %s", [name]
        ).fetchall():
            server.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(sql.Identifier(old)))
            drop_database(old)
        create_database(name, "template0")
        _fill_template(name)
        server.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(sql.Identifier(name)))
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
    return name


def _fill_template(name: str) -> None:
    from django.core.management import call_command
    from django.db import connections

    from accounts.models import Session
    from accounts.roles import Role
    from accounts.services.passwords import password_hash
    from accounts.services.people import user_create
    from platform_site.binding import bind
    from platform_site.outbox.models import OutboxRow
    from tenancy.registration import tenant_register

    point_at(name)
    call_command("migrate_all", verbosity=0)
    for slug in (COMPANY, OTHER_COMPANY):
        registered = tenant_register(
            company_name=f"{slug.title()} Corp",
            slug=slug,
            admin_email=f"admin@{slug}.test",
            admin_password=PASSWORD,
            admin_first_name="Alice" if slug == COMPANY else "Mallory",
        )
        with bind(registered.tenant.ref):
            # Tests sign in for themselves and count from nothing.
            Session.objects.all().delete()
            user_create(email=f"user@{slug}.test", first_name="Bob", role=Role.USER, password=password_hash(PASSWORD))
    # Nobody waits for the mails of these sign-ups; a test that drains the outbox would get them.
    OutboxRow.objects.filter(reaction__endswith=".mail_verification_link").delete()
    connections.close_all()


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking through it for garbage halted all threads of a worker for a second.

    And what tests leave behind is looked through less often, which was a twentieth of the time of a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture(scope="session")
def template_database(django_db_blocker: Any) -> str:
    with django_db_blocker.unblock():
        return _ensure_template()


@pytest.fixture(scope="session")
def django_db_setup(template_database: str, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's hook: this worker's copy of the template."""
    name = f"worker_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    with django_db_blocker.unblock():
        create_database(name, template_database)
        point_at(name)
    yield
    with django_db_blocker.unblock():
        from django.db import connections

        connections.close_all()
        drop_database(name)


@pytest.fixture
def committed(request: pytest.FixtureRequest, django_db_setup: None, template_database: str) -> Iterator[str]:
    """A database of the test's own, in which commits are real. Gives its name."""
    from django.db import connections

    blocker = request.getfixturevalue("django_db_blocker")
    name, before = f"own_{uuid4().hex[:12]}", os.environ["TEST_DATABASE_NAME"]
    with blocker.unblock():
        create_database(name, template_database)
        point_at(name)
        try:
            yield name
        finally:
            connections.close_all()
            point_at(before)
            drop_database(name)


@pytest.fixture(autouse=True)
def _clean_surroundings(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """Keys of its own in Valkey, the right kind of database, and public before and after."""
    if "no_django" in request.keywords:
        yield
        return
    from platform_site import session_cache, valkey
    from platform_site.binding import connection
    from platform_site.health import monitor
    from platform_site.owner import as_owner

    settings.REDIS_PREFIX = f"test-{uuid4().hex[:12]}"
    if "real_hasher" in request.keywords:
        settings.PASSWORD_HASHERS = ["platform_site.passwords.Argon2idHasher"]
    if "commits" in request.keywords:
        request.getfixturevalue("committed")
    session_cache._epoch.expire()
    with as_owner() if "as_owner" in request.keywords else nullcontext():
        yield
    # Who asked for the health of this process left threads that ask on, and then know before the next test does
    # that its servers are away.
    monitor.stop()
    valkey.close()
    connection.set_schema_to_public()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> None:
    """Whatever database the test's mark asks for."""
    request.getfixturevalue("committed" if "commits" in request.keywords else "db")


@pytest.fixture
def tenant(database: None) -> Any:
    from tenancy.models import Tenant

    return Tenant.objects.get(slug=COMPANY)


@pytest.fixture
def other_tenant(database: None) -> Any:
    from tenancy.models import Tenant

    return Tenant.objects.get(slug=OTHER_COMPANY)


@pytest.fixture
def in_tenant(tenant: Any) -> Iterator[Any]:
    """The test itself works inside the first tenant."""
    from platform_site.binding import bind

    with bind(tenant.ref):
        yield tenant


@pytest.fixture
def api(database: None) -> Api:
    """Nobody in particular."""
    return Api()


@pytest.fixture
def anonymous(database: None) -> Callable[[], Api]:
    """As many strangers as wanted, each with an address of its own."""
    return Api


@pytest.fixture
def alice(tenant: Any) -> Api:
    return signed_in(tenant, f"admin@{COMPANY}.test")


@pytest.fixture
def bob(tenant: Any) -> Api:
    return signed_in(tenant, f"user@{COMPANY}.test")


@pytest.fixture
def mallory(other_tenant: Any) -> Api:
    return signed_in(other_tenant, f"admin@{OTHER_COMPANY}.test")


@pytest.fixture
def manage(committed: str) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run ``manage.py`` as a process of its own against the test's own database."""
    from tests import forked

    def run(*arguments: str, input: str | None = None) -> "subprocess.CompletedProcess[str]":
        words = [str(ROOT / ".venv/bin/python"), "manage.py", *arguments]
        if forked.same_environment():
            ended = forked.run_forked(forked.manage, arguments, input, database=committed, seconds=120)
            return subprocess.CompletedProcess(words, *ended)
        return subprocess.run(
            words,
            cwd=ROOT,
            env=database_environment(committed),
            capture_output=True,
            input=input,
            text=True,
            timeout=120,
            check=False,
        )

    return run
