"""What staff do in a tenant, as its administrators read it in their audit log."""

from platform_site.journal.keys import journal_key
from platform_site.tenant_rows import AtPurge, AtRestore, TenantRows, tenant_rows

SESSION_OPENED = journal_key("staff.session_opened", "Support began to work in this workspace")
SESSION_CLOSED = journal_key("staff.session_closed", "Support ended its work in this workspace")
IMPERSONATION_STARTED = journal_key("staff.impersonation_started", "Support signed in as somebody")
IMPERSONATION_ENDED = journal_key("staff.impersonation_ended", "Support is no longer signed in as somebody")
ACTED = journal_key("staff.acted", "Support changed something in this workspace")

for _label, _by, _why in (
    ("staff.StaffSession", "tenant_id", "Staff's own record of when they were where."),
    ("staff.StaffAct", "tenant_id", "Staff's audit: added to, never put back or taken away."),
    ("staff.Impersonation", "staff_session__tenant_id", "As the staff session that it belongs to."),
):
    tenant_rows.add(
        TenantRows(
            _label,
            _by,
            AtPurge.KEPT,
            AtRestore.LEFT_OUT,
            _why,
            why_purged="What staff did stays known; it names staff, and the tenant by its id.",
        )
    )
