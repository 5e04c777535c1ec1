"""What staff do in a tenant, as its administrators read it in their audit log."""

from platform_site.journal.keys import journal_key
from platform_site.tenant_rows import KEPT, TenantRows, tenant_rows

SESSION_OPENED = journal_key("staff.session_opened", "Support began to work in this workspace")
SESSION_CLOSED = journal_key("staff.session_closed", "Support ended its work in this workspace")
IMPERSONATION_STARTED = journal_key("staff.impersonation_started", "Support signed in as somebody")
IMPERSONATION_ENDED = journal_key("staff.impersonation_ended", "Support is no longer signed in as somebody")
ACTED = journal_key("staff.acted", "Support changed something in this workspace")

_WHY = "what staff did stays known; it names staff, and the tenant by its id"
tenant_rows.add(TenantRows("staff.StaffSession", "tenant_id", KEPT, why=_WHY))
tenant_rows.add(TenantRows("staff.StaffAct", "tenant_id", KEPT, why=_WHY))
tenant_rows.add(TenantRows("staff.Impersonation", "staff_session__tenant_id", KEPT, why=_WHY))
