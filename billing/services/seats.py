"""Seats that are paid for follow the people who use them, where the tenant wants that. Never asked for by an event."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.catalog import SEATS_WHEN_FULL
from accounts.seats import seats_used
from billing.catalog import RELEASE_SEATS
from billing.models import BillingAccount
from billing.plans import Plan
from billing.selectors.allowance import has_bought, plan_in_force
from billing.services.accounts import account_changed, account_lock
from billing.services.syncing import sync_locked
from billing.stripe_api import stripe_api
from platform_site.binding import require_tenant
from platform_site.outbox.registry import job_kind
from platform_site.outbox.services import Job, enqueue_jobs
from tenancy.org_settings.selectors import setting_value

SYNC_SEATS: Final = "billing.sync_seats"
# Ten invitations one after the other are one change.
DEBOUNCE: Final = timedelta(seconds=60)
# So close to a renewal seats that nobody uses are given back.
BEFORE_RENEWAL: Final = timedelta(days=1)
# Of these subscriptions the number may be changed.
_CHANGEABLE: Final = ("active", "trialing")


def seats_look(*, tenant_id: UUID) -> None:
    """Have the number of seats looked at in a minute. In the caller's transaction, in the tenant."""
    enqueue_jobs(kind=SYNC_SEATS, jobs=[Job(tenant_id, timezone.now() + DEBOUNCE)])


@job_kind(SYNC_SEATS)
def seats_sync(tenant_id: UUID) -> None:
    """Buy the seats that are used beyond those that are paid for, or give some back right before a renewal.

    Does nothing unless the tenant's plan counts seats and its settings ask for it.
    """
    if not _wants_more() and not setting_value(RELEASE_SEATS):
        return
    with transaction.atomic():
        account = account_lock(tenant_id=tenant_id)
        plan = plan_in_force(account, timezone.now())
        if plan is None or not plan.counts_seats or not has_bought(account):
            return
        sync_locked(account)
        wanted = _wanted(account, plan)
        if wanted is None or wanted == account.seats_purchased or account.stripe_status not in _CHANGEABLE:
            return
        _buy(account, wanted)


def _wants_more() -> bool:
    return bool(setting_value(SEATS_WHEN_FULL) == "exceed")


def _wanted(account: BillingAccount, plan: Plan) -> int | None:
    """How many seats should be paid for; None when that is not ours to say."""
    paid, used = account.seats_purchased, seats_used()
    if paid is None or account.pending_plan_id or account.cancel_at is not None:
        # A number that is about to change is left to whoever changed it.
        return None
    if used > paid:
        return min(used, plan.seats.max) if _wants_more() else None
    renews = account.period_end
    soon = renews is not None and renews - timezone.now() <= BEFORE_RENEWAL
    return max(used, plan.seats.min) if soon and setting_value(RELEASE_SEATS) else None


def _buy(account: BillingAccount, seats: int) -> None:
    before = account.seats_purchased or 0
    # The hour is part of the key: a try that got no answer is the same try for a while, and not for ever.
    key = f"seats:{account.subscription_id}:{before}:{seats}:{timezone.now():%Y%m%d%H}"
    prorated = "create_prorations" if seats > before else "none"
    stripe_api().item_update(account.item_id, {"quantity": seats, "proration_behavior": prorated}, key=key)
    sync_locked(account)
    account_changed(account, "changed_seats", by="seats", before={"seats": before}, after={"seats": seats})


def seats_reconcile() -> None:
    """The same by the clock, for the bound tenant: what a change did not bring about is brought about at night."""
    seats_sync(require_tenant().id)
