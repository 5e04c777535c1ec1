"""Taking over what Stripe says: fetched under the account's lock, whole, whatever made us look."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.seats import seats_used
from billing import catalog
from billing.models import BillingAccount, CheckoutAttempt
from billing.plans import catalogue
from billing.services.accounts import access_write, account_lock
from billing.state import STANDING, choose, take_card, take_over, take_schedule
from billing.stripe_api import Missing, Object, stripe_api
from platform_site.binding import bind
from platform_site.journal.keys import JournalKey
from platform_site.journal.services import record
from tenancy.models import Tenant

log = structlog.get_logger(__name__)

# Of tenants in these states there is a schema to write a journal in.
_HAS_JOURNAL = (Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED)
# As many as are remembered of what was told.
_TOLD_KEPT = 20


@dataclass(frozen=True, slots=True)
class Upstream:
    """What Stripe has of one customer."""

    customer: Object | None
    subscriptions: Sequence[Object]


@dataclass(frozen=True, slots=True)
class _Facts:
    """Of what people are told when it changes."""

    standing: bool
    plan: tuple[str, str]
    seats: int | None
    cancel_at: datetime | None
    past_due: bool
    others: tuple[str, ...]

    @classmethod
    def of(cls, account: BillingAccount) -> "_Facts":
        return cls(
            standing=account.stripe_status in STANDING,
            plan=(account.plan_id, account.interval),
            seats=account.seats_purchased,
            cancel_at=account.cancel_at,
            past_due=account.past_due_since is not None,
            others=tuple(account.other_subscriptions),
        )


@transaction.atomic
def account_sync(*, tenant_id: UUID) -> BillingAccount:
    """Bring the tenant's account up to what Stripe says now. Without a customer there is nothing to ask.

    Raises ``billing_not_configured``, ``billing_provider_error``.
    """
    stripe_api()
    account = account_lock(tenant_id=tenant_id)
    sync_locked(account)
    return account


def sync_locked(account: BillingAccount) -> None:
    """The same for an account that the caller holds."""
    if account.customer_id is None:
        access_write(account)
        return
    now, before = timezone.now(), _Facts.of(account)
    upstream = _fetch(account.customer_id)
    subscription, account.other_subscriptions = choose(upstream.subscriptions)
    take_over(account, subscription, catalogue(), now)
    take_card(account, upstream.customer or {}, subscription)
    take_schedule(account, _schedule(account), catalogue())
    if upstream.customer is None:
        log.error("billing.customer_gone", tenant=str(account.tenant_id), customer=account.customer_id)
        account.customer_id = None
    account.synced_at = now
    news = [*_news(before, _Facts.of(account), account), *_news_of_invoice(account, subscription)]
    _look_at_checkout(account)
    account.save()
    access_write(account)
    with journal_of(account) as written:
        if written:
            for key, data in [*news, *_short_of_seats(before, account)]:
                record(key, subject=("billing", account.tenant_id), data=data)


def _fetch(customer_id: str) -> Upstream:
    customer = stripe_api().customer_get(customer_id)
    # Stripe refuses to list what belonged to a customer who is gone.
    return Upstream(customer, stripe_api().subscriptions_of(customer_id) if customer else [])


def _schedule(account: BillingAccount) -> Object | None:
    if not account.schedule_id:
        return None
    try:
        return stripe_api().schedule_get(account.schedule_id)
    except Missing:
        return None


@contextmanager
def journal_of(account: BillingAccount) -> Iterator[bool]:
    """Work in the tenant, if it still has a journal; False when it is on its way out."""
    if account.tenant.status in _HAS_JOURNAL:
        with bind(account.tenant.ref):
            yield True
    else:
        yield False


def _news(before: _Facts, after: _Facts, account: BillingAccount) -> list[tuple[JournalKey, dict[str, Any]]]:
    plan, interval = after.plan
    bought = {"planId": plan, "interval": interval, "seats": after.seats}
    found: list[tuple[JournalKey, dict[str, Any]]] = []
    if after.standing and not before.standing:
        found.append((catalog.SUBSCRIPTION_STARTED, bought))
    elif before.standing and not after.standing:
        found.append((catalog.SUBSCRIPTION_ENDED, {"planId": before.plan[0] or plan}))
    elif after.standing:
        if after.plan != before.plan:
            found.append((catalog.PLAN_CHANGED, {**bought, "before": before.plan[0]}))
        if after.seats != before.seats:
            found.append((catalog.SEATS_CHANGED, {"seats": after.seats, "before": before.seats}))
    if after.standing:
        if after.cancel_at and not before.cancel_at:
            found.append((catalog.CANCELLATION_SCHEDULED, {"at": after.cancel_at.isoformat()}))
        elif before.cancel_at and not after.cancel_at and before.standing:
            found.append((catalog.CANCELLATION_WITHDRAWN, {}))
    if after.past_due and not before.past_due:
        found.append((catalog.PAYMENT_FAILED, {"planId": plan}))
    elif before.past_due and not after.past_due and account.stripe_status in ("active", "trialing"):
        found.append((catalog.PAYMENT_RECOVERED, {"planId": plan}))
    if set(after.others) - set(before.others):
        log.error("billing.second_subscription", tenant=str(account.tenant_id), others=after.others)
        found.append((catalog.SECOND_SUBSCRIPTION, {"others": list(after.others)}))
    return found


def _news_of_invoice(
    account: BillingAccount, subscription: Mapping[str, Any] | None
) -> list[tuple[JournalKey, dict[str, Any]]]:
    invoice = (subscription or {}).get("latest_invoice")
    if not isinstance(invoice, dict) or invoice.get("status") != "paid" or not invoice.get("amount_paid"):
        return []
    if not told_now(account, f"paid:{invoice['id']}"):
        return []
    return [(catalog.INVOICE_PAID, {"amount": invoice["amount_paid"], "currency": invoice["currency"]})]


def told_now(account: BillingAccount, what: str) -> bool:
    """Whether this is news; from now on it is none. The caller saves the account."""
    if what in account.told:
        return False
    account.told = [*account.told, what][-_TOLD_KEPT:]
    return True


def _short_of_seats(before: _Facts, account: BillingAccount) -> list[tuple[JournalKey, dict[str, Any]]]:
    """When fewer seats are paid for than before, and more are used: nobody is locked out for it."""
    seats = account.seats_purchased
    if seats is None or before.seats is None or seats >= before.seats:
        return []
    used = seats_used()
    return [(catalog.SEATS_SHORT, {"seats": seats, "used": used})] if used > seats else []


def _look_at_checkout(account: BillingAccount) -> None:
    """Close the checkout that is open here and over there."""
    attempt = CheckoutAttempt.objects.filter(account=account, status=CheckoutAttempt.Status.OPEN).first()
    if attempt is None or not attempt.session_id:
        return
    try:
        attempt.status = stripe_api().checkout_get(attempt.session_id)["status"]
    except Missing:
        attempt.status = CheckoutAttempt.Status.EXPIRED
    attempt.save(update_fields=["status"])
