"""``manage.py outbox_redrive``"""

from argparse import ArgumentParser
from typing import Any, Final
from uuid import UUID

from platform_site.management.operator import OperatorCommand, tenant_named
from platform_site.moments import wire_time
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.services import dead_letters, redrive

SHOWN: Final = 100


class Command(OperatorCommand):
    help = "Gives dead letters another round of attempts; with --dry-run it only lists them, the oldest first."
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="only this tenant's")
        parser.add_argument("--row", type=UUID, metavar="ID", help="only this one")
        parser.add_argument("--kind", help="only those of this reaction or kind of job")

    def run(self, **options: Any) -> dict[str, Any]:
        tenant = tenant_named(options["tenant"]) if options["tenant"] else None
        chosen = {"tenant_id": tenant.id if tenant else None, "row_id": options["row"], "kind": options["kind"] or ""}
        rows = dead_letters(**chosen)
        listed = [_as_json(row) for row in rows.order_by("id")[:SHOWN]]
        count = rows.count() if options["dry_run"] else redrive(**chosen)
        return {"count": count, "rows": listed, "dryRun": bool(options["dry_run"])}

    def text(self, result: dict[str, Any]) -> str:
        verb = "would get" if result["dryRun"] else "get"
        lines = [
            f"{one['id']}  {one['tenantId'] or '-':<36}  {one['kind']}  {one['lastError']}" for one in result["rows"]
        ]
        if result["count"] > len(lines):
            lines.append(f"... and {result['count'] - len(lines)} more")
        return "\n".join([*lines, f"{result['count']} dead letters {verb} another round of attempts."])


def _as_json(row: OutboxRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "tenantId": str(row.tenant_id) if row.tenant_id else None,
        "key": row.key,
        "kind": row.reaction,
        "lastError": row.last_error,
        "createdAt": wire_time(row.created_at),
    }
