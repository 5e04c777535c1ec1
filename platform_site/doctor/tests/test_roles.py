"""The application's role: what it may do and should not."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as configured
from django.db import connection, connections

from accounts.staff.models import StaffAct
from platform_site.doctor.tests.conftest import findings
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant

pytestmark = [pytest.mark.commits, pytest.mark.timeout(120)]


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def role(committed: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An application's role that may read and add rows, and is used by what is examined."""
    name, owner = f"app_{uuid4().hex[:12]}", configured.DATABASES["default"]["USER"]
    schemas = ["public", *Tenant.objects.values_list("schema_name", flat=True)]
    sql(f"CREATE ROLE {name} LOGIN PASSWORD 'word'")
    for schema in schemas:
        sql(f'GRANT USAGE ON SCHEMA "{schema}" TO {name}')
        sql(f'GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA "{schema}" TO {name}')
    sql(f"REVOKE INSERT ON tenancy_schematemplate FROM {name}")
    settings.DATABASE_OWNER = {**configured.DATABASES["default"], "USER": owner}
    with monkeypatch.context() as used:
        used.setitem(connections.settings["default"], "USER", name)
        used.setitem(connections.settings["default"], "PASSWORD", "word")
        # This thread's own connection stays the owner's.
        used.setitem(connection.settings_dict, "USER", owner)
        used.setitem(configured.DATABASES["default"], "USER", name)
        yield name
    connection.close()
    sql(f"DROP OWNED BY {name}")
    sql(f"DROP ROLE {name}")


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
def test_a_role_that_may_too_much(grant: str, found: str, role: str, committed: str) -> None:
    owner = configured.DATABASE_OWNER["USER"]
    values = {
        "role": role,
        "owner": owner,
        "database": committed,
        "schema": Tenant.objects.values_list("schema_name", flat=True)[0],
        "outbox": OutboxRow._meta.db_table,
        "journal": JournalEntry._meta.db_table,
        "acts": StaffAct._meta.db_table,
    }
    sql(grant.format(**values))
    state, told = application()
    assert (state, found in told) == ("problem", True), told


def test_an_owner_who_cannot_sign_in(role: str, settings: Any) -> None:
    settings.DATABASE_OWNER = {**settings.DATABASE_OWNER, "USER": "nobody_of_that_name"}
    told = findings("--only", "roles.owner")["roles.owner"]
    assert told["state"] == "problem"
