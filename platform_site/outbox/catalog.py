"""What the outbox adds to the platform's catalogues."""

from platform_site.tenant_rows import REMOVED, TenantRows, tenant_rows

tenant_rows.add(TenantRows("outbox.OutboxRow", "tenant_id", REMOVED))
