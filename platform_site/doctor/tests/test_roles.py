"""The application's role: what it may do and should not."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings as configured
from django.db import connections

from accounts.staff.models import StaffAct
from platform_site.doctor.tests.conftest import findings
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from tenancy.models import SchemaTemplate, Tenant
from tests.support import database_server

pytestmark = [pytest.mark.commits, pytest.mark.timeout(120)]

CONNECTED = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND usename NOT LIKE 'platform%%'"


@pytest.fixture
def superuser(committed: str) -> Iterator["psycopg.Connection[Any]"]:
    """Who may make roles: neither the owner nor the application may."""
    database = configured.DATABASES["default"]
    try:
        made = psycopg.connect(
            dbname=committed,
            user="postgres",
            host=database["HOST"] or None,
            port=database["PORT"] or None,
            autocommit=True,
        )
    except psycopg.OperationalError:
        pytest.skip("a server from outside, whose superuser is nobody we know")
    with made:
        yield made
    # The database's owner, who drops it, may not end a superuser's process that is just about to end.
    with database_server() as server:
        while server.execute(CONNECTED, [committed]).fetchone():
            time.sleep(0.02)


@pytest.fixture
def role(superuser: "psycopg.Connection[Any]", settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An application's role of the test's own, that reads and adds rows, and as which is examined."""
    name = f"app_{uuid4().hex[:12]}"
    schemas = ["public", *Tenant.objects.values_list("schema_name", flat=True)]
    superuser.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'word'")
    for schema in schemas:
        superuser.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO {name}')
        superuser.execute(f'GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA "{schema}" TO {name}')
    superuser.execute(f"REVOKE INSERT ON {SchemaTemplate._meta.db_table} FROM {name}")
    assert settings.DATABASE_OWNER
    with monkeypatch.context() as used:
        used.setitem(connections.settings["default"], "USER", name)
        used.setitem(connections.settings["default"], "PASSWORD", "word")
        used.setitem(configured.DATABASES["default"], "USER", name)
        yield name
    superuser.execute(f"REASSIGN OWNED BY {name} TO postgres")
    superuser.execute(f"DROP OWNED BY {name}")
    superuser.execute(f"DROP ROLE {name}")


def application() -> tuple[str, str]:
    told = findings("--only", "roles")["roles.application"]
    return told["state"], told["found"]


def test_a_role_that_only_reads_and_adds_is_fine(role: str) -> None:
    assert application()[0] == "ok"
    told = findings("--only", "roles")
    assert (told["roles.separate"]["state"], told["roles.owner"]["state"]) == ("ok", "ok")


GRANTS = {
    "a superuser": ("ALTER ROLE {role} SUPERUSER", "is a superuser"),
    "makes databases": ("ALTER ROLE {role} CREATEDB", "may create databases or roles"),
    "passes by row security": ("ALTER ROLE {role} BYPASSRLS", "may create databases or roles"),
    "the owner's member": ("GRANT {owner} TO {role}", "is a member of the owner's"),
    "owns a table": ("ALTER TABLE {outbox} OWNER TO {role}", "owns public.outbox_outboxrow"),
    "makes schemas": ('GRANT CREATE ON DATABASE "{database}" TO {role}', "may create schemas"),
    "makes tables": ("GRANT CREATE ON SCHEMA public TO {role}", "may create tables in public"),
    "makes tables of tenants": ('GRANT CREATE ON SCHEMA "{schema}" TO {role}', "may create tables in t_"),
    "changes the journal": ('GRANT UPDATE ON "{schema}".{journal} TO {role}', "may change or delete rows of t_"),
    "empties the journal": ('GRANT TRUNCATE ON "{schema}".{journal} TO {role}', "may change or delete rows of t_"),
    "scripts sign-ups": ("GRANT UPDATE ON tenancy_schematemplate TO {role}", "the script that sign-ups run"),
    "deletes staff's audit": ("GRANT DELETE ON {acts} TO {role}", "may change or delete rows of public.staff_staffact"),
}


@pytest.mark.parametrize(("grant", "found"), GRANTS.values(), ids=GRANTS)
def test_a_role_that_may_too_much(
    grant: str, found: str, role: str, superuser: "psycopg.Connection[Any]", committed: str
) -> None:
    values = {
        "role": role,
        "owner": configured.DATABASE_OWNER["USER"],
        "database": committed,
        "schema": _schema(superuser),
        "outbox": OutboxRow._meta.db_table,
        "journal": JournalEntry._meta.db_table,
        "acts": StaffAct._meta.db_table,
    }
    superuser.execute(grant.format(**values))
    state, told = application()
    assert (state, found in told) == ("problem", True), told


def _schema(superuser: "psycopg.Connection[Any]") -> str:
    row = superuser.execute("SELECT schema_name FROM tenancy_tenant ORDER BY slug LIMIT 1").fetchone()
    assert row is not None
    return str(row[0])


def test_an_owner_who_cannot_sign_in(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as other:
        other.setitem(configured.DATABASE_OWNER, "USER", "nobody_of_that_name")
        told = findings("--only", "roles.owner")["roles.owner"]
    assert told["state"] == "problem"


def test_one_role_for_everything_is_a_warning(committed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as other:
        other.setattr(configured, "DATABASE_OWNER", {})
        told = findings("--only", "roles")
    assert told["roles.separate"]["state"] == "warning"
    assert told["roles.application"]["state"] == "skipped"
