"""``manage.py tenant_export SLUG --to FILE``"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from platform_site.management.operator import tenant_named
from tenancy.archives.container import refuse_existing
from tenancy.archives.exporting import export, refuse_export
from tenancy.management.archives import ArchiveCommand, sized
from tenancy.management.passphrases import passphrase_argument, passphrase_of


class Command(ArchiveCommand):
    help = "Writes one tenant into an archive for another installation (docs/tenant-archive.md)."

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the tenant's slug")
        parser.add_argument("--to", type=Path, required=True, help="the file")
        parser.add_argument("--force", action="store_true", help="replace the file if it is there")
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="second factors, the mail server's password and secret settings too, under a passphrase",
        )
        passphrase_argument(parser)

    def run(self, **options: Any) -> dict[str, Any]:
        tenant, path = tenant_named(options["slug"]), options["to"]
        passphrase = passphrase_of(options, twice=True) if options["with_secrets"] else ""
        result = {"slug": tenant.slug, "id": str(tenant.id), "file": str(path), "secrets": bool(passphrase)}
        if options["dry_run"]:
            refuse_existing(path, force=options["force"])
            refuse_export(tenant)
            return {**result, "written": False}
        manifest = export(tenant=tenant, path=path, passphrase=passphrase, force=options["force"], watch=self.progress)
        return {
            **result,
            "written": True,
            "bytes": path.stat().st_size,
            "rows": {label: manifest.parts[facts.part].rows or 0 for label, facts in manifest.models.items()},
            "leftOut": [{"what": item.what, "why": item.why} for item in manifest.left_out],
        }

    def text(self, result: Any) -> str:
        if not result["written"]:
            return f"would export {result['slug']} into {result['file']}"
        lines = [
            f"{result['slug']}: {sum(result['rows'].values())} rows of {len(result['rows'])} models,"
            f" {sized(result['bytes'])}, in {result['file']}"
        ]
        return "\n".join([*lines, *(f"left out: {item['what']}. {item['why']}" for item in result["leftOut"])])
