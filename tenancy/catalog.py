"""What tenancy adds to the platform's catalogues."""

from functools import lru_cache

from platform_site.journal.keys import journal_key
from platform_site.metrics.gauges import Gauge, gauges
from platform_site.setup_tasks import SetupTask, setup_task
from tenancy.org_settings.catalog import SETTING_CHANGED
from tenancy.org_settings.setting_up import company_is_known

TENANT_REGISTERED = journal_key("tenancy.tenant_registered", "The tenant came into being")
TENANT_SUSPENDED = journal_key("tenancy.tenant_suspended", "Staff suspended the tenant")
TENANT_REACTIVATED = journal_key("tenancy.tenant_reactivated", "Staff reactivated the tenant")


@lru_cache(maxsize=1)
def _code_of_now() -> dict[str, str]:
    from tenancy.migrating.history import migrations_fingerprint

    return {"fingerprint": migrations_fingerprint()}


gauges.add(
    Gauge(
        "core_tenants",
        "Tenants, by status",
        ("status",),
        "SELECT status, count(*) FROM public.tenancy_tenant GROUP BY 1",
    )
)
gauges.add(
    Gauge(
        "core_tenants_behind",
        "Tenants whose schema is not as the code wants it",
        (),
        "SELECT count(*) FROM public.tenancy_tenant"
        " WHERE status NOT IN ('provisioning', 'deleted') AND schema_fingerprint <> %(fingerprint)s",
        _code_of_now,
    )
)

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
