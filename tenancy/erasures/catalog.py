"""What erasures add to the platform's catalogues."""

from platform_site.tenant_rows import AtPurge, AtRestore, TenantRows, tenant_rows

tenant_rows.add(
    TenantRows(
        "erasures.Erasure",
        "tenant_id",
        AtPurge.KEPT,
        AtRestore.ADDED,
        "Whoever was erased is erased again, whichever backup is restored.",
        why_purged="A backup that is restored later must not bring them back.",
        unnumbered=("id",),
    )
)
