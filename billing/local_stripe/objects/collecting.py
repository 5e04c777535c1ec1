"""Collecting an invoice's money, and what its success or failure makes of the subscription."""

from typing import Any

from billing.local_stripe.errors import Refusal, card_declined
from billing.local_stripe.objects import ending, invoices, payment_methods
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]


@offers("POST", "/v1/invoices/{invoice}/pay", "payment_method off_session paid_out_of_band")
def pay(world: World, params: Json, invoice: str) -> Json:
    found = world.find("invoice", invoice, "invoice")
    if found["status"] == "draft" and invoices.finalize(world, invoice)["status"] == "paid":
        settle(world, invoice)
        return found
    if found["status"] == "paid":
        raise Refusal("Invoice is already paid", code="invoice_already_paid")
    if found["status"] != "open":
        raise Refusal(f"You cannot pay an invoice that is {found['status']}.", code="invoice_not_open")
    if params.get("paid_out_of_band"):
        paid = invoices.mark_paid(world, invoice, outside=True)
        _after_success(world, paid)
        return paid
    method = params.get("payment_method") or method_for(world, found)
    if method is None:
        message = (
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a default payment method."
        )
        raise Refusal(message)
    payment_methods.owned(world, method, found["customer"], "payment_method")
    outcome = collect(world, invoice, method=method, is_retry=False)
    refuse_unless_paid(outcome, effects_stay=True)
    return world.find("invoice", invoice)


def refuse_unless_paid(outcome: str, *, effects_stay: bool) -> None:
    if outcome == "action":
        raise Refusal(
            "This payment requires additional user action before it can be completed successfully.",
            status=402,
            type="card_error",
            code="invoice_payment_intent_requires_action",
            effects_stay=effects_stay,
        )
    if outcome != "paid":
        raise card_declined("Your card was declined.", "generic_decline", effects_stay=effects_stay)


def method_for(world: World, invoice: Json) -> str | None:
    subscription = world.store.get("subscription", invoices.subscription_of(invoice) or "")
    return default_method(world, invoice["customer"], subscription)


def default_method(world: World, customer: str, subscription: Json | None) -> str | None:
    """The subscription's own card, else the customer's."""
    own = subscription["default_payment_method"] if subscription else None
    settings = (world.store.get("customer", customer) or {}).get("invoice_settings") or {}
    return own or settings.get("default_payment_method")


def settle(world: World, id: str, *, method: str | None = None) -> str:
    """What follows when an invoice is final: its money is collected, unless nothing was to be paid. A draft waits.

    "paid", "declined", "action" or "draft".
    """
    invoice = world.find("invoice", id)
    if invoice["status"] == "paid":
        _after_success(world, invoice)
        return "paid"
    if invoice["status"] == "draft":
        return "draft"
    return collect(world, id, method=method or method_for(world, invoice))


def collect(world: World, id: str, *, method: str | None, is_retry: bool = True) -> str:
    """One attempt at an open invoice: "paid", "declined" or "action".

    `is_retry` is False for one that somebody asked for: only those of Stripe itself are counted after the first.
    """
    outcome = payment_methods.outcome_of_charge(world, method) if method else "declined"
    if outcome == "paid":
        with world.changing("invoice", id, silently=True) as invoice:
            invoice["attempt_count"] += 1 if is_retry or not invoice["attempted"] else 0
        _after_success(world, invoices.mark_paid(world, id))
        return outcome
    with world.changing("invoice", id, silently=True) as invoice:
        invoice["attempt_count"] += 1 if is_retry or not invoice["attempted"] else 0
        invoice["attempted"] = True
        kept = world.store.get("_dunning", id) or world.store.add("_dunning", id, {"first_failed_at": world.now()})
        if invoice["billing_reason"] == "subscription_create":
            invoice["next_payment_attempt"] = None
        elif is_retry or invoice["next_payment_attempt"] is None or invoice["next_payment_attempt"] <= world.now():
            invoice["next_payment_attempt"] = invoices.next_attempt(world, invoice, kept["first_failed_at"])
        invoice["auto_advance"] = invoice["next_payment_attempt"] is not None
    if outcome == "action":
        world.emit("invoice.payment_action_required", invoice)
    world.emit("invoice.payment_failed", invoice)
    _after_failure(world, invoice)
    return outcome


def _after_success(world: World, invoice: Json) -> None:
    subscription = world.store.get("subscription", invoices.subscription_of(invoice) or "")
    if subscription is None:
        return
    is_the_latest = subscription["latest_invoice"] == invoice["id"]
    if subscription["status"] == "incomplete" or (subscription["status"] in {"past_due", "unpaid"} and is_the_latest):
        with world.changing("subscription", subscription["id"]) as changed:
            changed["status"] = "trialing" if (changed["trial_end"] or 0) > world.now() else "active"
    owes = any(
        each["customer"] == invoice["customer"] and each["status"] == "open" and each["attempted"]
        for each in world.store.all("invoice")
    )
    _mark_delinquent(world, invoice["customer"], owes)


def _after_failure(world: World, invoice: Json) -> None:
    subscription = world.store.get("subscription", invoices.subscription_of(invoice) or "")
    if subscription is None or subscription["status"] in {"incomplete", *ending.OVER}:
        return
    _mark_delinquent(world, invoice["customer"], True)
    if invoice["next_payment_attempt"] is not None:
        if subscription["status"] in {"active", "trialing"}:
            with world.changing("subscription", subscription["id"]) as changed:
                changed["status"] = "past_due"
    elif world.behaviour.after_retries == "canceled":
        ending.end(world, subscription["id"], reason="payment_failed")
    else:
        with world.changing("subscription", subscription["id"]) as changed:
            changed["status"] = "unpaid"


def _mark_delinquent(world: World, id: str, is_delinquent: bool) -> None:
    customer = world.store.get("customer", id)
    if customer and not customer.get("deleted") and customer["delinquent"] != is_delinquent:
        with world.changing("customer", id) as changed:
            changed["delinquent"] = is_delinquent
