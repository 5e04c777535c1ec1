"""``manage.py billing_sync``: bring a tenant's billing up to what Stripe says."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from billing.errors import BILLING_NOT_CONFIGURED
from billing.presenting import present_status
from billing.selectors.status import billing_status
from billing.services.syncing import account_sync
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.management.operator import REFUSED, USAGE, OperatorCommand, refusal, rehearsed, tenant_named


class Command(OperatorCommand):
    help = (
        "Asks Stripe about one tenant and prints what it has. Exit code 1: Stripe did not answer. 2: there is no such"
        " tenant, or billing is not set up."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")

    def run(self, **options: Any) -> dict[str, Any]:
        tenant = tenant_named(options["tenant"])
        try:
            with rehearsed(options["dry_run"]):
                account = account_sync(tenant_id=tenant.id)
                with bind(tenant):
                    shown = present_status(billing_status(account), manages=True)
        except PlatformError as error:
            code = USAGE if error.code == BILLING_NOT_CONFIGURED else REFUSED
            raise CommandError(refusal(error), returncode=code) from error
        return shown

    def text(self, result: dict[str, Any]) -> str:
        """There is no shorter way to say all of it."""
        return json.dumps(result, indent=2)
