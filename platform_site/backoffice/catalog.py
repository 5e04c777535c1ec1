"""What the backoffice adds to the platform's catalogues."""

from platform_site.tenant_rows import REMOVED, TenantRows, tenant_rows

tenant_rows.add(TenantRows("backoffice.TenantFigures", "tenant_id", REMOVED))
tenant_rows.add(TenantRows("backoffice.TenantDay", "tenant_id", REMOVED))
