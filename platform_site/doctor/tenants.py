"""Tenants and their schemas: one for each, whole, and up to date."""

from collections.abc import Sequence
from typing import Final

from django.apps import apps
from django.conf import settings

from accounts.models import ApiKey, CustomProfile
from platform_site.binding import bind
from platform_site.doctor.catalog import TABLES, Examination, Finding, fine, problem
from platform_site.doctor.database import ask
from platform_site.permissions import permissions
from platform_site.tenants import tenants_with_schema
from tenancy.migrating.history import migrations_fingerprint
from tenancy.migrating.tenants import stale_tenants
from tenancy.provisioning.reaper import reap

# Tenants that have no schema yet, or none any more.
_WITHOUT: Final = ("provisioning", "deleted")
_MISSING = """
    SELECT slug FROM tenancy_tenant t
    WHERE status <> ALL(%s) AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = t.schema_name)
    ORDER BY slug
"""
_INCOMPLETE = """
    SELECT t.slug, min(wanted) FROM tenancy_tenant t CROSS JOIN unnest(%s::text[]) AS wanted
    WHERE t.status <> ALL(%s) AND t.schema_fingerprint = %s AND NOT EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = t.schema_name AND c.relname = wanted AND c.relkind = 'r'
    )
    GROUP BY t.slug ORDER BY t.slug
"""
_NAMED: Final = 3


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def schemas() -> Finding:
    missing = [slug for (slug,) in ask(_MISSING, [list(_WITHOUT)])]
    if missing:
        return problem(
            f"The schema is missing of {_some(missing)}.", "Bring it back from a backup: manage.py tenant_restore."
        )
    return fine("Every tenant has its schema.")


def orphans() -> Finding:
    found = reap(dry_run=True)
    nobodys = [*found.schemas, *found.held_back]
    if nobodys:
        return problem(
            f"{_some(nobodys)} is nobody's schema.",
            "manage.py tenants_reap --dry-run shows all. Many at once: rows were lost, so look for a backup first.",
        )
    if found.sign_ups or found.templates:
        left = [*found.sign_ups, *found.templates]
        return problem(f"A crash left behind {_some(left)}.", "manage.py tenants_reap")
    return fine("There is no schema without a tenant.")


def tables() -> Finding:
    wanted = [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.app_config.name in settings.TENANT_APPS
    ]
    values = [[*wanted, "django_migrations"], list(_WITHOUT), migrations_fingerprint()]
    incomplete = ask(_INCOMPLETE, values)
    if incomplete:
        slug, table = incomplete[0]
        return problem(
            f"{len(incomplete)} tenants lack tables, such as {slug} {table}.",
            "Bring them back from a backup: manage.py tenant_restore. Their migrations say that all is there.",
        )
    return fine("Every tenant has all tables.")


def migrations() -> Finding:
    stale = [tenant.slug for tenant in stale_tenants()]
    if stale:
        return problem(f"{len(stale)} tenants lack migrations: {_some(stale)}.", "manage.py migrate_all")
    return fine("Every tenant is up to date.")


def permission_numbers() -> Finding:
    """Numbers in profiles and API keys that no code knows: an app was taken out, or an older release runs."""
    known = {permission.number for permission in permissions}
    for tenant in tenants_with_schema():
        with bind(tenant):
            held = [*CustomProfile.objects.values_list("permissions", flat=True)]
            held += ApiKey.objects.filter(revoked_at=None).values_list("permissions", flat=True)
        unknown = {number for numbers in held for number in numbers} - known
        if unknown:
            return problem(
                f"{tenant.slug} gave permission {min(unknown)}, which no code knows.",
                "Deploy the release that knows it; until then it permits nothing.",
            )
    return fine("Everything that was permitted is known to the code.")


EXAMINATIONS: Final = (
    Examination("tenants.schemas", schemas, (TABLES,)),
    Examination("tenants.orphans", orphans, (TABLES,)),
    Examination("tenants.migrations", migrations, (TABLES, "database.migrations")),
    Examination("tenants.tables", tables, ("tenants.schemas",), timeout=60.0),
    # It walks over all tenants.
    Examination("tenants.permissions", permission_numbers, ("tenants.tables", "tenants.migrations"), timeout=120.0),
)
