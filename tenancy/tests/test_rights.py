"""What the application's role may not do, asked by raw SQL over a connection of its own."""

from collections.abc import Callable, Iterator
from typing import Any, LiteralString

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from psycopg import errors, sql
from structlog.testing import capture_logs

from accounts.staff.models import StaffUser
from accounts.staff.services import act_record
from platform_site.binding import BindingError, bind
from platform_site.journal.models import JournalEntry
from platform_site.owner import as_owner
from tenancy.models import Tenant
from tenancy.provisioning import rights
from tenancy.provisioning.rights import TAKEN_BACK, application_role, give_rights, grant_schema, protect_schema
from tenancy.provisioning.schemas import new_schema_name
from tenancy.registration import tenant_register
from tenancy.tasks import reap
from tenancy.tests.catalogue import make_schema, schema_exists
from tests.support import PASSWORD, Api

pytestmark = pytest.mark.commits


@pytest.fixture
def raw(tenant: Tenant) -> Iterator["psycopg.Connection[Any]"]:
    """The application's role in the tenant's schema, with nothing of ours in between."""
    connection.ensure_connection()
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as connected:
        connected.execute(sql.SQL("SET search_path TO {}, public").format(sql.Identifier(tenant.schema_name)))
        yield connected


def test_requests_are_served_by_a_role_that_owns_nothing(raw: "psycopg.Connection[Any]") -> None:
    assert raw.info.user == application_role() == settings.DATABASES["default"]["USER"]
    assert raw.info.user != settings.DATABASE_OWNER["USER"]
    owned = raw.execute(
        "SELECT count(*) FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o'"
        " AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
    ).fetchone()
    assert owned == (0,)
    rights = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    assert raw.execute(rights).fetchone() == (False, False, False, False)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE accounts_user ADD COLUMN extra int",
        "ALTER TABLE accounts_user DROP COLUMN phone",
        "ALTER TABLE public.tenancy_tenant ADD COLUMN extra int",
        "DROP TABLE accounts_user",
        "TRUNCATE accounts_user",
        "CREATE TABLE mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE INDEX mine ON accounts_user (id)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER mine BEFORE INSERT ON accounts_user EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "UPDATE journal_journalentry SET key = 'forged'",
        "DELETE FROM journal_journalentry",
        "TRUNCATE journal_journalentry",
        "INSERT INTO journal_journalentry (id, key, impersonator, origin, request_id, subject_type, subject_id, data)"
        " SELECT id, 'forged', '', '', '', '', '', '{}' FROM journal_journalentry LIMIT 1"
        " ON CONFLICT (id) DO UPDATE SET key = 'forged'",
        "UPDATE public.staff_staffact SET reason = 'forged'",
        "DELETE FROM public.staff_staffact",
        "UPDATE public.tenancy_schematemplate SET ddl = 'DROP SCHEMA public'",
        "INSERT INTO public.tenancy_schematemplate (fingerprint, template_schema, ddl) VALUES ('x', 'x', 'SELECT 1')",
        "DELETE FROM django_migrations",
        "DELETE FROM public.django_migrations",
        "SET ROLE platform_owner",
        "SET SESSION AUTHORIZATION platform_owner",
        "ALTER DATABASE platform SET statement_timeout = 0",
        "ALTER SYSTEM SET fsync = off",
        "COPY accounts_user TO PROGRAM 'cat'",
    ],
)
def test_the_structure_and_what_was_written_down_are_out_of_reach(
    raw: "psycopg.Connection[Any]", statement: LiteralString
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        raw.execute(statement)


@pytest.mark.parametrize(
    "arguments",
    [
        ("public", None),
        ("t_0123456789abcdef", None),
        ('t_0123456789abcdef"; DROP SCHEMA public', None),
    ],
)
def test_the_owners_function_makes_schemas_of_tenants_alone(raw: "psycopg.Connection[Any]", arguments: Any) -> None:
    with pytest.raises(errors.RaiseException, match="no tenant has the schema"):
        raw.execute("SELECT public.tenancy_create_schema(%s, %s)", arguments)


def test_the_owners_function_takes_the_templates_script_alone(raw: "psycopg.Connection[Any]", tenant: Tenant) -> None:
    with pytest.raises(errors.NoDataFound):
        raw.execute("SELECT public.tenancy_create_schema(%s, 'unknown')", [tenant.schema_name])
    with pytest.raises(errors.DuplicateSchema):
        raw.execute("SELECT public.tenancy_create_schema(%s, %s)", [tenant.schema_name, tenant.schema_fingerprint])


def test_a_temporary_table_is_not_taken_for_the_tenants(raw: "psycopg.Connection[Any]") -> None:
    """Foreign keys of the script name tables without a schema; a temporary one of that name may not be meant."""
    raw.execute("CREATE TEMP TABLE accounts_user (id bigint PRIMARY KEY)")
    copy = raw.execute(
        "INSERT INTO public.tenancy_tenant (id, name, slug, schema_name, status, suspended_reason, plan, timezone,"
        " locale, logo_url, schema_fingerprint, updated_at)"
        " SELECT gen_random_uuid(), 'Copy', 'copy', 't_00000000000000aa', 'active', '', 'trial', 'UTC', 'en', '',"
        " schema_fingerprint, now() FROM public.tenancy_tenant LIMIT 1 RETURNING schema_name, schema_fingerprint"
    ).fetchone()
    raw.execute("SELECT public.tenancy_create_schema(%s, %s)", copy)
    outside = raw.execute(
        "SELECT count(*) FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid"
        " WHERE k.connamespace = 't_00000000000000aa'::regnamespace AND c.relnamespace <> k.connamespace"
    ).fetchone()
    assert outside == (0,)


def test_sign_ups_and_ordinary_work_need_no_more(alice: Api, raw: "psycopg.Connection[Any]") -> None:
    registered = tenant_register(company_name="New", slug="new-corp", admin_email="a@new.test", admin_password=PASSWORD)
    assert alice.get("/auth/me").status_code == 200
    raw.execute(sql.SQL("SET search_path TO {}, public").format(sql.Identifier(registered.tenant.schema_name)))
    assert raw.execute("SELECT count(*) FROM accounts_user").fetchone() == (1,)
    for statement in ("DELETE FROM journal_journalentry", "ALTER TABLE accounts_user ADD extra int"):
        with pytest.raises(errors.InsufficientPrivilege):
            raw.execute(statement)


def test_what_staff_did_is_written_and_stays(tenant: Tenant) -> None:
    staff = StaffUser.objects.create_superuser("root@platform.test", PASSWORD)
    with bind(tenant.ref):
        before = JournalEntry.objects.count()
    with transaction.atomic():
        act_record(staff=staff, action="tenant.searched", tenant_id=tenant.id, reason="because")
    with bind(tenant.ref):
        assert JournalEntry.objects.count() == before + 1


def test_an_installation_with_one_role_is_brought_to_two(tenant: Tenant, raw: "psycopg.Connection[Any]") -> None:
    role = sql.Identifier(application_role())
    schema = sql.Identifier(tenant.schema_name)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(schema, role))
        cursor.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(schema, role))
        cursor.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(role))
    with pytest.raises(errors.Error):
        raw.execute("SELECT count(*) FROM accounts_user")
    with as_owner():
        assert give_rights() == 1
        assert give_rights() == 0
    assert raw.execute("SELECT count(*) > 0 FROM accounts_user").fetchone() == (True,)
    with pytest.raises(errors.InsufficientPrivilege):
        raw.execute("DELETE FROM journal_journalentry")


