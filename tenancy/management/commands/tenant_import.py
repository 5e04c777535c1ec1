"""``manage.py tenant_import FILE``"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from tenancy.archives.container import Archive
from tenancy.archives.importing import Plan, import_tenant, plan_import
from tenancy.management.archives import ArchiveCommand
from tenancy.management.passphrases import passphrase_argument, passphrase_of


class Command(ArchiveCommand):
    help = "Makes a tenant from what tenant_export wrote at another installation (docs/tenant-archive.md)."

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what tenant_export wrote")
        parser.add_argument("--slug", default="", help="another slug than it had")
        parser.add_argument("--with-secrets", action="store_true", help="the encrypted part too")
        passphrase_argument(parser)

    def run(self, **options: Any) -> dict[str, Any]:
        passphrase = passphrase_of(options) if options["with_secrets"] else ""
        with Archive(options["file"]) as archive:
            plan = plan_import(archive, slug=options["slug"], passphrase=passphrase)
            if options["dry_run"]:
                return {**_planned(plan), "imported": False}
            done = import_tenant(plan, watch=self.progress)
            return {**_planned(plan), "imported": True, "migrated": done.migrated}

    def text(self, result: Any) -> str:
        rows = sum(result["rows"].values())
        what = f"{result['slug']}: {rows} rows as of {result['exportedAt']}"
        if not result["imported"]:
            return f"would import {what}"
        lines = [f"imported {what}; people sign in with the passwords they had"]
        if result["migrated"]:
            lines.append(f"{len(result['migrated'])} migrations that came since were applied")
        if not result["secrets"]:
            lines.append("without secrets: second factors, the mail server's password, secret settings are to set anew")
        return "\n".join(lines)


def _planned(plan: Plan) -> dict[str, Any]:
    manifest = plan.manifest
    return {
        "slug": plan.slug,
        "id": str(plan.tenant_id),
        "from": str(manifest.tenant.id),
        "exportedAt": f"{manifest.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "rows": {label: manifest.parts[facts.part].rows or 0 for label, facts in manifest.models.items()},
        "secrets": bool(plan.secrets),
        "migrations": len(manifest.migrations),
    }
