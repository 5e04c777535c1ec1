"""What the clock does: trials get their account and their notice, and Stripe hears of tenants that are gone."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from billing import catalog
from billing.models import BillingAccount, CheckoutAttempt, StripeEvent
from billing.services.accounts import account_changed, account_lock, accounts_open
from billing.services.subscriptions import end_now, end_with_period, go_on
from billing.services.syncing import journal_of, sync_locked
from billing.state import LIVE, STANDING, can_resume
from platform_site.errors import PlatformError
from platform_site.journal.services import record
from tenancy.models import Tenant

log = structlog.get_logger(__name__)

# An account that nothing was heard of for so long is looked at.
STALE_AFTER: Final = timedelta(days=1)
# As many of them as one round asks Stripe about.
STALE_AT_ONCE: Final = 200
# After so many that failed a round is over.
FAILURES_AT_MOST: Final = 3
KEEP_EVENTS: Final = timedelta(days=90)
_GONE: Final = (Tenant.Status.PENDING_DELETION, Tenant.Status.DELETED)


def keep_up(*, now: datetime) -> None:
    """One round, in public. What fails for one tenant is logged and left for the next round."""
    if not settings.BILLING_CONFIGURED:
        return
    while accounts_open():
        pass
    trials_announce(now=now)
    subscriptions_of_the_gone()
    stale_look(now=now)
    old_events(now).delete()
    CheckoutAttempt.objects.filter(status=CheckoutAttempt.Status.OPEN, expires_at__lt=now).update(
        status=CheckoutAttempt.Status.EXPIRED
    )


def old_events(now: datetime) -> "QuerySet[StripeEvent]":
    """Events that are kept no longer; one that failed waits for somebody to look."""
    return StripeEvent.objects.filter(received_at__lt=now - KEEP_EVENTS).exclude(status=StripeEvent.Status.FAILED)


def trials_announce(*, now: datetime) -> int:
    """Tell administrators once that the trial ends, three days before. Gives how many tenants."""
    soon = now + timedelta(days=catalog.TRIAL_NOTICE_DAYS)
    near = BillingAccount.objects.filter(
        trial_ends_at__gt=now,
        trial_ends_at__lte=soon,
        stripe_status="",
        is_comped=False,
        trial_notice_for=None,
        tenant__status=Tenant.Status.ACTIVE,
    )
    count = 0
    for tenant_id in list(near.values_list("tenant_id", flat=True)[:500]):
        with transaction.atomic():
            account = account_lock(tenant_id=tenant_id)
            if account.trial_ends_at is None or account.trial_notice_for == account.trial_ends_at:
                continue
            account.trial_notice_for = account.trial_ends_at
            account.save(update_fields=["trial_notice_for", "updated_at"])
            with journal_of(account):
                ends = account.trial_ends_at.isoformat()
                record(catalog.TRIAL_ENDING, subject=("billing", tenant_id), data={"endsAt": ends, "hasCard": False})
            count += 1
    return count


def subscriptions_of_the_gone() -> int:
    """End what tenants that are deleted still pay for, let what suspended ones pay for run out, and take that back
    when they are reactivated. Gives how many were changed."""
    changing = BillingAccount.objects.filter(
        Q(tenant__status__in=_GONE, stripe_status__in=LIVE)
        | Q(tenant__status=Tenant.Status.SUSPENDED, stripe_status__in=STANDING, cancel_at=None)
        | Q(tenant__status=Tenant.Status.ACTIVE, canceled_for_suspension=True)
    )
    count = 0
    for tenant_id in list(changing.values_list("tenant_id", flat=True)[:500]):
        try:
            count += _follow_tenant(tenant_id)
        except PlatformError as error:
            log.warning("billing.not_followed", tenant=str(tenant_id), error=error.code.key)
    return count


@transaction.atomic
def _follow_tenant(tenant_id: UUID) -> bool:
    account = account_lock(tenant_id=tenant_id)
    sync_locked(account)
    status, kind = account.tenant.status, "canceled"
    if status in _GONE and account.stripe_status in LIVE:
        end_now(account)
    elif status == Tenant.Status.SUSPENDED and account.stripe_status in STANDING and account.cancel_at is None:
        end_with_period(account)
        account.canceled_for_suspension = True
    elif status == Tenant.Status.ACTIVE and account.canceled_for_suspension:
        if can_resume(account):
            go_on(account)
        account.canceled_for_suspension = False
        kind = "resumed"
    else:
        return False
    account.save()
    sync_locked(account)
    account_changed(account, kind, by="tenancy", after={"tenant": status})
    return True


def stale_look(*, now: datetime) -> int:
    """Ask Stripe about customers of whom nothing was heard for a day: an event may have got lost. Gives how many."""
    stale = BillingAccount.objects.exclude(customer_id=None).filter(
        Q(synced_at=None) | Q(synced_at__lt=now - STALE_AFTER)
    )
    count = failures = 0
    for tenant_id in list(stale.order_by("synced_at").values_list("tenant_id", flat=True)[:STALE_AT_ONCE]):
        try:
            with transaction.atomic():
                sync_locked(account_lock(tenant_id=tenant_id))
            count += 1
        except PlatformError as error:
            # One may be a customer's own trouble; several are a Stripe that is away, for the others too.
            log.warning("billing.not_looked_at", tenant=str(tenant_id), error=error.code.key)
            failures += 1
            if failures == FAILURES_AT_MOST:
                break
    return count
