"""What the lens adds to the platform's catalogues."""

from platform_site.tenant_rows import AtPurge, AtRestore, TenantRows, tenant_rows

# An entry of the admin's log has the name of what it is about, which may be a person's.
for _label, _by in (("admin.LogEntry", "of_tenant__tenant_id"), ("lens.TenantLogEntry", "tenant_id")):
    tenant_rows.add(
        TenantRows(_label, _by, AtPurge.REMOVED, AtRestore.LEFT_OUT, "What staff did in the lens stays done.")
    )
