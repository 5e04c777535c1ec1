"""``manage.py tenant_list``"""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from platform_site.management.operator import OperatorCommand
from platform_site.moments import wire_time
from platform_site.outbox.models import OutboxRow
from tenancy.migrating.history import migrations_fingerprint
from tenancy.migrating.tenants import schema_is_behind
from tenancy.models import Tenant, TenantMigration

PAGE: Final = 500


class Command(OperatorCommand):
    help = (
        "Lists tenants, the oldest first; with --json one object a line. Those that were purged are shown with"
        " --status deleted only."
    )
    writes = False

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--status", action="append", choices=Tenant.Status.values, help="only these; may be given several times"
        )
        parser.add_argument("--plan", help="only tenants on this plan")
        parser.add_argument("--stale", action="store_true", help="only those whose schema is behind the code")
        parser.add_argument(
            "--failing", action="store_true", help="only those with dead letters, or whose last migration failed"
        )

    def run(self, **options: Any) -> Iterator[dict[str, Any]]:
        return _listed(_wanted(options))

    def text(self, result: dict[str, Any]) -> str:
        marks = ["behind"] if result["stale"] else []
        marks += [f"migration failed: {result['migrationError']}"] if result["migrationError"] else []
        marks += [f"{result['deadLetters']} dead letters"] if result["deadLetters"] else []
        columns = f"{result['slug']:<40} {result['status']:<16} {result['plan']:<12} {result['createdAt'][:10]}"
        return f"{columns}  {', '.join(marks)}".rstrip()


def _wanted(options: dict[str, Any]) -> "QuerySet[Tenant]":
    rows: QuerySet[Tenant] = Tenant.objects.all()
    rows = rows.filter(status__in=options["status"]) if options["status"] else rows.exclude(status="deleted")
    if options["plan"]:
        rows = rows.filter(plan=options["plan"])
    if options["stale"]:
        rows = rows.filter(schema_is_behind())
    if options["failing"]:
        dead = OutboxRow.objects.filter(tenant_id=OuterRef("id"), state=OutboxRow.State.DEAD)
        failed = TenantMigration.objects.filter(tenant_id=OuterRef("id"), state=TenantMigration.State.FAILED)
        rows = rows.filter(Q(Exists(dead)) | Q(Exists(failed)))
    return rows


def _listed(rows: "QuerySet[Tenant]") -> Iterator[dict[str, Any]]:
    """A page at a time, each behind the id of the one before: memory is that of one page."""
    after = None
    while page := list((rows.filter(id__gt=after) if after else rows).order_by("id")[:PAGE]):
        ids = [tenant.id for tenant in page]
        resting = OutboxRow.objects.filter(tenant_id__in=ids, state=OutboxRow.State.DEAD).order_by()
        dead = Counter(dict(resting.values_list("tenant_id").annotate(count=Count("id"))))
        failed = dict(
            TenantMigration.objects.filter(tenant_id__in=ids, state=TenantMigration.State.FAILED).values_list(
                "tenant_id", "error"
            )
        )
        for tenant in page:
            yield {
                "id": str(tenant.id),
                "slug": tenant.slug,
                "name": tenant.name,
                "status": tenant.status,
                "plan": tenant.plan,
                "schema": tenant.schema_name,
                "stale": tenant.schema_fingerprint != migrations_fingerprint(),
                "migrationError": failed.get(tenant.id, ""),
                "deadLetters": dead[tenant.id],
                "createdAt": wire_time(tenant.created_at),
            }
        after = page[-1].id
