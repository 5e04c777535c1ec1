"""What the backoffice adds to the platform's catalogues."""

from platform_site.tenant_rows import AtPurge, AtRestore, TenantRows, tenant_rows

tenant_rows.add(
    TenantRows(
        "backoffice.TenantFigures",
        "tenant_id",
        AtPurge.REMOVED,
        AtRestore.LEFT_OUT,
        "Counted anew within a quarter of an hour.",
    )
)
tenant_rows.add(
    TenantRows(
        "backoffice.TenantDay",
        "tenant_id",
        AtPurge.REMOVED,
        AtRestore.LEFT_OUT,
        "What happened on past days has happened.",
    )
)
