"""What the directory adds to the platform's catalogues."""

from platform_site.tenant_rows import REMOVED, TenantRows, tenant_rows

tenant_rows.add(TenantRows("directory.DirectoryEntry", "tenant_id", REMOVED))
