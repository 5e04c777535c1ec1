"""What the application's role may do: read and write rows, and no more.

The owner's default privileges give it every table that is made from now on; what may only be added to
or only be read is taken back, table by table. All of it is done as the owner, and nothing where there is
one role for everything.
"""

from typing import LiteralString

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from platform_site.owner import owner_settings
from tenancy.provisioning.schemas import TENANT_SCHEMA

# Tables of public with less than SELECT, INSERT, UPDATE and DELETE. (Tenants' are in tenancy_protect, a function.)
TAKEN_BACK: dict[str, LiteralString] = {
    # Added to and never changed: who did what.
    "staff_staffact": "UPDATE, DELETE",
    # What the schema is made of. A sign-up's script runs with the owner's rights.
    "tenancy_schematemplate": "INSERT, UPDATE, DELETE",
    "django_migrations": "INSERT, UPDATE, DELETE",
}

_LACKING = """
    SELECT n.nspname FROM pg_namespace n
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'journal_journalentry'
    WHERE n.nspname ~ %(pattern)s
      AND (NOT has_schema_privilege(%(role)s, n.oid, 'USAGE') OR has_table_privilege(%(role)s, c.oid, 'UPDATE, DELETE'))
    ORDER BY n.nspname
"""


def application_role() -> str:
    """The name of the role that serves requests, or "" where there is one role for everything."""
    owner, role = owner_settings(), settings.DATABASES["default"]["USER"]
    return str(role) if owner and owner["USER"] != role else ""


def give_rights() -> int:
    """Give the application's role its rights everywhere, and take back what is too much. Gives how many tenants.

    Repeating it changes nothing. An installation that had one role before is brought to two by this.
    """
    if not application_role():
        return 0
    _give_in_public()
    lacking = _tenants_lacking()
    for schema_name in lacking:
        grant_schema(schema_name)
    return len(lacking)


def owner_may_step_down() -> bool:
    """Whether the owner can take the application's role, as ``deploy/postgres/10-roles.sh`` makes the two."""
    role = application_role()
    if not role:
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [role])
        return bool(cursor.fetchone()[0])


def step_down() -> None:
    """Let the owner have no more rights than the application's role until the transaction ends: it writes rows only."""
    if application_role():
        _run("SET LOCAL ROLE {role}")


@transaction.atomic
def grant_schema(schema_name: str) -> None:
    """Give the application's role its rights on one tenant's schema, as after a restore; all of them or none."""
    if application_role():
        _run("GRANT USAGE ON SCHEMA {name} TO {role}", name=schema_name)
        _run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {role}", name=schema_name)
        _run("GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {name} TO {role}", name=schema_name)
        protect_schema(schema_name)


def protect_schema(schema_name: str) -> None:
    """Take back what a migration of this schema gave too much of."""
    if application_role():
        with connection.cursor() as cursor:
            cursor.execute("SELECT public.tenancy_protect(%s)", [schema_name])


def _give_in_public() -> None:
    for statement in (
        "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO {role}",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
        "ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {role}",
        "REVOKE CREATE ON SCHEMA {name} FROM PUBLIC",
        "REVOKE CREATE ON SCHEMA {name} FROM {role}",
        "GRANT USAGE ON SCHEMA {name} TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {role}",
        "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {name} TO {role}",
        "GRANT EXECUTE ON FUNCTION public.tenancy_create_schema(text, text) TO {role}",
    ):
        _run(statement, name="public")
    for table, rights in TAKEN_BACK.items():
        _run("REVOKE " + rights + " ON TABLE public.{name} FROM {role}", name=table)


def _tenants_lacking() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_LACKING, {"role": application_role(), "pattern": f"^{TENANT_SCHEMA.pattern}$"})
        return [name for (name,) in cursor.fetchall()]


def _run(statement: LiteralString, **names: str) -> None:
    names["role"] = application_role()
    composed = sql.SQL(statement).format(**{key: sql.Identifier(name) for key, name in names.items()})
    with connection.cursor() as cursor:
        cursor.execute(composed)
