"""Billing on the wire."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from billing.models import BillingAccount, CheckoutAttempt
from billing.plans import Plan, catalogue
from billing.selectors.allowance import has_bought
from billing.selectors.status import BillingStatus
from billing.state import LEGACY, can_resume
from platform_site.moments import wire_time


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else wire_time(moment)


def present_plan(plan: Plan) -> dict[str, Any]:
    """A plan as it is offered. ``purchasable`` false: it is not sold here."""
    return {
        "id": plan.id,
        "name": plan.name,
        "description": plan.description,
        "currency": catalogue().currency,
        "prices": {interval: price.amount for interval, price in plan.prices.items()},
        "seats": {
            "mode": plan.seats.mode,
            "included": plan.seats.included if plan.seats.mode == "included" else None,
            "min": plan.seats.min if plan.counts_seats else None,
            "max": plan.seats.max if plan.counts_seats else None,
        },
        "features": list(plan.features),
        "limits": dict(plan.limits),
        "purchasable": bool(plan.prices),
    }


def present_status(status: BillingStatus, *, manages: bool) -> dict[str, Any]:
    """``manages``: whoever may buy sees amounts, the card and the open invoice; the others do not."""
    account = status.account
    return {
        "configured": status.configured,
        "plan": _plan(status, manages),
        "status": str(status.status),
        "stripeStatus": account.stripe_status or None,
        "access": status.access.level(status.now),
        "accessReason": _reason(status),
        "seats": {
            "mode": status.seats.mode,
            "purchased": status.seats.purchased,
            "used": status.seats.used,
            "pending": status.seats.pending,
            "available": status.seats.available,
            "overBy": status.seats.over_by,
        },
        "trial": {
            "active": status.trial.active,
            "startedAt": _time(status.trial.started_at),
            "endsAt": _time(status.trial.ends_at),
            "daysLeft": status.trial.days_left,
            "hasPaymentMethod": bool(account.card_last4),
        },
        "period": {"start": _time(account.period_start), "end": _time(account.period_end)},
        "cancellation": {
            "scheduled": account.cancel_at is not None and account.ended_at is None,
            "effectiveAt": _time(account.ended_at or account.cancel_at),
            "canResume": can_resume(account),
        },
        "payment": {
            "pastDueSince": _time(account.past_due_since),
            "graceEndsAt": _time(status.grace_ends_at),
            "nextAttemptAt": _time(account.next_attempt_at),
            "last4": (account.card_last4 or None) if manages else None,
            "invoiceUrl": (account.invoice_url or None) if manages else None,
        },
        "pendingChange": _pending(account),
        "duplicate": bool(account.other_subscriptions),
        "canManage": manages,
        "updatedAt": _time(account.synced_at or account.created_at),
    }


def _plan(status: BillingStatus, manages: bool) -> dict[str, Any] | None:
    account, plan = status.account, status.plan
    if not status.configured:
        return None
    if plan is None:
        # Sold before, and not in the catalogue any more: it stays good.
        return {**_price(account, manages), "id": LEGACY, "name": "Legacy", "features": [], "limits": {}}
    shown = {"id": plan.id, "name": plan.name, "features": list(plan.features), "limits": dict(plan.limits)}
    return {**_price(account, manages), **shown}


def _price(account: BillingAccount, manages: bool) -> dict[str, Any]:
    if not has_bought(account):
        return {"interval": None, "currency": None, "unitAmount": None}
    return {
        "interval": account.interval or None,
        "currency": account.currency or None,
        "unitAmount": account.unit_amount if manages else None,
    }


def _reason(status: BillingStatus) -> str | None:
    """Why it is not full, or what it will be for once it is not."""
    return status.access.reason if status.access.level(status.now) != "full" else None


def _pending(account: BillingAccount) -> dict[str, Any] | None:
    if not account.pending_plan_id:
        return None
    return {
        "planId": account.pending_plan_id,
        "interval": account.pending_interval or None,
        "quantity": account.pending_seats,
        "effectiveAt": _time(account.pending_at),
    }


def present_checkout(attempt: CheckoutAttempt) -> dict[str, Any]:
    return {"url": attempt.url, "sessionId": attempt.session_id, "expiresAt": _time(attempt.expires_at)}


def present_invoice(invoice: Mapping[str, Any]) -> dict[str, Any]:
    """Amounts in the smallest unit of the currency. The two addresses are Stripe's pages."""
    return {
        "id": invoice["id"],
        "number": invoice.get("number"),
        "status": invoice.get("status"),
        "amountDue": invoice["amount_due"],
        "amountPaid": invoice["amount_paid"],
        "currency": invoice["currency"],
        "createdAt": wire_time(datetime.fromtimestamp(invoice["created"], UTC)),
        "url": invoice.get("hosted_invoice_url"),
        "pdfUrl": invoice.get("invoice_pdf"),
    }