def test_a_restored_schema_gets_the_same_rights(tenant: Tenant, raw: "psycopg.Connection[Any]") -> None:
    with as_owner(), connection.cursor() as cursor:
        every = "GRANT ALL ON ALL TABLES IN SCHEMA {} TO {}"
        names = sql.Identifier(tenant.schema_name), sql.Identifier(application_role())
        cursor.execute(sql.SQL(every).format(*names))
        protect_schema(tenant.schema_name)
        grant_schema(tenant.schema_name)
    with pytest.raises(errors.InsufficientPrivilege):
        raw.execute("UPDATE journal_journalentry SET key = 'forged'")


def test_rights_that_were_given_half_are_none(
    tenant: Tenant, raw: "psycopg.Connection[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the next run would take the schema for one that has them."""
    with as_owner(), connection.cursor() as cursor:
        names = sql.Identifier(tenant.schema_name), sql.Identifier(application_role())
        cursor.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(*names))
        cursor.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(*names))
        with monkeypatch.context() as dying:
            dying.setattr("tenancy.provisioning.rights._run", _die_at_the_tables_of(tenant.schema_name))
            with pytest.raises(RuntimeError):
                give_rights()
        assert give_rights() == 1
    assert raw.execute("SELECT count(*) > 0 FROM accounts_user").fetchone() == (True,)
    with pytest.raises(errors.InsufficientPrivilege):
        raw.execute("DELETE FROM journal_journalentry")


def _die_at_the_tables_of(schema_name: str) -> Callable[..., None]:
    real = rights._run

    def run(statement: LiteralString, **names: str) -> None:
        if names.get("name") == schema_name and "ALL TABLES" in statement:
            raise RuntimeError
        real(statement, **names)

    return run


def test_what_is_taken_back_is_there(raw: "psycopg.Connection[Any]") -> None:
    for table in TAKEN_BACK:
        assert raw.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{table}"]).fetchone() == (True,)


def test_the_owners_work_begins_outside_of_tenants(tenant: Tenant) -> None:
    with bind(tenant.ref), pytest.raises(BindingError), as_owner():
        pass
    with as_owner():
        assert connection.settings_dict["USER"] == settings.DATABASE_OWNER["USER"]
        with as_owner():
            pass
        assert connection.settings_dict["USER"] == settings.DATABASE_OWNER["USER"]
    assert connection.settings_dict["USER"] == application_role()


def test_a_worker_that_is_not_the_owner_only_tells_what_it_would_reap(tenant: Tenant, settings: Any) -> None:
    with as_owner():
        orphan = make_schema(new_schema_name())
    given, settings.DATABASE_OWNER = settings.DATABASE_OWNER, {}
    with capture_logs() as lines:
        reap()
    assert [line["event"] for line in lines] == ["tenancy.reaping_waits"]
    assert schema_exists(orphan)
    settings.DATABASE_OWNER = given
    reap()
    assert not schema_exists(orphan)
