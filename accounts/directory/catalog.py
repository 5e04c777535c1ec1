"""What the directory adds to the platform's catalogues."""

from platform_site.tenant_rows import AtPurge, AtRestore, TenantRows, tenant_rows

tenant_rows.add(
    TenantRows(
        "directory.DirectoryEntry",
        "tenant_id",
        AtPurge.REMOVED,
        AtRestore.REBUILT,
        "Hashes of the addresses that are in the tenant's schema, under today's key.",
    )
)
