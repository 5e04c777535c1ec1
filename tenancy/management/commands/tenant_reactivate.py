"""``manage.py tenant_reactivate SLUG``"""

from typing import Any
from uuid import UUID

from tenancy.management.tenants import TenantCommand
from tenancy.models import Tenant
from tenancy.services import tenant_reactivate


class Command(TenantCommand):
    help = "Lets a suspended tenant work again."

    def change(self, tenant_id: UUID, **options: Any) -> Tenant:
        return tenant_reactivate(tenant_id=tenant_id, actor=options["actor"])
