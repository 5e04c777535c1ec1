"""Tenants whose schema is behind the code, and one of them brought up to date."""

import time
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from platform_site.binding import TenantRef, bind
from tenancy.migrating.history import apply_pending, migrations_fingerprint, tenant_apps
from tenancy.migrating.timeouts import migration_timeouts
from tenancy.models import Tenant, TenantMigration
from tenancy.provisioning.locks import own_schema
from tenancy.provisioning.rights import protect_schema

# A tenant that is being made has no schema that one could rely on, a deleted one has none.
WITHOUT_SCHEMA = (Tenant.Status.PROVISIONING, Tenant.Status.DELETED)
ERROR_LENGTH = 500


class SchemaMissing(Exception):
    """The tenant is there, its schema is not."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``error`` is empty when the tenant is up to date now. ``seconds`` are those that its migrations took."""

    tenant: TenantRef
    error: str = ""
    seconds: float = 0.0


def schema_is_behind() -> Q:
    """Of a tenant: it has a schema, and that is not the one of the code's migrations."""
    return ~Q(schema_fingerprint=migrations_fingerprint()) & ~Q(status__in=WITHOUT_SCHEMA)


def stale_tenants(only: Collection[str] = ()) -> list[TenantRef]:
    """Tenants that lack migrations, the oldest first. One query, whatever their number.

    ``only``: of those with these slugs.
    """
    rows = Tenant.objects.filter(schema_is_behind())
    if only:
        rows = rows.filter(slug__in=only)
    return [TenantRef(*row) for row in rows.order_by("id").values_list("id", "schema_name", "slug", "status")]


def migrate_tenant(tenant: TenantRef) -> list[str]:
    """Apply what the tenant's schema lacks, and note on the tenant that it lacks nothing now.

    Each migration commits by itself, so a tenant that was left half-way goes on where it was. What becomes of it is
    kept in public: two statements for each tenant.
    """
    with migration_timeouts(), own_schema(tenant.schema_name):
        begun = time.monotonic()
        _note_begin(tenant)
        try:
            applied = _apply(tenant)
            Tenant.objects.filter(pk=tenant.id).update(schema_fingerprint=migrations_fingerprint())
        except Exception as error:
            _note_end(tenant, time.monotonic() - begun, describe(error))
            raise
        _note_end(tenant, time.monotonic() - begun)
    return applied


def migrate_schema(schema: TenantRef) -> list[str]:
    """The same for a schema that is no tenant's yet, as while one is restored. Nothing is noted."""
    with migration_timeouts(), own_schema(schema.schema_name):
        return _apply(schema)


def _apply(tenant: TenantRef) -> list[str]:
    if not _schema_exists(tenant.schema_name):
        raise SchemaMissing(f"There is no schema {tenant.schema_name}.")
    with bind(tenant):
        applied = apply_pending(tenant_apps())
    protect_schema(tenant.schema_name)
    return applied


def describe(error: Exception) -> str:
    """Kind and first line: the lines after it may quote rows."""
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


def _note_begin(tenant: TenantRef) -> None:
    TenantMigration.objects.update_or_create(
        tenant_id=tenant.id,
        defaults={
            "fingerprint": migrations_fingerprint(),
            "state": TenantMigration.State.RUNNING,
            "error": "",
            "started_at": timezone.now(),
            "ended_at": None,
            "seconds": None,
        },
    )


def _note_end(tenant: TenantRef, seconds: float, error: str = "") -> None:
    if connection.connection is None or not connection.is_usable():
        # The server is away, so nothing can be noted; whoever runs migrate_all sees the error all the same.
        return
    TenantMigration.objects.filter(tenant_id=tenant.id).update(
        state=TenantMigration.State.FAILED if error else TenantMigration.State.DONE,
        error=error[:ERROR_LENGTH],
        ended_at=timezone.now(),
        seconds=round(seconds, 3),
    )


def _schema_exists(schema_name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", [schema_name])
        return bool(cursor.fetchone()[0])
