"""How a subscription begins, with its first invoice."""

from collections.abc import Sequence
from typing import Any

from billing.local_stripe import ids, periods
from billing.local_stripe.answers import whole_list
from billing.local_stripe.clock import DAY
from billing.local_stripe.errors import Refusal, invalid_parameter, not_offered
from billing.local_stripe.objects import collecting, cycles, invoices, payment_methods, subscription_items
from billing.local_stripe.objects import lines as lines_
from billing.local_stripe.world import World

Json = dict[str, Any]

_FAR_FUTURE = 5 * 366 * DAY


def begin(
    world: World,
    *,
    customer: str,
    items: Sequence[tuple[Json, Json]],
    trial_end: int | None,
    trial_settings: Json | None,
    values: Json,
    method: str | None,
    behaviour: str,
    billing_mode: Json | None,
    on_session: bool = False,
) -> Json:
    """Make a subscription with its first invoice. `items` are prices with what was given for each."""
    subscription_items.require_one_rhythm([price for price, _ in items])
    if behaviour == "pending_if_incomplete":
        raise not_offered("payment_behavior")
    now = world.now()
    id = ids.new("subscription")
    price = items[0][0]
    recurring = price["recurring"]
    ends = trial_end or periods.after(now, recurring["interval"], recurring["interval_count"], 1)
    subscription: Json = {
        **_empty(world, id, customer, price["currency"], billing_mode),
        **values,
        "billing_cycle_anchor": trial_end or now,
        "default_payment_method": method,
        "trial_end": trial_end,
        "trial_settings": trial_settings or {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": now if trial_end else None,
        "status": "trialing" if trial_end else "incomplete",
    }
    made = [subscription_items.new_item(world, id, price, given, now, ends) for price, given in items]
    subscription["items"] = whole_list(f"/v1/subscription_items?subscription={id}", made)
    charged = method or collecting.default_method(world, customer, None)
    is_free = trial_end is not None or all(not price["unit_amount"] for price, _ in items)
    if not is_free and charged is None and behaviour != "default_incomplete":
        raise Refusal(
            "This customer has no attached payment source or default payment method. "
            "Please consider adding a default payment method.",
            code="resource_missing",
        )
    world.add("subscription", subscription)
    line = lines_.for_trial if trial_end else lines_.for_period
    first = invoices.draft(
        world,
        subscription=subscription,
        reason="subscription_create",
        lines=[line(id, item, now, ends) for item in made],
        finalizes=now,
    )
    subscription["latest_invoice"] = first["id"]
    world.emit("customer.subscription.created", subscription)
    is_paid = invoices.finalize(world, first["id"])["status"] == "paid"
    if is_paid or behaviour != "default_incomplete":
        if on_session and charged and not is_paid:
            payment_methods.confirm(world, charged)
        outcome = collecting.settle(world, first["id"], method=charged)
        if behaviour == "error_if_incomplete":
            collecting.refuse_unless_paid(outcome, effects_stay=False)
    cycles.tell_trial_end_at_once(world, id)
    return subscription


def trial_end_of(world: World, params: Json) -> int | None:
    """The end of a trial by its moment or its number of days, or None for no trial."""
    given = params.get("trial_end")
    if given == "now":
        return None
    if given is not None:
        if "trial_period_days" in params:
            message = "You may only specify one of these parameters: trial_end, trial_period_days."
            raise invalid_parameter(message, "trial_end")
        if given <= world.now():
            message = "Invalid timestamp: must be an integer Unix timestamp in the future."
            raise invalid_parameter(message, "trial_end")
        if given > world.now() + _FAR_FUTURE:
            raise invalid_parameter("Invalid timestamp: can be no more than five years in the future", "trial_end")
        return int(given)
    days = params.get("trial_period_days")
    return world.now() + days * DAY if days else None


def _empty(world: World, id: str, customer: str, currency: str, billing_mode: Json | None) -> Json:
    return {
        "id": id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor_config": None,
        "billing_mode": _billing_mode(billing_mode),
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": world.now(),
        "currency": currency,
        "customer": customer,
        "days_until_due": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "latest_invoice": None,
        "livemode": False,
        "metadata": {},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": world.now(),
        "test_clock": None,
        "transfer_data": None,
    }


def _billing_mode(given: Json | None) -> Json:
    if given and given["type"] != "flexible":
        raise invalid_parameter("The local server has the flexible billing mode only.", "billing_mode[type]")
    return {"flexible": {"proration_discounts": "included"}, "type": "flexible"}
