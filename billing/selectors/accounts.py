"""Reading billing accounts, also of those who have none yet."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from billing.models import BillingAccount
from tenancy.models import Tenant

# A tenant that is older than this when its account is made was here before there was billing.
NEW_FOR = timedelta(days=1)


def account_of(*, tenant_id: UUID) -> BillingAccount:
    """The tenant's account; where there is no row yet, what would be in it. One query, or two."""
    found = BillingAccount.objects.select_related("tenant").filter(tenant_id=tenant_id).first()
    return found or first_account(Tenant.objects.get(id=tenant_id), timezone.now())


def first_account(tenant: Tenant, now: datetime) -> BillingAccount:
    """A new account in its trial, not saved. Whoever was here before there was billing begins the trial now."""
    started = tenant.created_at if now - tenant.created_at < NEW_FOR else now
    return BillingAccount(
        tenant=tenant,
        trial_started_at=started,
        trial_ends_at=started + timedelta(days=settings.BILLING_TRIAL_DAYS),
        # What the database would put there.
        created_at=now,
    )
