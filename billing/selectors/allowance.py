"""How many seats a tenant has, for whoever invites somebody."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.seats import SeatAllowance
from billing.models import BillingAccount
from billing.plans import Plan, catalogue
from billing.selectors.accounts import account_of
from billing.state import is_comped
from platform_site.binding import TenantRef


def seat_allowance(tenant: TenantRef) -> SeatAllowance:
    """By the plan. Without billing, in a trial, free of charge and on plans of old: as many as they like."""
    return allowance_of(account_of(tenant_id=tenant.id)) if settings.BILLING_CONFIGURED else SeatAllowance()


def allowance_of(account: BillingAccount) -> SeatAllowance:
    """What this account allows, for whoever has it already. No query."""
    if not settings.BILLING_CONFIGURED:
        return SeatAllowance()
    plan = plan_in_force(account, timezone.now())
    if plan is None or not has_bought(account):
        return SeatAllowance()
    if plan.seats.mode == "included":
        return SeatAllowance(limit=plan.seats.included)
    if plan.counts_seats and account.seats_purchased is not None:
        return SeatAllowance(limit=account.seats_purchased, may_exceed=account.seats_purchased < plan.seats.max)
    return SeatAllowance()


def has_bought(account: BillingAccount) -> bool:
    return account.stripe_status not in ("", "incomplete", "incomplete_expired")


def plan_in_force(account: BillingAccount, now: datetime) -> Plan | None:
    """The plan whose features and limits count: what was bought, or that of trials. None for a plan of old."""
    plans = catalogue()
    if is_comped(account, now) and not has_bought(account):
        return plans.find(plans.trial_plan)
    return plans.find(account.plan_id if has_bought(account) else plans.trial_plan)
