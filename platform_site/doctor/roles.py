"""The database's two roles: the owner makes and changes tables, the application reads and writes rows."""

from typing import Final

from django.conf import settings

from accounts.staff.models import StaffAct
from platform_site.beside import connect_beside
from platform_site.doctor.catalog import DATABASE, TABLES, Examination, Finding, fine, problem, skipped, warning
from platform_site.doctor.database import ask, one
from platform_site.journal.models import JournalEntry
from platform_site.owner import owner_settings
from tenancy.models import SchemaTemplate

# The application only adds to them.
APPEND_ONLY: Final = (JournalEntry._meta.db_table, StaffAct._meta.db_table)

_ATTRIBUTES = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user"
_OWNS = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE pg_get_userbyid(c.relowner) = current_user AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND n.nspname NOT LIKE 'pg\\_%%'
    LIMIT 1
"""
_MAY_CREATE = """
    SELECT nspname FROM pg_namespace
    WHERE (nspname = 'public' OR nspname ~ '^(t|tpl)_[0-9a-f]{16}$') AND has_schema_privilege(oid, 'CREATE')
    ORDER BY nspname <> 'public' LIMIT 1
"""
_MAY_REWRITE = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = ANY(%s) AND c.relkind = 'r' AND (n.nspname = 'public' OR n.nspname ~ '^t_[0-9a-f]{16}$')
        AND (has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE')
            OR has_table_privilege(c.oid, 'TRUNCATE'))
    ORDER BY n.nspname LIMIT 1
"""
# The script that makes a tenant's schema: it runs with the owner's rights.
_MAY_SCRIPT = f"SELECT has_table_privilege('public.{SchemaTemplate._meta.db_table}', 'INSERT, UPDATE')"
_TODO = "Let manage.py migrate_all set the rights again, as the role of DATABASE_OWNER_URL; see docs/operations.md."


def separate() -> Finding:
    owner = settings.DATABASE_OWNER.get("USER")
    if owner and owner != settings.DATABASES["default"]["USER"]:
        return fine("The owner and the application have a role each.")
    return warning(
        "One role owns the tables and serves requests.",
        "Make a role for the application and set DATABASE_OWNER_URL: then nobody who gets in can change the journal.",
    )


def application() -> Finding:
    """What the application's role may do, from the worst on."""
    if not settings.DATABASE_OWNER or settings.DATABASE_OWNER["USER"] == settings.DATABASES["default"]["USER"]:
        return skipped("There is one role.")
    [(is_super, may_create_databases, may_create_roles, passes_by)] = ask(_ATTRIBUTES)
    if is_super:
        return problem("The application's role is a superuser.", "ALTER ROLE … NOSUPERUSER")
    if may_create_databases or may_create_roles or passes_by:
        return problem(
            "The application's role may create databases or roles, or passes by row security.",
            "ALTER ROLE … NOCREATEDB NOCREATEROLE NOBYPASSRLS",
        )
    if one("SELECT pg_has_role(current_user, %s, 'MEMBER')", [settings.DATABASE_OWNER["USER"]]):
        return problem("The application's role is a member of the owner's.", "REVOKE the owner's role from it.")
    for schema, table in ask(_OWNS):
        return problem(f"The application's role owns {schema}.{table}.", "ALTER TABLE … OWNER TO the owner's role.")
    if one("SELECT has_database_privilege(current_database(), 'CREATE')"):
        return problem("The application's role may create schemas.", "REVOKE CREATE ON DATABASE … FROM it and PUBLIC.")
    for (schema,) in ask(_MAY_CREATE):
        return problem(f"The application's role may create tables in {schema}.", _TODO)
    for schema, table in ask(_MAY_REWRITE, [list(APPEND_ONLY)]):
        return problem(f"The application's role may change or delete rows of {schema}.{table}.", _TODO)
    if one(_MAY_SCRIPT):
        return problem("The application's role may change the script that sign-ups run as the owner.", _TODO)
    return fine("The application's role owns nothing and can only add to journal and staff audit.")


def owner() -> Finding:
    if not settings.DATABASE_OWNER:
        return skipped("There is one role.")
    who = {name.lower(): value or None for name, value in owner_settings().items()}
    with connect_beside(**who) as own:
        row = own.execute("SELECT has_database_privilege(current_database(), 'CREATE')").fetchone()
    if not (row and row[0]):
        return problem("The owner may not create schemas.", "GRANT CREATE ON DATABASE … TO the owner's role.")
    return fine("The owner signs in and may create schemas.")


EXAMINATIONS: Final = (
    Examination("roles.separate", separate),
    Examination("roles.application", application, (TABLES,)),
    Examination("roles.owner", owner, (DATABASE,)),
)
