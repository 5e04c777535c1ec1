"""``manage.py billing_grace``: give a tenant more time to pay, or none any more."""

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.services.staff import grace_end, grace_extend
from platform_site.errors import PlatformError
from platform_site.tenants import find_tenant

USAGE = 2


class Command(BaseCommand):
    help = (
        "Lets everything of a tenant work until a day, whatever was paid; one extension at a time. With --end, takes it"
        " back. Exit code 1: it was refused. 2: wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--days", type=int, help="so many days from now")
        group.add_argument("--until", help="to the end of this day (UTC), as 2026-12-31")
        group.add_argument("--end", action="store_true", help="take an extension back")
        parser.add_argument("--reason", required=True, help="why; the tenant sees it in its journal")
        parser.add_argument("--by", default="manage.py", help="who")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(slug=options["tenant"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.", returncode=USAGE)
        given = {"tenant_id": tenant.id, "reason": options["reason"], "by": options["by"]}
        try:
            if options["end"]:
                grace_end(**given)
                self.stdout.write("The extension ended.")
            else:
                account = grace_extend(until=_until(options), **given)
                self.stdout.write(f"Everything works until {account.grace_until:%Y-%m-%d %H:%M} UTC.")
        except PlatformError as error:
            raise CommandError(error.message, returncode=1) from None


def _until(options: dict[str, Any]) -> datetime:
    if options["days"] is not None:
        return timezone.now() + timedelta(days=options["days"])
    try:
        day = datetime.strptime(options["until"], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise CommandError(f"{options['until']!r} is no day; write it as 2026-12-31.", returncode=USAGE) from None
    return day + timedelta(days=1)
