"""``manage.py migration_status``"""

from argparse import ArgumentParser
from typing import Any, Final

from platform_site.management.operator import PROBLEMS, OperatorCommand
from platform_site.moments import wire_time
from tenancy.migrating.status import MigrationStatus, migration_status

SHOWN: Final = 20


class Command(OperatorCommand):
    help = "Says how far the migrations are. Exit code 0: everything is current. 2: something is behind or failed."
    writes = False

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="name every tenant, also those that are current")

    def run(self, **options: Any) -> dict[str, Any]:
        return as_json(migration_status(), everybody=options["all"])

    def text(self, result: dict[str, Any]) -> str:
        tenants = result["tenants"]
        lines = [
            f"public    {'current' if not result['public'] else 'behind: ' + ', '.join(result['public'])}",
            f"template  {'current' if result['templateCurrent'] else 'behind'}",
            f"tenants   {tenants['current']} current, {tenants['behind']} behind, {tenants['running']} running,"
            f" {tenants['failed']} failed",
        ]
        listed = result["listed"]
        lines += [f"{one['slug']:<40} {one['state']:<8} {one['at'] or '-':<24} {one['error']}".rstrip() for one in
                  listed[:SHOWN]]  # fmt: skip
        if len(listed) > SHOWN:
            lines.append(f"... and {len(listed) - SHOWN} more; --json names all of them.")
        return "\n".join(lines)

    def exit_code(self, result: dict[str, Any]) -> int:
        return 0 if result["current"] else PROBLEMS


def as_json(status: MigrationStatus, *, everybody: bool) -> dict[str, Any]:
    # What failed is what somebody looks for.
    order = ("failed", "running", "behind", "current")
    listed = sorted(status.tenants, key=lambda one: order.index(one.state))
    return {
        "current": status.is_current,
        "public": status.public,
        "templateCurrent": status.template_current,
        "tenants": {state: status.count(state) for state in ("current", "behind", "running", "failed")},
        "listed": [
            {
                "slug": one.slug,
                "schema": one.schema_name,
                "status": one.status,
                "state": one.state,
                "error": one.error,
                "at": wire_time(one.at) if one.at else None,
            }
            for one in listed
            if everybody or one.state != "current"
        ],
    }
