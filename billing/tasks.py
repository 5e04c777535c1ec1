"""Billing by the clock."""

import structlog
from django.conf import settings
from django.utils import timezone

from billing.models import BillingAccount
from billing.services.keeping_up import keep_up, old_events
from billing.services.seats import seats_reconcile
from platform_site.binding import bind
from platform_site.celery import app
from platform_site.errors import PlatformError
from platform_site.retention import Retention, retentions
from platform_site.tasks import PlatformTask
from platform_site.tenants import find_tenant

log = structlog.get_logger(__name__)


@app.task(base=PlatformTask, name="billing.keep_up")
def keep_billing_up() -> None:
    """Trials, tenants that are gone, and customers of whom nothing was heard."""
    keep_up(now=timezone.now())


@app.task(base=PlatformTask, name="billing.reconcile_seats")
def reconcile_seats() -> None:
    """Compare the seats of every subscription with the people who use them."""
    if not settings.BILLING_CONFIGURED:
        return
    subscribed = BillingAccount.objects.filter(stripe_status__in=("active", "trialing"), tenant__status="active")
    for tenant_id in list(subscribed.values_list("tenant_id", flat=True)):
        tenant = find_tenant(id=tenant_id)
        if tenant is None:
            continue
        try:
            with bind(tenant):
                seats_reconcile()
        except PlatformError as error:
            log.warning("billing.seats_not_reconciled", tenant=str(tenant_id), error=error.code.key)


retentions.add(
    Retention(
        "billing.events",
        lambda now: old_events(now).count(),
        lambda now: old_events(now).delete()[0],
        where="public",
    )
)
