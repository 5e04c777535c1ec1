"""``manage.py tenant_restore FILE``"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from tenancy.archives.container import Archive
from tenancy.archives.restoring import Plan, plan_restore, restore
from tenancy.management.archives import ArchiveCommand


class Command(ArchiveCommand):
    help = "Brings one tenant back from a backup, beside all others, who notice nothing."

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what tenant_backup wrote")
        parser.add_argument("--as-slug", default="", help="another slug, for a tenant that is gone")
        parser.add_argument("--replace", action="store_true", help="take the place of the tenant as it is now")

    def run(self, **options: Any) -> dict[str, Any]:
        with Archive(options["file"]) as archive:
            plan = plan_restore(archive, as_slug=options["as_slug"], replace=options["replace"])
            if options["dry_run"]:
                return {**_planned(plan), "restored": False}
            done = restore(plan, watch=self.progress)
            return {
                **_planned(plan),
                "restored": True,
                "migrated": done.migrated,
                "erasedAgain": done.erased_again,
                "schema": done.tenant.schema_name,
                "leftForReaper": done.left,
            }

    def text(self, result: Any) -> str:
        what = f"{result['slug']}: {result['rows']} rows as of {result['madeAt']}"
        if not result["restored"]:
            return f"would restore {what}" + (", in the place of the tenant as it is now" if result["replaces"] else "")
        lines = [f"restored {what}; everybody has to sign in again"]
        if result["migrated"]:
            lines.append(f"{len(result['migrated'])} migrations that came since were applied")
        if result["erasedAgain"]:
            lines.append(f"{result['erasedAgain']} that were erased since were erased again")
        if result["leftForReaper"]:
            lines.append(f"the former schema {result['leftForReaper']} is in use; tenants_reap removes it")
        return "\n".join(lines)


def _planned(plan: Plan) -> dict[str, Any]:
    return {
        "slug": plan.slug,
        "id": str(plan.manifest.tenant.id),
        "madeAt": f"{plan.manifest.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "rows": sum(one.rows for one in plan.manifest.sums.values()),
        "replaces": plan.replaced is not None,
    }
