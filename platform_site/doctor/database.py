"""PostgreSQL: that it answers, and that it is what the platform was made for."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4
from zoneinfo import available_timezones

import psycopg
from django.db import connection

from platform_site.beside import connect_beside
from platform_site.doctor.catalog import DATABASE, TABLES, Examination, Finding, fine, problem, warning
from tenancy.archives.programs import programs_called, server_version
from tenancy.migrating.public import public_is_current
from tenancy.migrating.template import template_is_current

OLDEST_MAJOR: Final = 15
EXTENSIONS: Final = frozenset({"pg_trgm"})
# Four sign-ups at once and one backup of a tenant, with tables that have a dozen locks each.
FEWEST_LOCKS: Final = 12_800
MOST_SKEW_SECONDS: Final = 2.0


def ask(question: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of an answer from public, as the application's role."""
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return list(cursor.fetchall())


def one(question: str, values: Sequence[Any] = ()) -> Any:
    return ask(question, values)[0][0]


def reachable() -> Finding:
    with connect_beside() as own:
        own.execute("SELECT 1")
    return fine("PostgreSQL answers.")


def version() -> Finding:
    number = server_version()
    told = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number // 10_000 < OLDEST_MAJOR:
        return problem(f"{told} is too old.", f"Move to PostgreSQL {OLDEST_MAJOR} or newer.")
    return fine(f"{told}.")


def extensions() -> Finding:
    rows = ask("SELECT extname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE nspname = 'public'")
    missing = EXTENSIONS - {name for (name,) in rows}
    if missing:
        names = ", ".join(sorted(missing))
        return problem(
            f"The schema public lacks the extension {names}.",
            f"As the database's owner: CREATE EXTENSION {names} SCHEMA public; without it no sign-up works.",
        )
    return fine(f"{', '.join(sorted(EXTENSIONS))} in public.")


def encoding() -> Finding:
    found = str(one("SHOW server_encoding"))
    if found != "UTF8":
        return problem(f"The database is encoded in {found}.", "Make a new one with ENCODING 'UTF8' and move the data.")
    return fine("UTF8.")


def locks() -> Finding:
    rows = dict(
        ask(
            "SELECT name, setting::bigint FROM pg_settings WHERE name IN"
            " ('max_locks_per_transaction', 'max_connections', 'max_prepared_transactions')"
        )
    )
    slots = rows["max_locks_per_transaction"] * (rows["max_connections"] + rows["max_prepared_transactions"])
    told = f"max_locks_per_transaction = {rows['max_locks_per_transaction']}, {slots} locks in all."
    if slots < FEWEST_LOCKS:
        return warning(
            told, "Raise max_locks_per_transaction to 128 or more: a sign-up or a backup holds locks on every table."
        )
    return fine(told)


def session() -> Finding:
    """A pooler that changes connections between statements takes search_path and advisory locks along.

    While somebody is in a transaction, a session has to keep what it set; and nobody else may see it.
    """
    mark = uuid4().hex
    with connect_beside() as first, connect_beside() as second:
        first.execute("SELECT set_config('platform.doctor', %s, false)", [mark])
        with second.transaction():
            seen = _setting(second)
            kept = _setting(first)
    if kept != mark or seen == mark:
        return problem(
            "A session loses what it SET: a pooler hands its connection to others between statements.",
            "Let the pooler pool sessions (pool_mode = session), or connect to PostgreSQL itself.",
        )
    return fine("A session keeps what it SET.")


def _setting(own: "psycopg.Connection[Any]") -> Any:
    row = own.execute("SELECT current_setting('platform.doctor', true)").fetchone()
    return row[0] if row else None


