"""``manage.py billing_sync``: bring a tenant's billing up to what Stripe says."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.presenting import present_status
from billing.selectors.status import billing_status
from billing.services.syncing import account_sync
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.tenants import find_tenant

USAGE = 2


class Command(BaseCommand):
    help = (
        "Asks Stripe about one tenant and prints what it has. Exit code 1: Stripe did not answer. 2: there is no such"
        " tenant, or billing is not set up."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(slug=options["tenant"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.", returncode=USAGE)
        try:
            account = account_sync(tenant_id=tenant.id)
        except PlatformError as error:
            code = USAGE if error.code.key == "billing_not_configured" else 1
            raise CommandError(error.message, returncode=code) from None
        with bind(tenant):
            shown = present_status(billing_status(account), manages=True)
        self.stdout.write(json.dumps(shown, indent=2))
