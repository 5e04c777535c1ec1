"""``manage.py billing_grace``: give a tenant more time to pay, or none any more."""

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from billing.services.staff import grace_end, grace_extend
from platform_site.management.operator import USAGE, OperatorCommand, rehearsed, tenant_named
from platform_site.moments import wire_time


class Command(OperatorCommand):
    help = (
        "Lets everything of a tenant work until a day, whatever was paid; one extension at a time. With --end, takes it"
        " back. Exit code 1: it was refused. 2: wrong usage."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--days", type=int, help="so many days from now")
        group.add_argument("--until", help="to the end of this day (UTC), as 2026-12-31")
        group.add_argument("--end", action="store_true", help="take an extension back")
        parser.add_argument("--reason", required=True, help="why; the tenant sees it in its journal")
        parser.add_argument("--by", default="manage.py", help="who")

    def run(self, **options: Any) -> dict[str, Any]:
        tenant = tenant_named(options["tenant"])
        given = {"tenant_id": tenant.id, "reason": options["reason"], "by": options["by"]}
        with rehearsed(options["dry_run"]):
            account = grace_end(**given) if options["end"] else grace_extend(until=_until(options), **given)
        until = account.grace_until
        return {"slug": tenant.slug, "until": wire_time(until) if until else None, "dryRun": options["dry_run"]}

    def text(self, result: dict[str, Any]) -> str:
        if result["until"] is None:
            return "The extension would end." if result["dryRun"] else "The extension ended."
        works = "would work" if result["dryRun"] else "works"
        return f"Everything {works} until {result['until'][:16].replace('T', ' ')} UTC."


def _until(options: dict[str, Any]) -> datetime:
    if options["days"] is not None:
        return timezone.now() + timedelta(days=options["days"])
    try:
        day = datetime.strptime(options["until"], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise CommandError(f"{options['until']!r} is no day; write it as 2026-12-31.", returncode=USAGE) from None
    return day + timedelta(days=1)
