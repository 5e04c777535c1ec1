"""What the commands about one tenant have in common."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from platform_site.management.operator import OperatorCommand, rehearsed, tenant_named
from platform_site.moments import wire_time
from tenancy.models import Tenant


class TenantCommand(OperatorCommand):
    """A command that changes one tenant, named by its slug.

    Exit codes: 0 done, also when it was so before; 1 refused; 2 wrong usage or no such tenant.
    """

    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the tenant's slug")
        add_actor(parser)

    def change(self, tenant_id: UUID, **options: Any) -> Tenant:
        raise NotImplementedError

    def run(self, **options: Any) -> dict[str, Any]:
        found = tenant_named(options["slug"])
        with rehearsed(options["dry_run"]):
            tenant = self.change(found.id, **options)
        return {**as_json(tenant), "dryRun": options["dry_run"]}

    def text(self, result: dict[str, Any]) -> str:
        would = "would be" if result["dryRun"] else "is"
        return f"{result['slug']} {would} {result['status']}."


def add_actor(parser: ArgumentParser) -> None:
    parser.add_argument("--actor", default="command line", help="who does it, for the tenant's journal")


def as_json(tenant: Tenant) -> dict[str, Any]:
    """A tenant as the commands show it."""
    return {
        "id": str(tenant.id),
        "slug": tenant.slug,
        "name": tenant.name,
        "status": tenant.status,
        "suspendedReason": tenant.suspended_reason,
        "plan": tenant.plan,
        "schema": tenant.schema_name,
        "createdAt": wire_time(tenant.created_at),
        "deletionAt": wire_time(tenant.deletion_at) if tenant.deletion_at else None,
        "deletionReason": tenant.deletion_reason,
    }
