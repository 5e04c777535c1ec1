"""What tenancy adds to the platform's catalogues."""

from platform_site.journal.keys import journal_key

TENANT_REGISTERED = journal_key("tenancy.tenant_registered", "The tenant came into being")
TENANT_SUSPENDED = journal_key("tenancy.tenant_suspended", "Staff suspended the tenant")
TENANT_REACTIVATED = journal_key("tenancy.tenant_reactivated", "Staff reactivated the tenant")
