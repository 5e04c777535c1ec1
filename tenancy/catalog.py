"""What tenancy adds to the platform's catalogues."""

from functools import lru_cache

from platform_site.idempotency.store import answer_place
from platform_site.journal.keys import journal_key
from platform_site.metrics.gauges import Gauge, gauges
from platform_site.sealed_columns import SealedColumn, sealed_columns
from platform_site.setup_tasks import SetupTask, setup_task
from platform_site.tenant_rows import AtPurge, AtRestore, TenantRows, tenant_rows
from tenancy.org_settings.catalog import SETTING_CHANGED
from tenancy.org_settings.setting_up import company_is_known

TENANT_REGISTERED = journal_key("tenancy.tenant_registered", "The tenant came into being")
TENANT_SUSPENDED = journal_key("tenancy.tenant_suspended", "Staff suspended the tenant")
TENANT_REACTIVATED = journal_key("tenancy.tenant_reactivated", "Staff reactivated the tenant")
TENANT_RESTORED = journal_key("tenancy.tenant_restored", "The tenant came back from a backup")
TENANT_EXPORTED = journal_key("tenancy.tenant_exported", "All of the tenant's data was written into an archive")
TENANT_IMPORTED = journal_key("tenancy.tenant_imported", "The tenant came from another installation")
TENANT_RENAMED = journal_key("tenancy.tenant_renamed", "Staff gave the tenant another address or name")
DELETION_SCHEDULED = journal_key("tenancy.deletion_scheduled", "The tenant is going to be deleted")
DELETION_UNDONE = journal_key("tenancy.deletion_undone", "The tenant is not going to be deleted after all")

TENANT_ROW = tenant_rows.add(
    TenantRows(
        "tenancy.Tenant",
        "id",
        AtPurge.ANONYMISED,
        AtRestore.BY_RULE,
        "Name, time zone, language, logo and colours are the tenant's own and come back; address, status, plan and"
        " access are staff's and billing's, and stay as they are while the tenant lives.",
        why_purged="Bookkeeping hangs on it, and billing ends a subscription by it.",
    )
)
tenant_rows.add(
    TenantRows(
        "tenancy.Domain",
        "tenant",
        AtPurge.REMOVED,
        AtRestore.WHEN_GONE,
        "Staff give and take host names.",
        unnumbered=("id",),
    )
)
tenant_rows.add(
    TenantRows(
        "tenancy.TenantMigration",
        "tenant_id",
        AtPurge.REMOVED,
        AtRestore.LEFT_OUT,
        "How its last migration went; written by each.",
    )
)
tenant_rows.add(
    TenantRows(
        "tenancy.FormerSlug",
        "tenant_id",
        AtPurge.KEPT,
        AtRestore.LEFT_OUT,
        "Addresses are staff's; they stay as they are.",
        why_purged="Nobody else gets the slugs for a while.",
    )
)


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
# As ``tenancy.migrating.tenants.schema_is_behind`` says it; a test compares the two.
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

sealed_columns.add(
    SealedColumn(
        key="tenancy.sign_up_answers",
        model="tenancy.RegistrationKey",
        column="answer",
        place=lambda row: answer_place(bytes(row.key_hash)),
        sealed_by="platform_site.idempotency.store.run_once",
    )
)
