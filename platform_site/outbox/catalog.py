"""What the outbox adds to the platform's catalogues."""

from platform_site.outbox.services import place
from platform_site.sealed_columns import SealedColumn, sealed_columns
from platform_site.tenant_rows import REMOVED, TenantRows, tenant_rows

sealed_columns.add(
    SealedColumn(
        key="outbox.requests",
        model="outbox.OutboxRow",
        column="payload",
        place=lambda row: place(row.id),
        sealed_by="platform_site.outbox.services.enqueue_request",
    )
)
tenant_rows.add(TenantRows("outbox.OutboxRow", "tenant_id", REMOVED))
