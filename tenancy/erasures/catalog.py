"""What erasures add to the platform's catalogues."""

from platform_site.tenant_rows import KEPT, TenantRows, tenant_rows

tenant_rows.add(
    TenantRows("erasures.Erasure", "tenant_id", KEPT, why="a backup that is restored later must not bring them back")
)
