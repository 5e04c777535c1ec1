"""How far the migrations are: public, the template for sign-ups, and every tenant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from django.db import connection

from tenancy.migrating.history import migrations_fingerprint, pending, shared_apps
from tenancy.models import SchemaTemplate, TenantMigration

State = Literal["current", "behind", "running", "failed"]
_TENANTS: Final = """
    SELECT t.slug, t.schema_name, t.status, t.schema_fingerprint = %(code)s, m.state, m.error, m.started_at, m.ended_at
    FROM tenancy_tenant t LEFT JOIN {notes} m ON m.tenant_id = t.id
    WHERE t.status NOT IN ('provisioning', 'deleted')
    ORDER BY t.id
"""
_NOTES: Final = "tenancy_tenantmigration"
# Before the release that keeps notes, as if nothing had been noted yet.
_NO_NOTES: Final = """
    (SELECT NULL::uuid AS tenant_id, '' AS state, '' AS error, now() AS started_at, now() AS ended_at WHERE false)
"""
_TABLES: Final = "SELECT to_regclass('tenancy_tenant') IS NOT NULL, to_regclass('tenancy_tenantmigration') IS NOT NULL"


@dataclass(frozen=True, slots=True)
class TenantState:
    """``at`` is when the last attempt ended or, where none did, began. ``running`` also when its worker was killed."""

    slug: str
    schema_name: str
    status: str
    state: State
    error: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """``public`` are names of migrations that it lacks."""

    public: list[str]
    template_current: bool
    tenants: list[TenantState]

    @property
    def is_current(self) -> bool:
        return not self.public and self.template_current and all(one.state == "current" for one in self.tenants)

    def count(self, state: State) -> int:
        return sum(one.state == state for one in self.tenants)


def migration_status() -> MigrationStatus:
    """One query for all tenants, a handful for public."""
    _, plan = pending(shared_apps())
    public = [str(migration) for migration in plan]
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        begun, noted = cursor.fetchone()
        if not begun:
            # On an empty database there is nothing but public to tell about.
            return MigrationStatus(public, False, [])
        cursor.execute(_TENANTS.format(notes=_NOTES if noted else _NO_NOTES), {"code": migrations_fingerprint()})
        tenants = [_state(*row) for row in cursor.fetchall()]
    template = SchemaTemplate.objects.filter(fingerprint=migrations_fingerprint()).exists()
    return MigrationStatus(public, template, tenants)


def _state(
    slug: str,
    schema_name: str,
    status: str,
    current: bool,
    last: str | None,
    error: str | None,
    started_at: datetime | None,
    ended_at: datetime | None,
) -> TenantState:
    state: State = "behind"
    if current:
        state = "current"
    elif last == TenantMigration.State.FAILED:
        state = "failed"
    elif last == TenantMigration.State.RUNNING:
        state = "running"
    return TenantState(slug, schema_name, status, state, "" if current else error or "", ended_at or started_at)
