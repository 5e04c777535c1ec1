"""``manage.py tenant_delete SLUG --schedule|--undo|--now``"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from platform_site.binding import TenantRef
from platform_site.management.operator import USAGE, OperatorCommand, rehearsed, tenant_named
from platform_site.moments import wire_time
from platform_site.tenant_rows import tenant_rows
from tenancy.deletion import DEFAULT_DAYS, deletion_schedule, deletion_undo
from tenancy.management.tenants import add_actor
from tenancy.models import Tenant
from tenancy.purging import tenant_purge


class Command(OperatorCommand):
    help = (
        "Closes a tenant and has it purged later (--schedule), takes that back (--undo), or purges it at once (--now)."
        " Exit code 2: no such tenant, or --confirm does not repeat the slug."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the tenant's slug")
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--schedule", action="store_true", help="close it now, purge it in --days")
        how.add_argument("--undo", action="store_true", help="open it again, as it was")
        how.add_argument("--now", action="store_true", help="purge it at once; nothing brings it back")
        parser.add_argument("--days", type=int, default=DEFAULT_DAYS, help="until the purge (default: %(default)s)")
        parser.add_argument("--confirm", default="", metavar="SLUG", help="the slug once more")
        parser.add_argument("--reason", default="", help="why; the tenant's administrators can read it")
        add_actor(parser)

    def run(self, **options: Any) -> dict[str, Any]:
        found = tenant_named(options["slug"])
        if not options["undo"] and options["confirm"] != options["slug"]:
            raise CommandError(f"Repeat the slug to be sure: --confirm {options['slug']}", returncode=USAGE)
        if options["now"]:
            return self._purge(found, **options)
        with rehearsed(options["dry_run"]):
            if options["undo"]:
                tenant = deletion_undo(tenant_id=found.id, actor=options["actor"])
            else:
                tenant = self._schedule(found, days=options["days"], **_told(options))
        return {**_as_json(tenant), "dryRun": options["dry_run"]}

    def _schedule(self, found: TenantRef, *, days: int, reason: str, actor: str) -> Tenant:
        return deletion_schedule(tenant_id=found.id, days=days, reason=reason, actor=actor)

    def _purge(self, found: TenantRef, **options: Any) -> dict[str, Any]:
        with rehearsed(options["dry_run"]):
            tenant = self._schedule(found, days=0, **_told(options))
        rows = {one.label: one.of(found.id).count() for one in tenant_rows if one.is_purged}
        result = {**_as_json(tenant), "rows": rows, "dryRun": options["dry_run"]}
        if options["dry_run"]:
            return {**result, "status": "deleted"}
        return {**result, "rows": tenant_purge(tenant_id=found.id).rows, "status": "deleted"}

    def text(self, result: dict[str, Any]) -> str:
        would = "would be" if result["dryRun"] else "is"
        if result["status"] == Tenant.Status.PENDING_DELETION:
            return f"{result['slug']} {would} closed, and purged after {result['deletionAt']}."
        return f"{result['slug']} {would} {result['status']}."


def _told(options: dict[str, Any]) -> dict[str, str]:
    return {"reason": options["reason"], "actor": options["actor"]}


def _as_json(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": str(tenant.id),
        "slug": tenant.slug,
        "status": str(tenant.status),
        "deletionAt": wire_time(tenant.deletion_at) if tenant.deletion_at else None,
        "reason": tenant.deletion_reason,
    }
