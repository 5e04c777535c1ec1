"""Changing a subscription that is there: cancel it, go on after all, another plan, other seats.

Each looks at Stripe first and again afterwards, under the account's lock, so that
what is answered is what Stripe has.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from billing import errors
from billing.models import BillingAccount
from billing.services.accounts import access_write, account_changed, account_lock
from billing.services.selecting import Selection, price_id
from billing.services.syncing import sync_locked
from billing.state import LIVE, can_resume
from billing.stripe_api import Missing, Object, stripe_api
from platform_site.errors import PlatformError

CancelMode = Literal["period_end", "now"]
# What Stripe takes as a reason of a cancellation.
FEEDBACK: Final = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
# Before this, whatever is not paid yet cannot be waited for.
_OWES: Final = ("past_due", "unpaid", "incomplete")


@transaction.atomic
def subscription_cancel(
    *, tenant_id: UUID, mode: CancelMode = "period_end", feedback: str = "", comment: str = "", by: str = ""
) -> BillingAccount:
    """End the subscription with its period, or at once. What is over already stays so, without an error.

    A subscription that is not paid for ends at once: there is no period to wait for. A trial without a
    subscription ends only ``now``. Raises ``no_active_subscription``.
    """
    account = account_lock(tenant_id=tenant_id)
    sync_locked(account)
    if account.stripe_status == "canceled" and mode == "now":
        return account
    if account.stripe_status not in LIVE:
        return _end_trial(account, mode, by)
    details = {name: value for name, value in (("feedback", feedback), ("comment", comment)) if value}
    params: Object = {"cancellation_details": details} if details else {}
    if mode == "now" or account.stripe_status in _OWES:
        end_now(account, params)
    elif account.cancel_at is None:
        end_with_period(account, params)
    sync_locked(account)
    account_changed(account, "canceled", by=by, reason=comment or feedback, after={"mode": mode})
    return account


def end_with_period(account: BillingAccount, params: Object | None = None) -> None:
    """Let the subscription of an account that the caller holds run out. What was planned for later is dropped."""
    _let_schedule_go(account)
    wanted = {"cancel_at_period_end": True, **(params or {})}
    stripe_api().subscription_update(account.subscription_id, wanted, key=_once(account, "cancel"))


def go_on(account: BillingAccount) -> None:
    """Take that back, for an account that the caller holds."""
    wanted = {"cancel_at_period_end": False}
    stripe_api().subscription_update(account.subscription_id, wanted, key=_once(account, "resume"))


def end_now(account: BillingAccount, params: Object | None = None) -> None:
    """End the subscription of an account that the caller holds. One that has ended already is no error."""
    _let_schedule_go(account)
    try:
        stripe_api().subscription_cancel(account.subscription_id, params or {}, key=_once(account, "end"))
    except Missing:
        # Somebody was faster; what there is now is read next.
        return


def _end_trial(account: BillingAccount, mode: CancelMode, by: str) -> BillingAccount:
    now = timezone.now()
    in_trial = account.stripe_status == "" and account.trial_ends_at is not None
    if not in_trial or account.trial_ends_at is None or account.trial_ends_at <= now:
        raise PlatformError(errors.NO_SUBSCRIPTION)
    if mode == "now":
        before = account.trial_ends_at
        account.trial_ends_at = now
        account.save(update_fields=["trial_ends_at", "updated_at"])
        access_write(account)
        account_changed(account, "ended_trial", by=by, before={"trialEndsAt": before.isoformat()})
    return account


@transaction.atomic
def subscription_resume(*, tenant_id: UUID, by: str = "") -> BillingAccount:
    """Take a cancellation back before it takes effect. Raises ``not_resumable``."""
    account = account_lock(tenant_id=tenant_id)
    sync_locked(account)
    if not can_resume(account):
        raise PlatformError(errors.NOT_RESUMABLE)
    go_on(account)
    sync_locked(account)
    account_changed(account, "resumed", by=by)
    return account


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of plan costs now, in the currency's smallest unit, and when it takes effect."""

    account: BillingAccount
    effective_at: datetime
    amount_due: int
    currency: str


