"""The reaper: removes what a crash left behind. Nothing that is in flight can be mistaken for that.

A sign-up writes row and schema in one transaction, and one query sees both or neither; so a
schema without a row is nobody's. A template that is being built is nobody's either, which is
why templates are left alone while ``migrate_all`` runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from platform_site.outbox.models import OutboxRow
from tenancy.models import SchemaTemplate, Tenant
from tenancy.provisioning.locks import no_run_now, own_schema_in_transaction
from tenancy.provisioning.schemas import TEMPLATE_SCHEMA, TENANT_SCHEMA, drop_schema, schemas_like

log = structlog.get_logger(__name__)

PATIENCE = timedelta(minutes=10)
# Crashes leave single schemas. Many at once mean that the rows are gone, for example because
# public was restored from an older backup; then the schemas are all that is left of them.
MOST_ORPHANS = 20

_ORPHANS = """
    SELECT nspname FROM pg_namespace
    WHERE nspname ~ %s AND NOT EXISTS (SELECT FROM tenancy_tenant WHERE schema_name = nspname)
    ORDER BY nspname
"""


@dataclass(slots=True)
class Reaped:
    """What was removed; with ``dry_run``, what would have been. ``held_back`` were too many to believe."""

    sign_ups: list[str] = field(default_factory=list)
    schemas: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)


def reap(*, dry_run: bool = False, force: bool = False, now: datetime | None = None) -> Reaped:
    """Remove sign-ups that never ended, schemas without a tenant, and templates that nobody names.

    More than ``MOST_ORPHANS`` schemas without a tenant are left alone unless ``force`` is set.
    """
    found = Reaped()
    found.sign_ups = [
        tenant.slug for tenant in _unfinished((now or timezone.now()) - PATIENCE) if dry_run or _remove_sign_up(tenant)
    ]
    orphans = _orphans()
    if len(orphans) > MOST_ORPHANS and not force:
        log.critical("tenancy.orphans_held_back", count=len(orphans), hint="manage.py tenants_reap --force")
        found.held_back = orphans
    else:
        found.schemas = [name for name in orphans if dry_run or _remove_orphan(name)]
    found.templates = _reap_templates(dry_run=dry_run)
    if not dry_run and (found.sign_ups or found.schemas or found.templates):
        log.warning("tenancy.reaped", slugs=found.sign_ups, schemas=found.schemas, templates=found.templates)
    return found


def _unfinished(begun_before: datetime) -> Iterable[Tenant]:
    found: Iterable[Tenant] = Tenant.objects.filter(
        status=Tenant.Status.PROVISIONING, created_at__lt=begun_before
    ).order_by("id")
    return found


def _remove_sign_up(tenant: Tenant) -> bool:
    """Row and schema in one transaction, so that the slug is free only when the schema is gone."""
    with transaction.atomic():
        rows = Tenant.objects.select_for_update(skip_locked=True)
        still_there = rows.filter(pk=tenant.pk, status=Tenant.Status.PROVISIONING).exists()
        if not (still_there and own_schema_in_transaction(tenant.schema_name)):
            return False
        drop_schema(tenant.schema_name)
        OutboxRow.objects.filter(tenant_id=tenant.pk).delete()
        Tenant.objects.filter(pk=tenant.pk).delete()
    return True


def _orphans() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_ORPHANS, [f"^{TENANT_SCHEMA.pattern}$"])
        return [name for (name,) in cursor.fetchall()]


def _remove_orphan(schema_name: str) -> bool:
    with transaction.atomic():
        # Looked at again under the lock: the list may be minutes old by now.
        if not own_schema_in_transaction(schema_name) or schema_name not in _orphans():
            return False
        drop_schema(schema_name)
    return True


@transaction.atomic
def _reap_templates(*, dry_run: bool) -> list[str]:
    if not no_run_now():
        return []
    named = set(SchemaTemplate.objects.values_list("template_schema", flat=True))
    nameless = [name for name in schemas_like(TEMPLATE_SCHEMA) if name not in named]
    for name in nameless:
        if not dry_run:
            drop_schema(name)
    return nameless
