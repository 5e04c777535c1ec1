"""What the commands about one tenant have in common."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from platform_site.context import WorkContext, work_context
from platform_site.errors import PlatformError
from platform_site.tenants import find_tenant
from tenancy.models import Tenant

USAGE = 2


class TenantCommand(BaseCommand):
    """A command about one tenant, named by its slug.

    Exit codes: 0 done, also when it was so before; 1 refused; 2 wrong usage or no such tenant.
    """

    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the tenant's slug")
        parser.add_argument("--actor", default="command line", help="who does it, for the tenant's journal")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def change(self, tenant_id: UUID, **options: Any) -> Tenant:
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        found = find_tenant(slug=options["slug"])
        if found is None:
            raise CommandError(f"There is no tenant {options['slug']!r}.", returncode=USAGE)
        origin = type(self).__module__.rpartition(".")[2]
        try:
            with work_context(WorkContext(origin=origin)):
                tenant = self.change(found.id, **options)
        except PlatformError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(tenant)))
        else:
            self.stdout.write(f"{tenant.slug} is {tenant.status}.")


def as_json(tenant: Tenant) -> dict[str, str]:
    return {
        "id": str(tenant.id),
        "slug": tenant.slug,
        "status": tenant.status,
        "suspendedReason": tenant.suspended_reason,
    }