def plan_change(*, tenant_id: UUID, selection: Selection, preview: bool = False, by: str = "") -> Change:
    """Another plan, interval or number of seats: more takes effect at once and is billed, less with the next period.

    With ``preview`` nothing changes. Raises ``no_active_subscription``, ``same_plan``, ``payment_declined``.
    """
    with transaction.atomic():
        account = account_lock(tenant_id=tenant_id)
        sync_locked(account)
        if account.stripe_status not in ("active", "trialing", "past_due"):
            raise PlatformError(errors.NO_SUBSCRIPTION)
        if _is_the_same(account, selection):
            raise PlatformError(errors.SAME_PLAN)
        price = price_id(selection.plan, selection.interval)
        at_once = account.stripe_status == "trialing" or not is_less(account, selection)
        if preview:
            return _preview(account, selection, price, at_once)
        if at_once:
            _change_now(account, selection, price)
        else:
            _change_later(account, selection, price)
        sync_locked(account)
        account_changed(account, "changed_plan", by=by, after=_bought(selection))
        effective = timezone.now() if at_once else account.pending_at or timezone.now()
        return Change(account, effective, 0, account.currency)


def _bought(selection: Selection) -> dict[str, object]:
    return {"planId": selection.plan.id, "interval": selection.interval, "quantity": selection.quantity}


def _is_the_same(account: BillingAccount, selection: Selection) -> bool:
    now = (account.plan_id, account.interval, account.seats_purchased)
    return now == (selection.plan.id, selection.interval, selection.quantity) and not account.pending_plan_id


def is_less(account: BillingAccount, selection: Selection) -> bool:
    """Whether a month of it costs less than what there is. From years to months is less: what was paid stays paid."""
    if account.interval == "yearly" and selection.interval == "monthly":
        return True
    if account.interval == "monthly" and selection.interval == "yearly":
        return False
    new = selection.plan.prices[selection.interval].amount * selection.quantity
    return new < (account.unit_amount or 0) * (account.seats_purchased or 1)


def _change_now(account: BillingAccount, selection: Selection, price: str) -> None:
    _let_schedule_go(account)
    stripe_api().subscription_update(
        account.subscription_id,
        {
            "items": [{"id": account.item_id, "price": price, "quantity": selection.quantity}],
            "proration_behavior": "none" if account.stripe_status == "trialing" else "always_invoice",
            # A card that is declined leaves everything as it was.
            "payment_behavior": "error_if_incomplete",
        },
        key=_once(account, f"change:{price}:{selection.quantity}"),
    )


def _change_later(account: BillingAccount, selection: Selection, price: str) -> None:
    """By a schedule: this phase as it is to its end, then one of the new plan, then the subscription goes on alone."""
    api = stripe_api()
    if account.schedule_id:
        schedule = api.schedule_get(account.schedule_id)
    else:
        schedule = api.schedule_create({"from_subscription": account.subscription_id}, key=_once(account, "schedule"))
    running = schedule["phases"][0]
    api.schedule_update(
        schedule["id"],
        {
            "end_behavior": "release",
            "proration_behavior": "none",
            "phases": [
                {
                    "items": [{"price": account.price_id, "quantity": account.seats_purchased or 1}],
                    "start_date": running["start_date"],
                    "end_date": running["end_date"],
                },
                {
                    "items": [{"price": price, "quantity": selection.quantity}],
                    "duration": _duration(selection),
                    "proration_behavior": "none",
                },
            ],
        },
        key=_once(account, f"later:{price}:{selection.quantity}"),
    )


def _duration(selection: Selection) -> Object:
    return {"interval": "month" if selection.interval == "monthly" else "year", "interval_count": 1}


def _let_schedule_go(account: BillingAccount) -> None:
    """A subscription with a schedule is changed by it alone; without, as we like."""
    if account.schedule_id:
        stripe_api().schedule_release(account.schedule_id, key=_once(account, "release"))
        account.schedule_id = ""


def _preview(account: BillingAccount, selection: Selection, price: str, at_once: bool) -> Change:
    if not at_once:
        return Change(account, account.period_end or timezone.now(), 0, account.currency)
    if account.stripe_status == "trialing":
        # Stripe's preview is of the invoice at the end of the trial; now nothing is charged.
        return Change(account, timezone.now(), 0, account.currency)
    invoice = stripe_api().invoice_preview(
        {
            "customer": account.customer_id,
            "subscription": account.subscription_id,
            "subscription_details": {
                "items": [{"id": account.item_id, "price": price, "quantity": selection.quantity}],
                "proration_behavior": "always_invoice",
            },
        }
    )
    return Change(account, timezone.now(), invoice["amount_due"], invoice["currency"])


def _once(account: BillingAccount, what: str) -> str:
    """A key for one call of Stripe: the SDK repeats it by itself; whoever asks again looks at Stripe first."""
    return f"{what}:{account.subscription_id}:{uuid4().hex}"
