"""``manage.py tenant_suspend SLUG --reason TEXT``"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from tenancy.management.tenants import TenantCommand
from tenancy.models import Tenant
from tenancy.services import tenant_suspend


class Command(TenantCommand):
    help = "Suspends a tenant: nobody in it can do anything until tenant_reactivate."

    def options(self, parser: ArgumentParser) -> None:
        super().options(parser)
        parser.add_argument("--reason", required=True, help="why; the tenant's administrators can read it")

    def change(self, tenant_id: UUID, **options: Any) -> Tenant:
        return tenant_suspend(tenant_id=tenant_id, reason=options["reason"], actor=options["actor"])
