"""Customers."""

from typing import Any

from billing.local_stripe import ids
from billing.local_stripe.answers import page
from billing.local_stripe.objects import ending, metadata, payment_methods, subscription_items
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]

_PLAIN = ("address", "balance", "description", "email", "name", "phone", "preferred_locales", "tax_exempt")
_HEEDS = "address balance description email invoice_settings metadata name phone preferred_locales tax_exempt"


@offers("POST", "/v1/customers", f"{_HEEDS} payment_method")
def create(world: World, params: Json) -> Json:
    customer: Json = {
        "id": ids.new("customer"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": world.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "email": None,
        "invoice_prefix": ids.chance(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    _apply(world, customer, params)
    world.add("customer", customer, "customer.created")
    if "payment_method" in params:
        payment_methods.attach_to(world, params["payment_method"], customer["id"])
    return customer


@offers("GET", "/v1/customers", "email")
def list_(world: World, params: Json) -> Json:
    found = [each for each in world.store.all("customer") if not each.get("deleted")]
    if "email" in params:
        found = [each for each in found if each["email"] == params["email"]]
    return page(world, params, "/v1/customers", found)


@offers("GET", "/v1/customers/{customer}")
def retrieve(world: World, params: Json, customer: str) -> Json:
    """One that was deleted is still answered, as the mark that it has become."""
    found = world.store.get("customer", customer)
    return found if found else world.find("customer", customer)


@offers("POST", "/v1/customers/{customer}", _HEEDS)
def update(world: World, params: Json, customer: str) -> Json:
    world.find("customer", customer)
    with world.changing("customer", customer) as changed:
        _apply(world, changed, params)
    return changed


@offers("DELETE", "/v1/customers/{customer}")
def delete(world: World, params: Json, customer: str) -> Json:
    """Its subscriptions end at once."""
    found = dict(world.find("customer", customer))
    for subscription in subscription_items.of_customer(world, customer):
        if subscription["status"] not in ending.OVER:
            ending.end(world, subscription["id"])
    for method in payment_methods.of_customer(world, customer):
        payment_methods.detach_from_customer(world, method["id"])
    world.emit("customer.deleted", found)
    mark: Json = {"id": customer, "object": "customer", "deleted": True}
    return world.add("customer", mark)


def _apply(world: World, customer: Json, params: Json) -> None:
    for name in _PLAIN:
        if name in params:
            customer[name] = None if params[name] == "" else params[name]
    metadata.merge(customer, params)
    settings = params.get("invoice_settings", {})
    if "default_payment_method" in settings:
        id = settings["default_payment_method"]
        param = "invoice_settings[default_payment_method]"
        if id:
            payment_methods.owned(world, id, customer["id"], param)
        customer["invoice_settings"]["default_payment_method"] = id or None