def search_path() -> Finding:
    with connect_beside() as own:
        row = own.execute("SELECT current_setting('search_path'), current_schemas(false)").fetchone()
        owned = own.execute("SELECT to_regnamespace(current_user) IS NOT NULL").fetchone()
    path, schemas = row or ("", [])
    if schemas != ["public"]:
        return problem(
            f"Without a tenant the search path leads to {', '.join(schemas) or 'nothing'} ({path}).",
            "ALTER ROLE … RESET search_path, ALTER DATABASE … RESET search_path; drop a schema named like the role.",
        )
    if owned and owned[0]:
        return warning("There is a schema named like the role.", "Drop it: the default search path begins with it.")
    return fine("public alone, without a tenant.")


def now() -> datetime:
    """This machine's time. A seam: tests set it wrong."""
    return datetime.now(UTC)


def skew(theirs: datetime, before: datetime, after: datetime, whose: str) -> Finding:
    """The difference to this machine's time, of an answer that was made between two moments of it."""
    middle = before + (after - before) / 2
    seconds = abs((theirs - middle).total_seconds()) - (after - before).total_seconds() / 2
    if seconds > MOST_SKEW_SECONDS:
        return problem(
            f"This machine's clock and that of {whose} are {seconds:.1f} seconds apart.",
            "Let both follow a time server (NTP): tokens, leases and due times are compared with the clock.",
        )
    return fine(f"The same as that of {whose}, within {MOST_SKEW_SECONDS:g} seconds.")


def clock() -> Finding:
    one("SELECT 1")
    before = now()
    theirs = one("SELECT clock_timestamp()")
    return skew(theirs, before, now(), "PostgreSQL")


def time_zones() -> Finding:
    wanted = {name for (name,) in ask("SELECT DISTINCT timezone FROM tenancy_tenant")} | {"UTC", "Europe/Berlin"}
    known = {name for (name,) in ask("SELECT name FROM pg_timezone_names")}
    for whose, missing in (("PostgreSQL", wanted - known), ("Python", wanted - available_timezones())):
        if missing:
            return problem(
                f"{whose} does not know the time zone {min(missing)}.",
                "Install tzdata on its machine, and restart what uses it.",
            )
    return fine("PostgreSQL and Python know every tenant's.")


def migrated() -> Finding:
    """Whether there are tables at all; whether they are current is another question."""
    if one("SELECT to_regclass('public.tenancy_tenant') IS NULL"):
        return problem("The database is empty.", "manage.py migrate_all")
    return fine("The platform's tables are there.")


def public_migrations() -> Finding:
    if public_is_current():
        return fine("Public is up to date.")
    return problem("Public lacks migrations.", "manage.py migrate_all")


def backup_program() -> Finding:
    """That a tenant can be backed up: the program is looked for where ``tenant_backup`` looks."""
    found, server = programs_called("pg_dump"), server_version() // 10_000
    if not found:
        return warning(
            "There is no pg_dump.", "Install PostgreSQL's client programs, or set PG_BIN_DIR: backups need them."
        )
    newest = max(found, key=lambda program: program.major)
    if newest.major < server:
        return problem(
            f"pg_dump {newest.major} cannot dump PostgreSQL {server}.",
            f"Install the client programs of PostgreSQL {server}.",
        )
    return fine(f"pg_dump {newest.version}.")


def template() -> Finding:
    if template_is_current():
        return fine("The template fits this code.")
    return problem("There is no template for this code's migrations: nobody can sign up.", "manage.py migrate_all")


EXAMINATIONS: Final = (
    Examination(DATABASE, reachable),
    Examination("database.version", version, (DATABASE,)),
    Examination("database.encoding", encoding, (DATABASE,)),
    Examination("database.extensions", extensions, (DATABASE,)),
    Examination("database.locks", locks, (DATABASE,)),
    Examination("database.session", session, (DATABASE,)),
    Examination("database.search_path", search_path, (DATABASE,)),
    Examination("database.clock", clock, (DATABASE,)),
    Examination(TABLES, migrated, (DATABASE,)),
    Examination("database.migrations", public_migrations, (TABLES,)),
    Examination("database.template", template, (TABLES,)),
    Examination("database.time_zones", time_zones, (TABLES,)),
    Examination("database.pg_dump", backup_program, (DATABASE,)),
)
