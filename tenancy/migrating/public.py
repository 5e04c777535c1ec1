"""The public schema: its migrations, and the few things that must be there beside its tables."""

from django.core.management.sql import emit_post_migrate_signal
from django.db import DEFAULT_DB_ALIAS, connection

from tenancy.migrating.history import Progress, apply_pending, pending, shared_apps
from tenancy.models import CacheEpoch


def public_is_current() -> bool:
    """Whether every migration of the shared apps is applied."""
    _, plan = pending(shared_apps())
    return not plan


def migrate_public(*, progress: Progress | None = None) -> list[str]:
    """Migrate public. Gives the names of what was applied."""
    _make_extensions()
    applied = apply_pending(shared_apps(), progress=progress)
    CacheEpoch.objects.bulk_create([CacheEpoch()], ignore_conflicts=True)
    return applied


def announce_models() -> None:
    """Let Django write its content types and permissions, of tenants' models too.

    Staff's permissions are rows of public, also those about models whose tables are not there.
    """
    emit_post_migrate_signal(0, False, DEFAULT_DB_ALIAS)


def _make_extensions() -> None:
    """Trigram search for every schema: tenants' indexes find the operators in public."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public")
