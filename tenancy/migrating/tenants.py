"""Tenants whose schema is behind the code, and one of them brought up to date."""

from dataclasses import dataclass

from django.db import connection

from platform_site.binding import TenantRef, bind
from tenancy.migrating.history import apply_pending, migrations_fingerprint, tenant_apps
from tenancy.migrating.timeouts import migration_timeouts
from tenancy.models import Tenant
from tenancy.provisioning.locks import own_schema
from tenancy.provisioning.rights import protect_schema

# A tenant that is being made has no schema that one could rely on, a deleted one has none.
_WITHOUT_SCHEMA = (Tenant.Status.PROVISIONING, Tenant.Status.DELETED)


class SchemaMissing(Exception):
    """The tenant is there, its schema is not."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``error`` is empty when the tenant is up to date now."""

    tenant: TenantRef
    error: str = ""


def stale_tenants() -> list[TenantRef]:
    """Tenants that lack migrations, the oldest first. One query, whatever their number."""
    rows = (
        Tenant.objects.exclude(schema_fingerprint=migrations_fingerprint())
        .exclude(status__in=_WITHOUT_SCHEMA)
        .order_by("id")
        .values_list("id", "schema_name", "slug", "status")
    )
    return [TenantRef(*row) for row in rows]


def migrate_tenant(tenant: TenantRef) -> list[str]:
    """Apply what the tenant's schema lacks, and note on the tenant that it lacks nothing now.

    Each migration commits by itself, so a tenant that was left half-way goes on where it was.
    """
    with migration_timeouts(), own_schema(tenant.schema_name):
        if not _schema_exists(tenant.schema_name):
            raise SchemaMissing(f"There is no schema {tenant.schema_name}.")
        with bind(tenant):
            applied = apply_pending(tenant_apps())
        protect_schema(tenant.schema_name)
        Tenant.objects.filter(pk=tenant.id).update(schema_fingerprint=migrations_fingerprint())
    return applied


def _schema_exists(schema_name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", [schema_name])
        return bool(cursor.fetchone()[0])
