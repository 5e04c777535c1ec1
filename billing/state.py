"""What follows from what Stripe says, as functions without a database.

The order in which events arrive never matters here: a subscription is always
taken over whole, as it is now.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings

from billing.models import BillingAccount
from billing.plans import Catalogue, Interval
from platform_site.paid_access import FULL, PaidAccess

Status = BillingAccount.Status
# A subscription of these stands for the tenant; the newest of them when there are several.
STANDING: Final = ("active", "trialing", "past_due", "paused", "unpaid")
# Of these nobody may buy a second one.
BLOCKING: Final = ("active", "trialing", "past_due", "paused")
# Of these something can still be changed.
LIVE: Final = (*STANDING, "incomplete")
LEGACY: Final = "legacy"
_STATUSES: Final = {
    "trialing": Status.TRIALING,
    "active": Status.ACTIVE,
    "past_due": Status.PAST_DUE,
    "unpaid": Status.UNPAID,
    "paused": Status.PAUSED,
    "canceled": Status.CANCELED,
    "incomplete": Status.INCOMPLETE,
}
_INTERVALS: Final[Mapping[str, Interval]] = {"month": "monthly", "year": "yearly"}


def moment(unix: int | None) -> datetime | None:
    return None if unix is None else datetime.fromtimestamp(unix, UTC)


def choose(subscriptions: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any] | None, list[str]]:
    """The subscription that counts, and the ids of others that stand beside it.

    The newest that stands; else one whose first payment is open; else the newest that was.
    """
    newest = sorted(subscriptions, key=lambda one: (one["created"], one["id"]), reverse=True)
    standing = [one for one in newest if one["status"] in STANDING]
    if standing:
        return standing[0], [one["id"] for one in standing[1:]]
    begun = [one for one in newest if one["status"] == "incomplete"]
    return next(iter([*begun, *newest]), None), []


def take_over(
    account: BillingAccount, subscription: Mapping[str, Any] | None, catalogue: Catalogue, now: datetime
) -> None:
    """Write what the subscription says on the account, all of it."""
    before = account.stripe_status
    if subscription is None:
        subscription = {"id": "", "status": "", "items": {"data": []}}
    item = next(iter(subscription["items"]["data"]), None) or {}
    price = item.get("price") or {}
    account.subscription_id = subscription["id"]
    account.stripe_status = subscription["status"]
    account.item_id = item.get("id", "")
    account.seats_purchased = item.get("quantity")
    account.period_start = moment(item.get("current_period_start"))
    account.period_end = moment(item.get("current_period_end"))
    account.price_id = price.get("id", "")
    account.currency = price.get("currency", "")
    account.unit_amount = price.get("unit_amount")
    account.plan_id, account.interval = plan_of(price, catalogue)
    account.livemode = bool(subscription.get("livemode"))
    account.stripe_trial_ends_at = moment(subscription.get("trial_end"))
    account.cancel_at = _cancel_at(subscription, account.period_end)
    account.canceled_at = moment(subscription.get("canceled_at"))
    account.ended_at = moment(subscription.get("ended_at"))
    account.schedule_id = _id(subscription.get("schedule"))
    _take_invoice(account, _expanded(subscription.get("latest_invoice")), now)
    account.lapsed_at = _lapsed_at(account, before, now)


def plan_of(price: Mapping[str, Any], catalogue: Catalogue) -> tuple[str, str]:
    """Plan and interval of a price. One that the catalogue does not know was sold once: it stays good."""
    if not price:
        return "", ""
    interval = _INTERVALS.get((price.get("recurring") or {}).get("interval", ""), "")
    found = catalogue.of_price(
        price_id=price["id"],
        lookup_key=price.get("lookup_key") or "",
        plan_id=(price.get("metadata") or {}).get("plan_id", ""),
    )
    if found is None:
        return LEGACY, interval
    plan, known = found
    return plan.id, known or interval


def _cancel_at(subscription: Mapping[str, Any], period_end: datetime | None) -> datetime | None:
    if subscription.get("cancel_at"):
        return moment(subscription["cancel_at"])
    return period_end if subscription.get("cancel_at_period_end") else None


def _take_invoice(account: BillingAccount, invoice: Mapping[str, Any], now: datetime) -> None:
    account.latest_invoice_id = invoice.get("id", "")
    account.latest_invoice_status = invoice.get("status") or ""
    is_open = account.latest_invoice_status in ("open", "uncollectible")
    account.invoice_url = (invoice.get("hosted_invoice_url") or "") if is_open else ""
    account.next_attempt_at = moment(invoice.get("next_payment_attempt")) if is_open else None
    if account.stripe_status not in ("past_due", "unpaid"):
        account.past_due_since = None
    elif account.past_due_since is None:
        # Not later than now, whatever the clock of a test says.
        account.past_due_since = min(now, moment(invoice.get("created")) or now)


def _lapsed_at(account: BillingAccount, before: str, now: datetime) -> datetime | None:
    if account.stripe_status == "canceled":
        return min(account.ended_at or now, now)
    if account.stripe_status in ("paused", "unpaid"):
        return account.lapsed_at if before == account.stripe_status and account.lapsed_at else now
    return None


def take_card(account: BillingAccount, customer: Mapping[str, Any], subscription: Mapping[str, Any] | None) -> None:
    """The card that is charged: the subscription's own, else the customer's."""
    own = _expanded((subscription or {}).get("default_payment_method"))
    card = (own or _expanded((customer.get("invoice_settings") or {}).get("default_payment_method"))).get("card") or {}
    account.card_brand = card.get("brand") or ""
    account.card_last4 = card.get("last4") or ""


def take_schedule(account: BillingAccount, schedule: Mapping[str, Any] | None, catalogue: Catalogue) -> None:
    """What a schedule will change at the end of the phase that runs."""
    account.pending_plan_id = account.pending_interval = ""
    account.pending_seats = account.pending_at = None
    if schedule is None or schedule.get("status") not in ("active", "not_started"):
        return
    running = schedule.get("current_phase") or {}
    coming = [one for one in schedule["phases"] if one["start_date"] >= (running.get("end_date") or 0)]
    if not coming:
        return
    item = coming[0]["items"][0]
    price = _expanded(item.get("price"))
    account.pending_plan_id, account.pending_interval = plan_of(price, catalogue) if price else (LEGACY, "")
    account.pending_seats = item.get("quantity")
    account.pending_at = moment(coming[0]["start_date"])


def _expanded(value: Any) -> Mapping[str, Any]:
    """An object that was asked for whole; an id alone says nothing."""
    return value if isinstance(value, Mapping) else {}


def _id(value: Any) -> str:
    return value["id"] if isinstance(value, Mapping) else value or ""


def can_resume(account: BillingAccount) -> bool:
    """Whether there is a cancellation that has not taken effect."""
    return account.stripe_status in STANDING and account.cancel_at is not None


def is_comped(account: BillingAccount, now: datetime) -> bool:
    return account.is_comped and (account.comped_until is None or account.comped_until > now)


def status_of(account: BillingAccount, now: datetime) -> BillingAccount.Status:
    """What the tenant is told that it is. A trial that ends exactly now has ended."""
    if is_comped(account, now):
        return Status.COMPED
    known = _STATUSES.get(account.stripe_status)
    if known is not None:
        return known
    in_trial = account.trial_ends_at is not None and account.trial_ends_at > now
    return Status.TRIALING if in_trial else Status.NONE


def access_of(account: BillingAccount) -> PaidAccess:
    """From when on the tenant may only read, and from when on not even that.

    What staff granted counts for all; the days of grace come by themselves after a
    payment that failed, and never after a trial or a cancellation.
    """
    ends, reason = _covered_until(account)
    if ends is None or (account.is_comped and account.comped_until is None):
        return FULL
    if account.is_comped and account.comped_until is not None:
        ends = max(ends, account.comped_until)
    if account.grace_until is not None:
        ends = max(ends, account.grace_until)
    return PaidAccess(ends, ends + timedelta(days=settings.BILLING_READ_ONLY_DAYS), reason)


def _covered_until(account: BillingAccount) -> tuple[datetime | None, str]:
    if account.stripe_status in ("active", "trialing"):
        return account.cancel_at, "subscription_canceled"
    if account.stripe_status in ("past_due", "unpaid"):
        since = account.past_due_since or account.lapsed_at
        grace = timedelta(days=settings.BILLING_GRACE_DAYS)
        return (since + grace if since else None), "payment_past_due"
    if account.stripe_status == "paused":
        return account.lapsed_at, "subscription_required"
    if account.stripe_status == "canceled":
        return account.lapsed_at, "subscription_canceled"
    return account.trial_ends_at, "trial_expired"
