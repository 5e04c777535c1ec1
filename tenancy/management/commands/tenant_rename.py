"""``manage.py tenant_rename SLUG --slug NEW [--name TEXT]``"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from platform_site.management.operator import USAGE
from tenancy.management.tenants import TenantCommand
from tenancy.models import Tenant
from tenancy.renaming import tenant_rename


class Command(TenantCommand):
    help = "Gives a tenant another slug or name. The slug before leads to it for 90 days and is nobody else's."

    def options(self, parser: ArgumentParser) -> None:
        super().options(parser)
        parser.add_argument("--slug", dest="new_slug", default="", help="the new slug")
        parser.add_argument("--name", default="", help="the new name")

    def change(self, tenant_id: UUID, **options: Any) -> Tenant:
        if not (options["new_slug"] or options["name"]):
            raise CommandError("Say --slug, --name or both.", returncode=USAGE)
        return tenant_rename(
            tenant_id=tenant_id, slug=options["new_slug"], name=options["name"], actor=options["actor"]
        )

    def text(self, result: dict[str, Any]) -> str:
        would = "would be" if result["dryRun"] else "is"
        return f"The tenant {would} called {result['name']!r} and found as {result['slug']}."
