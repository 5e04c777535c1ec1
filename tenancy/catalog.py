"""What tenancy adds to the platform's catalogues."""

from platform_site.journal.keys import journal_key
from platform_site.setup_tasks import SetupTask, setup_task
from tenancy.org_settings.catalog import SETTING_CHANGED
from tenancy.org_settings.setting_up import company_is_known

TENANT_REGISTERED = journal_key("tenancy.tenant_registered", "The tenant came into being")
TENANT_SUSPENDED = journal_key("tenancy.tenant_suspended", "Staff suspended the tenant")
TENANT_REACTIVATED = journal_key("tenancy.tenant_reactivated", "Staff reactivated the tenant")
TENANT_RESTORED = journal_key("tenancy.tenant_restored", "The tenant came back from a backup")
TENANT_EXPORTED = journal_key("tenancy.tenant_exported", "All of the tenant's data was written into an archive")
TENANT_IMPORTED = journal_key("tenancy.tenant_imported", "The tenant came from another installation")

setup_task(
    SetupTask(
        code="tenancy.company_profile",
        title="Give your company its name and logo",
        description="They are shown on the sign-in page and in mails.",
        category="company",
        order=20,
        check=company_is_known,
        required=False,
        action_path="/settings/company",
        estimate_minutes=3,
        advanced_by=(SETTING_CHANGED,),
    )
)
