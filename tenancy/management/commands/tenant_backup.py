"""``manage.py tenant_backup SLUG``"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from platform_site.management.operator import tenant_named
from tenancy.archives.backing_up import backup, refuse_without_schema
from tenancy.archives.container import refuse_existing
from tenancy.archives.programs import find_program, server_version
from tenancy.archives.restoring import default_name
from tenancy.management.archives import ArchiveCommand, sized


class Command(ArchiveCommand):
    help = "Writes one tenant into a file from which tenant_restore brings it back. The tenant goes on working."

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the tenant's slug")
        parser.add_argument("--to", type=Path, help="the file (default: SLUG-TIME.backup.zip in this folder)")
        parser.add_argument("--force", action="store_true", help="replace the file if it is there")

    def run(self, **options: Any) -> dict[str, Any]:
        tenant = tenant_named(options["slug"])
        path: Path = options["to"] or default_name(Path.cwd(), tenant.slug)
        result = {"slug": tenant.slug, "id": str(tenant.id), "file": str(path)}
        if options["dry_run"]:
            refuse_existing(path, force=options["force"])
            refuse_without_schema(tenant)
            find_program("pg_dump", at_least=server_version() // 10000)
            return {**result, "written": False}
        manifest = backup(tenant=tenant, path=path, force=options["force"], watch=self.progress)
        return {
            **result,
            "written": True,
            "bytes": path.stat().st_size,
            "tables": len(manifest.sums),
            "rows": sum(one.rows for one in manifest.sums.values()),
        }

    def text(self, result: Any) -> str:
        if not result["written"]:
            return f"would write {result['slug']} into {result['file']}"
        size = sized(result["bytes"])
        return f"{result['slug']}: {result['rows']} rows of {result['tables']} tables, {size}, in {result['file']}"
