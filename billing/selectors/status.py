"""What a tenant is told about its billing. Never asks Stripe."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from accounts.models import User
from billing.models import BillingAccount
from billing.plans import Plan, SeatMode, catalogue
from billing.selectors.accounts import account_of
from billing.selectors.allowance import has_bought, plan_in_force
from billing.state import access_of, status_of
from platform_site.binding import require_tenant
from platform_site.paid_access import FULL, PaidAccess

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SeatUse:
    """``purchased`` None: as many as they like. Invited people hold a seat and are among ``used``."""

    mode: SeatMode
    purchased: int | None
    used: int
    pending: int

    @property
    def available(self) -> int | None:
        return None if self.purchased is None else max(0, self.purchased - self.used)

    @property
    def over_by(self) -> int:
        return 0 if self.purchased is None else max(0, self.used - self.purchased)


@dataclass(frozen=True, slots=True)
class TrialState:
    active: bool
    started_at: datetime | None
    ends_at: datetime | None
    days_left: int


@dataclass(frozen=True, slots=True)
class BillingStatus:
    """Everything of one moment. ``plan`` None: nothing is sold here, or a plan of old."""

    configured: bool
    account: BillingAccount
    plan: Plan | None
    status: BillingAccount.Status
    access: PaidAccess
    seats: SeatUse
    trial: TrialState
    now: datetime

    @property
    def grace_ends_at(self) -> datetime | None:
        """Until when everything works although a payment failed, or because staff said so."""
        late = self.account.past_due_since is not None or self.account.grace_until is not None
        return self.access.read_only_from if late else None


def billing_status(account: BillingAccount | None = None) -> BillingStatus:
    """Of the bound tenant, in two queries; in three while it has no account of its own yet."""
    now = timezone.now()
    account = account or account_of(tenant_id=require_tenant().id)
    configured = settings.BILLING_CONFIGURED
    plan = plan_in_force(account, now) if configured else None
    return BillingStatus(
        configured=configured,
        account=account,
        plan=plan,
        status=status_of(account, now) if configured else BillingAccount.Status.NONE,
        access=access_of(account) if configured else FULL,
        seats=_seats(account, plan),
        trial=_trial(account, now) if configured else TrialState(False, None, None, 0),
        now=now,
    )


def _seats(account: BillingAccount, plan: Plan | None) -> SeatUse:
    counted = User.objects.aggregate(
        active=Count("id", filter=Q(status=User.Status.ACTIVE)),
        pending=Count("id", filter=Q(status=User.Status.PENDING)),
    )
    used, pending = counted["active"] + counted["pending"], counted["pending"]
    if plan is None or not has_bought(account):
        return SeatUse("unlimited", None, used, pending)
    if plan.seats.mode == "included":
        return SeatUse("included", plan.seats.included, used, pending)
    return SeatUse(plan.seats.mode, account.seats_purchased if plan.counts_seats else None, used, pending)


def _trial(account: BillingAccount, now: datetime) -> TrialState:
    """Stripe's trial, once there is a subscription; before, our own. The last day counts as one, its end as none."""
    if has_bought(account):
        ends = account.stripe_trial_ends_at
        active = account.stripe_status == "trialing" and ends is not None and ends > now
    else:
        ends = account.trial_ends_at
        active = ends is not None and ends > now
    left = math.ceil((ends - now) / _DAY) if active and ends is not None else 0
    return TrialState(active, account.trial_started_at, ends, left)


def public_plans() -> list[Plan]:
    """What is sold, in the order of the catalogue."""
    return sorted((plan for plan in catalogue().plans if plan.public), key=lambda plan: plan.sort)
