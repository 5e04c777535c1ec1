"""What the next invoice would be, with or without a change."""

from typing import Any

from billing.local_stripe import ids, periods
from billing.local_stripe.errors import missing_parameter, not_offered
from billing.local_stripe.objects import catalogue, changing, cycles, invoices, subscription_items
from billing.local_stripe.objects import lines as lines_
from billing.local_stripe.objects.lines import Line
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]

_OF_SUBSCRIPTIONS = frozenset({"items", "proration_behavior", "cancel_at_period_end", "trial_end"})


@offers("POST", "/v1/invoices/create_preview", "customer preview_mode subscription subscription_details")
def create(world: World, params: Json) -> Json:
    details = params.get("subscription_details", {})
    for name in details:
        if name not in _OF_SUBSCRIPTIONS:
            raise not_offered(f"subscription_details[{name}]")
    if params.get("preview_mode", "next") != "next":
        raise not_offered("preview_mode")
    if "subscription" in params:
        subscription = world.find("subscription", params["subscription"], "subscription")
        return of_change(world, subscription, details)
    if "customer" not in params:
        raise missing_parameter("customer")
    return _of_beginning(world, world.find("customer", params["customer"], "customer"), details)


def of_next(world: World, subscription: Json) -> Json:
    return of_change(world, subscription, {})


def of_change(world: World, subscription: Json, details: Json) -> Json:
    """The next invoice of a subscription. A change that is to be paid at once has one of its own."""
    given, prorating = details.get("items", []), details.get("proration_behavior", "create_prorations")
    items = changing.changed_items(world, subscription, given)
    waiting = cycles.pending(world, subscription["id"])
    prorations = [] if prorating == "none" else changing.prorations_for(world, subscription, items)
    old = subscription["items"]["data"][0]["price"]["recurring"]
    recurring = items[0]["price"]["recurring"]
    if (old["interval"], old["interval_count"]) != (recurring["interval"], recurring["interval_count"]):
        credits = [line for line in prorations if line.amount < 0]
        return _shape(world, subscription, [*waiting, *credits, *_period(subscription, items, world.now())])
    if prorating == "always_invoice" and prorations:
        return _shape(world, subscription, [*waiting, *prorations], reason="subscription_update")
    start = subscription_items.period_end(subscription)
    if subscription["cancel_at_period_end"] or details.get("cancel_at_period_end"):
        return _shape(world, subscription, [*waiting, *prorations], at=start)
    return _shape(world, subscription, [*waiting, *prorations, *_period(subscription, items, start)], at=start)


def _of_beginning(world: World, customer: Json, details: Json) -> Json:
    if not details.get("items"):
        raise missing_parameter("subscription_details[items]")
    items = []
    for place, each in enumerate(details["items"]):
        price = catalogue.recurring_price(world, each.get("price", ""), f"subscription_details[items][{place}][price]")
        items.append({"id": ids.new("subscription_item"), "price": price, "quantity": each.get("quantity", 1)})
    subscription_items.require_one_rhythm([item["price"] for item in items])
    draft: Json = {
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_cycle_anchor": world.now(),
        "collection_method": "charge_automatically",
        "currency": items[0]["price"]["currency"],
        "customer": customer["id"],
        "id": None,
        "metadata": {},
    }
    preview = _shape(world, draft, _period(draft, items, world.now()), reason="subscription_create")
    # There is no subscription yet, and so no parent to name.
    return {**preview, "parent": None}


def _period(subscription: Json, items: list[Json], start: int) -> list[Line]:
    recurring = items[0]["price"]["recurring"]
    anchor = subscription["billing_cycle_anchor"]
    end = periods.next_end(min(anchor, start), start, recurring["interval"], recurring["interval_count"])
    return [lines_.for_period(subscription["id"], item, start, end) for item in items]


def _shape(
    world: World, subscription: Json, lines: list[Line], *, at: int | None = None, reason: str = "upcoming"
) -> Json:
    id = f"upcoming_in_1{ids.chance(24)}"
    preview = invoices.shape(world, id=id, subscription=subscription, reason=reason, lines=lines)
    moment = at or world.now()
    preview["created"] = preview["period_end"] = preview["next_payment_attempt"] = moment
    preview["automatically_finalizes_at"] = None
    return preview
