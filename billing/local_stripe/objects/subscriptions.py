"""The API of subscriptions and their items."""

from typing import Any

from billing.local_stripe.answers import page
from billing.local_stripe.errors import Refusal, missing_object, missing_parameter, not_offered
from billing.local_stripe.objects import (
    beginning,
    changing,
    collecting,
    cycles,
    ending,
    metadata,
    payment_methods,
    subscription_items,
)
from billing.local_stripe.objects import lines as lines_
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]

_IGNORED = "off_session payment_settings"
_SHARED = (
    "automatic_tax billing_cycle_anchor cancel_at cancel_at_period_end default_payment_method description items"
    f" metadata payment_behavior proration_behavior trial_end trial_settings {_IGNORED}"
)


@offers("POST", "/v1/subscriptions", f"{_SHARED} billing_mode collection_method currency customer trial_period_days")
def create(world: World, params: Json) -> Json:
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = world.find("customer", params["customer"], "customer")
    for name in ("billing_cycle_anchor", "automatic_tax"):
        if name in params and params[name] != {"enabled": False}:
            raise not_offered(name)
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        raise not_offered("collection_method")
    method = params.get("default_payment_method")
    if method:
        payment_methods.owned(world, method, customer["id"], "default_payment_method")
    subscription = beginning.begin(
        world,
        customer=customer["id"],
        items=[
            (subscription_items.priced(world, each, f"items[{i}]"), each) for i, each in enumerate(_given_items(params))
        ],
        trial_end=beginning.trial_end_of(world, params),
        trial_settings=params.get("trial_settings"),
        values={"metadata": params.get("metadata", {}), "description": params.get("description") or None},
        method=method,
        behaviour=params.get("payment_behavior", "allow_incomplete"),
        billing_mode=params.get("billing_mode"),
    )
    ending.schedule_end(world, subscription["id"], params)
    return subscription


@offers("GET", "/v1/subscriptions", "customer price status")
def list_(world: World, params: Json) -> Json:
    found = world.store.all("subscription")
    if "customer" in params:
        found = [each for each in found if each["customer"] == params["customer"]]
    if "price" in params:
        found = [
            each for each in found if any(item["price"]["id"] == params["price"] for item in each["items"]["data"])
        ]
    status = params.get("status")
    if status is None:
        found = [each for each in found if each["status"] not in ending.OVER]
    elif status == "ended":
        found = [each for each in found if each["status"] in ending.OVER]
    elif status != "all":
        found = [each for each in found if each["status"] == status]
    return page(world, params, "/v1/subscriptions", found)


@offers("GET", "/v1/subscriptions/{subscription_exposed_id}")
def retrieve(world: World, params: Json, subscription_exposed_id: str) -> Json:
    return world.find("subscription", subscription_exposed_id)


@offers("POST", "/v1/subscriptions/{subscription_exposed_id}", f"{_SHARED} cancellation_details")
def update(world: World, params: Json, subscription_exposed_id: str) -> Json:
    id = subscription_exposed_id
    found = world.find("subscription", id)
    # What is over still takes notes about itself, and nothing else.
    if found["status"] in ending.OVER and not set(params) <= {"metadata", "cancellation_details", "expand"}:
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    _require_no_schedule_for_ending(found, params)
    if params.get("billing_cycle_anchor", "unchanged") != "unchanged":
        raise not_offered("billing_cycle_anchor")
    if params.get("automatic_tax", {"enabled": False}) != {"enabled": False}:
        raise not_offered("automatic_tax")
    with world.changing("subscription", id) as subscription:
        metadata.merge(subscription, params)
        if "description" in params:
            subscription["description"] = params["description"] or None
        if "default_payment_method" in params:
            method = params["default_payment_method"] or None
            if method:
                payment_methods.owned(world, method, subscription["customer"], "default_payment_method")
            subscription["default_payment_method"] = method
        if "trial_settings" in params:
            subscription["trial_settings"] = params["trial_settings"]
        for name, value in params.get("cancellation_details", {}).items():
            subscription["cancellation_details"][name] = value or None
    if "trial_end" in params:
        changing.move_trial_end(world, id, params["trial_end"])
    if "items" in params:
        changing.change_items(world, id, params["items"], params)
    ending.schedule_end(world, id, params)
    return world.find("subscription", id)


@offers("DELETE", "/v1/subscriptions/{subscription_exposed_id}", "cancellation_details invoice_now prorate")
def cancel(world: World, params: Json, subscription_exposed_id: str) -> Json:
    id = subscription_exposed_id
    found = world.find("subscription", id)
    if found["status"] in ending.OVER:
        raise missing_object("subscription", id)
    if params.get("prorate") and found["status"] != "trialing":
        given_back = [line for item in found["items"]["data"] for line in lines_.credit(id, item, world.now())]
        cycles.add_pending(world, id, given_back)
    if params.get("invoice_now"):
        cycles.invoice_pending(world, id)
    return ending.end(world, id, details=params.get("cancellation_details", {}))


@offers("POST", "/v1/subscriptions/{subscription}/resume", "billing_cycle_anchor proration_behavior")
def resume(world: World, params: Json, subscription: str) -> Json:
    """One that was paused at the end of its trial begins a period now, and pays for it."""
    found = world.find("subscription", subscription)
    if found["status"] != "paused":
        message = f"Only paused subscriptions can be resumed; this one is {found['status']}."
        raise Refusal(message)
    if params.get("billing_cycle_anchor", "now") != "now":
        raise not_offered("billing_cycle_anchor")
    cycles.start_period(world, subscription, at=world.now(), anchor=world.now(), silently=True)
    invoice = cycles.bill(world, subscription, reason="subscription_update")
    outcome = collecting.settle(world, invoice["id"])
    collecting.refuse_unless_paid(outcome, effects_stay=False)
    with world.changing("subscription", subscription) as changed:
        changed["status"] = "active"
    world.emit("customer.subscription.resumed", changed)
    return changed


@offers("GET", "/v1/subscription_items", "subscription")
def list_items(world: World, params: Json) -> Json:
    found = world.find("subscription", params["subscription"], "subscription")["items"]["data"]
    return page(world, params, "/v1/subscription_items", found[::-1])


@offers("GET", "/v1/subscription_items/{item}")
def retrieve_item(world: World, params: Json, item: str) -> Json:
    return subscription_items.find_item(world, item)


@offers(
    "POST",
    "/v1/subscription_items/{item}",
    "metadata off_session payment_behavior price proration_behavior quantity",
)
def update_item(world: World, params: Json, item: str) -> Json:
    subscription = subscription_items.find_item(world, item)["subscription"]
    if world.find("subscription", subscription)["status"] in ending.OVER:
        raise missing_object("subscription_item", item, "item")
    change: Json = {name: params[name] for name in ("price", "quantity", "metadata") if name in params}
    changing.change_items(world, subscription, [{"id": item, **change}], params)
    return subscription_items.find_item(world, item)


def _given_items(params: Json) -> list[Json]:
    items: list[Json] = params.get("items", [])
    if not items:
        raise missing_parameter("items")
    return items


def _require_no_schedule_for_ending(subscription: Json, params: Json) -> None:
    if subscription["schedule"] and {"cancel_at", "cancel_at_period_end"} & set(params):
        raise Refusal(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating any "
            "cancelation behavior directly is not allowed. Please update the schedule instead."
        )
