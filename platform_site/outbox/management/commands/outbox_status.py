"""``manage.py outbox_status``"""

from argparse import ArgumentParser
from typing import Any

from platform_site.management.operator import PROBLEMS, OperatorCommand
from platform_site.moments import wire_time
from platform_site.outbox.selectors import STUCK_SECONDS, outbox_status


class Command(OperatorCommand):
    help = (
        "Says what waits in the outbox, by queue, and what rests there. Exit code 2: there are dead letters, or"
        " something has been due for longer than --late seconds."
    )
    writes = False

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--late", type=int, default=STUCK_SECONDS, metavar="SECONDS", help="default: %(default)s")

    def run(self, **options: Any) -> dict[str, Any]:
        status = outbox_status()
        return {
            "queues": [
                {
                    "queue": one.queue,
                    "due": one.due,
                    "waiting": one.waiting,
                    "oldestDueAt": wire_time(one.oldest_due_at) if one.oldest_due_at else None,
                    "lateSeconds": round(one.late_seconds),
                }
                for one in status.queues
            ],
            "parked": status.parked,
            "dead": status.dead,
            "deadByKind": status.dead_by_kind,
            "isLate": any(one.late_seconds > options["late"] for one in status.queues),
        }

    def text(self, result: dict[str, Any]) -> str:
        lines = [f"{'queue':<10}{'due':>10}{'waiting':>10}  due for"]
        lines += [
            f"{one['queue']:<10}{one['due']:>10,}{one['waiting']:>10,}  {one['lateSeconds']} s"
            for one in result["queues"]
        ]
        lines.append(f"parked {result['parked']:,} (their tenants are closed), dead letters {result['dead']:,}")
        lines += [f"  {kind}: {count:,}" for kind, count in result["deadByKind"].items()]
        return "\n".join(lines)

    def exit_code(self, result: dict[str, Any]) -> int:
        return PROBLEMS if result["dead"] or result["isLate"] else 0
