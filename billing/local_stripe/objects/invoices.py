"""Invoices: how they are made and become final. Collecting their money is in `collecting`."""

from collections.abc import Sequence
from typing import Any

from billing.local_stripe import ids
from billing.local_stripe.answers import page, whole_list
from billing.local_stripe.clock import DAY
from billing.local_stripe.errors import Refusal
from billing.local_stripe.objects import lines as lines_
from billing.local_stripe.objects.lines import Line
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]


@offers("GET", "/v1/invoices", "customer status subscription collection_method")
def list_(world: World, params: Json) -> Json:
    found = world.store.all("invoice")
    for name in ("customer", "status", "collection_method"):
        if name in params:
            found = [each for each in found if each[name] == params[name]]
    if "subscription" in params:
        found = [each for each in found if subscription_of(each) == params["subscription"]]
    return page(world, params, "/v1/invoices", found)


@offers("GET", "/v1/invoices/{invoice}")
def retrieve(world: World, params: Json, invoice: str) -> Json:
    return world.find("invoice", invoice, "invoice")


@offers("GET", "/v1/invoices/{invoice}/lines")
def list_lines(world: World, params: Json, invoice: str) -> Json:
    found = world.find("invoice", invoice, "invoice")["lines"]["data"]
    return page(world, params, f"/v1/invoices/{invoice}/lines", found[::-1])


@offers("POST", "/v1/invoices/{invoice}/void")
def void(world: World, params: Json, invoice: str) -> Json:
    if world.find("invoice", invoice, "invoice")["status"] != "open":
        raise Refusal("You can only pass in open invoices. This invoice isn't open.", code="invoice_not_open")
    return make_void(world, invoice)


def subscription_of(invoice: Json) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    found = details.get("subscription")
    return found if isinstance(found, str) else None


def shape(world: World, *, id: str, subscription: Json, reason: str, lines: Sequence[Line]) -> Json:
    """A draft that is in no store yet, for a real invoice as for one that is only a preview."""
    now = world.now()
    customer = world.store.get("customer", subscription["customer"]) or {}
    total = sum(line.amount for line in lines)
    balance = customer.get("balance", 0)
    # A negative balance is credit of the customer. What is left of it stays for the next invoice.
    due = max(0, total + balance)
    starts = [line.start for line in lines if not line.is_proration] or [now]
    parent = {
        "quote_details": None,
        "subscription_details": {
            "metadata": dict(subscription["metadata"]),
            "subscription": subscription.get("id"),
        },
        "type": "subscription_details",
    }
    return {
        "id": id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Local Stripe",
        "account_tax_ids": None,
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": subscription["automatic_tax"]["enabled"],
            "liability": subscription["automatic_tax"]["liability"],
            "provider": "stripe" if subscription["automatic_tax"]["enabled"] else None,
            "status": "complete" if subscription["automatic_tax"]["enabled"] else None,
        },
        "automatically_finalizes_at": now,
        "billing_reason": reason,
        "collection_method": subscription["collection_method"],
        "created": now,
        "currency": subscription["currency"],
        "custom_fields": None,
        "customer": subscription["customer"],
        "customer_address": customer.get("address"),
        "customer_email": customer.get("email"),
        "customer_name": customer.get("name"),
        "customer_phone": customer.get("phone"),
        "customer_shipping": None,
        "customer_tax_exempt": customer.get("tax_exempt", "none"),
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": whole_list(f"/v1/invoices/{id}/lines", [lines_.shown(line, id) for line in lines]),
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": now if due else None,
        "number": None,
        "on_behalf_of": None,
        "parent": parent,
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": now,
        "period_start": min(*starts, now),
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": balance,
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "test_clock": None,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": None,
    }


def draft(world: World, *, subscription: Json, reason: str, lines: Sequence[Line], finalizes: int | None) -> Json:
    """A new invoice of a subscription. `finalizes`: when by itself, or None for never."""
    invoice = shape(world, id=ids.new("invoice"), subscription=subscription, reason=reason, lines=lines)
    invoice["automatically_finalizes_at"] = finalizes
    invoice["auto_advance"] = finalizes is not None
    invoice["next_payment_attempt"] = finalizes
    return world.add("invoice", invoice, "invoice.created")


def finalize(world: World, id: str) -> Json:
    """From now on its amounts stand. One with nothing to pay is paid with that."""
    customer_id = world.find("invoice", id)["customer"]
    customer = world.store.get("customer", customer_id) or {}
    balance = customer.get("balance", 0)
    with world.changing("invoice", id, silently=True) as invoice:
        invoice["starting_balance"] = balance
        invoice["amount_due"] = invoice["amount_remaining"] = max(0, invoice["total"] + balance)
        used_up = invoice["total"] + balance
        invoice["ending_balance"] = min(0, used_up)
        invoice["status"] = "open"
        invoice["number"] = f"{customer.get('invoice_prefix', 'LOCAL')}-{customer.get('next_invoice_sequence', 1):04}"
        invoice["hosted_invoice_url"] = f"{world.base_url}/i/{id}"
        invoice["invoice_pdf"] = f"{world.base_url}/i/{id}"
        invoice["effective_at"] = invoice["status_transitions"]["finalized_at"] = world.now()
        invoice["automatically_finalizes_at"] = None
        invoice["next_payment_attempt"] = world.now() if invoice["amount_due"] and invoice["auto_advance"] else None
    if customer and not customer.get("deleted"):
        with world.changing("customer", customer_id, silently=invoice["ending_balance"] == balance) as changed:
            changed["next_invoice_sequence"] += 1
            changed["balance"] = invoice["ending_balance"]
            changed["currency"] = changed["currency"] or invoice["currency"]
    world.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        mark_paid(world, id)
    return invoice


def mark_paid(world: World, id: str, *, outside: bool = False) -> Json:
    """`outside`: the money came by another way, and Stripe is only told."""
    with world.changing("invoice", id, silently=True) as invoice:
        invoice["amount_paid"] = invoice["amount_due"]
        invoice["amount_paid_off_stripe"] = invoice["amount_due"] if outside else 0
        invoice["amount_remaining"] = 0
        invoice["status"] = "paid"
        invoice["attempted"] = True
        invoice["auto_advance"] = False
        invoice["next_payment_attempt"] = None
        invoice["status_transitions"]["paid_at"] = world.now()
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)
    return invoice


def make_void(world: World, id: str) -> Json:
    with world.changing("invoice", id, silently=True) as invoice:
        invoice["status"] = "void"
        invoice["auto_advance"] = False
        invoice["next_payment_attempt"] = None
        invoice["status_transitions"]["voided_at"] = world.now()
    world.emit("invoice.voided", invoice)
    return invoice


def next_attempt(world: World, invoice: Json, first_failed_at: int) -> int | None:
    """When it is tried again by itself, or None when that was the last time."""
    days = world.behaviour.retry_days
    place = invoice["attempt_count"] - 1
    return first_failed_at + days[place] * DAY if place < len(days) else None
