"""What the lens adds to the platform's catalogues."""

from platform_site.tenant_rows import REMOVED, TenantRows, tenant_rows

# An entry of the admin's log has the name of what it is about, which may be a person's.
tenant_rows.add(TenantRows("admin.LogEntry", "of_tenant__tenant_id", REMOVED))
tenant_rows.add(TenantRows("lens.TenantLogEntry", "tenant_id", REMOVED))
