"""``manage.py directory_rebuild``"""

from contextlib import nullcontext
from typing import Any

from django_tenants.utils import get_tenant_model

from accounts.directory.models import DirectoryEntry
from accounts.directory.services import directory_rebuild_bound
from platform_site.binding import bind
from platform_site.management.operator import OperatorCommand, rehearsed
from platform_site.tenants import DELETED, tenants_with_schema


class Command(OperatorCommand):
    help = (
        "Writes the directory of people anew, with the current key. Run it before an old key is dropped. Can be stopped"
        " and run again while the platform works. Exit code 0: the directory is what the tenants say."
    )
    writes = True

    def run(self, **options: Any) -> dict[str, Any]:
        dry_run = options["dry_run"]
        tenants = written = removed = 0
        for tenant in self.progress(tenants_with_schema(), unit="tenant"):
            # For good, page by page: whoever changes somebody meanwhile waits for one of them at most.
            with bind(tenant), rehearsed(dry_run) if dry_run else nullcontext():
                rebuilt = directory_rebuild_bound()
            tenants, written, removed = tenants + 1, written + rebuilt.written, removed + rebuilt.removed
        # Rows of tenants that are gone.
        living = get_tenant_model().objects.exclude(status=DELETED).values("id")
        with rehearsed(dry_run):
            orphans, _ = DirectoryEntry.objects.exclude(tenant_id__in=living).delete()
        return {"tenants": tenants, "written": written, "removed": removed + orphans, "dryRun": dry_run}

    def text(self, result: dict[str, Any]) -> str:
        would = "would be " if result["dryRun"] else ""
        return (
            f"{result['tenants']} tenants, {result['written']} people {would}written,"
            f" {result['removed']} rows {would}removed."
        )
