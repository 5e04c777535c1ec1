"""Items of subscriptions: what they are made of, and how they are found."""

import copy
from collections.abc import Sequence
from typing import Any

from billing.local_stripe import ids
from billing.local_stripe.errors import invalid_parameter, missing_object, missing_parameter, not_offered
from billing.local_stripe.objects import catalogue, metadata
from billing.local_stripe.world import World

Json = dict[str, Any]


def new_item(world: World, subscription: str, price: Json, given: Json, start: int, end: int) -> Json:
    item: Json = {
        "id": ids.new("subscription_item"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": world.now(),
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": {},
        "price": copy.deepcopy(price),
        "quantity": given.get("quantity", 1),
        "subscription": subscription,
        "tax_rates": [],
    }
    metadata.merge(item, given)
    return item


def priced(world: World, given: Json, param: str) -> Json:
    for name in given:
        if name not in {"id", "price", "quantity", "metadata", "deleted"}:
            raise not_offered(f"{param}[{name}]")
    if "price" not in given:
        raise missing_parameter(f"{param}[price]")
    return catalogue.recurring_price(world, given["price"], f"{param}[price]")


def require_one_rhythm(prices: Sequence[Json]) -> None:
    """One currency, as Stripe wants it, and one interval, for more is not needed here."""
    if not prices:
        raise missing_parameter("items")
    rhythms = {(each["recurring"]["interval"], each["recurring"]["interval_count"]) for each in prices}
    currencies = {each["currency"] for each in prices}
    if len(rhythms) > 1 or len(currencies) > 1:
        message = "The local server wants one currency and one interval for all items of a subscription."
        raise invalid_parameter(message, "items")


def rhythm(items: Sequence[Json]) -> tuple[str, int]:
    recurring = items[0]["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def period_end(subscription: Json) -> int:
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def find_item(world: World, id: str) -> Json:
    for subscription in world.store.all("subscription"):
        for item in subscription["items"]["data"]:
            if item["id"] == id:
                found: Json = item
                return found
    raise missing_object("subscription_item", id, "item")


def of_customer(world: World, customer: str) -> list[Json]:
    return [each for each in world.store.all("subscription") if each["customer"] == customer]
