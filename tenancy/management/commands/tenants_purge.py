"""``manage.py tenants_purge``: what the scheduler does once a day, by hand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from platform_site.errors import PlatformError
from platform_site.management.operator import REFUSED, OperatorCommand
from platform_site.moments import wire_time
from platform_site.owner import may_be_owner
from tenancy.purging import due_tenants, tenant_purge


class Command(OperatorCommand):
    help = "Purges the tenants whose date is over: schema, rows in public, and after 90 days the slug. Can be repeated."
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, default=None, help="purge at most so many")

    def run(self, **options: Any) -> dict[str, Any]:
        due = list(due_tenants()[: options["limit"]].values_list("id", "slug", "deletion_at"))
        listed = [{"slug": slug, "deletionAt": wire_time(at)} for _, slug, at in due]
        if options["dry_run"]:
            return {"purged": listed, "failed": [], "dryRun": True}
        if due and not may_be_owner():
            raise CommandError("This role may not drop schemas. Set DATABASE_OWNER_URL.")
        failed = []
        for tenant_id, slug, _ in self.progress(due, total=len(due), unit="tenant"):
            try:
                tenant_purge(tenant_id=tenant_id)
            except PlatformError as error:
                # Its schema is being worked on, or somebody took it back; the others are not to wait for that.
                failed.append({"slug": slug, "error": error.message})
        refused = {one["slug"] for one in failed}
        return {
            "purged": [one for one in listed if one["slug"] not in refused],
            "failed": failed,
            "dryRun": False,
        }

    def text(self, result: dict[str, Any]) -> str:
        verb = "would be purged" if result["dryRun"] else "purged"
        lines = [f"{verb}: {one['slug']} (due since {one['deletionAt']})" for one in result["purged"]]
        lines += [f"left: {one['slug']}: {one['error']}" for one in result["failed"]]
        return "\n".join(lines) or "Nothing to purge."

    def exit_code(self, result: dict[str, Any]) -> int:
        return REFUSED if result["failed"] else 0
