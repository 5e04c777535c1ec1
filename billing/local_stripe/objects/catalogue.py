"""Products and prices."""

from typing import Any

from billing.local_stripe import ids
from billing.local_stripe.answers import page
from billing.local_stripe.errors import Refusal, invalid_parameter, missing_parameter
from billing.local_stripe.objects import metadata
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]

_OF_PRODUCTS = "active description images marketing_features metadata name statement_descriptor tax_code unit_label url"


@offers("POST", "/v1/products", f"{_OF_PRODUCTS} id")
def create_product(world: World, params: Json) -> Json:
    id = params.get("id") or ids.new("product")
    if world.store.get("product", id):
        raise Refusal(f"Product already exists: {id}", code="resource_already_exists", param="id")
    product: Json = {
        "id": id,
        "object": "product",
        "active": True,
        "created": world.now(),
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": "",
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "unit_label": None,
        "updated": world.now(),
        "url": None,
    }
    _apply_to_product(product, params)
    return world.add("product", product, "product.created")


@offers("GET", "/v1/products", "active ids")
def list_products(world: World, params: Json) -> Json:
    found = world.store.all("product")
    if "active" in params:
        found = [each for each in found if each["active"] == params["active"]]
    if "ids" in params:
        found = [each for each in found if each["id"] in params["ids"]]
    return page(world, params, "/v1/products", found)


@offers("GET", "/v1/products/{id}")
def retrieve_product(world: World, params: Json, id: str) -> Json:
    return world.find("product", id)


@offers("POST", "/v1/products/{id}", f"{_OF_PRODUCTS} default_price")
def update_product(world: World, params: Json, id: str) -> Json:
    world.find("product", id)
    with world.changing("product", id) as product:
        _apply_to_product(product, params)
        if "default_price" in params:
            product["default_price"] = world.find("price", params["default_price"], "default_price")["id"]
        product["updated"] = world.now()
    return product


def _apply_to_product(product: Json, params: Json) -> None:
    for name in _OF_PRODUCTS.split():
        if name in params and name != "metadata":
            product[name] = None if params[name] == "" else params[name]
    metadata.merge(product, params)


@offers(
    "POST",
    "/v1/prices",
    "active billing_scheme currency lookup_key metadata nickname product product_data recurring tax_behavior"
    " transfer_lookup_key unit_amount unit_amount_decimal",
)
def create_price(world: World, params: Json) -> Json:
    price: Json = {
        "id": ids.new("price"),
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": _per_unit(params),
        "created": world.now(),
        "currency": params["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": params.get("nickname"),
        "product": _product(world, params),
        "recurring": _recurring(params.get("recurring")),
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if "recurring" in params else "one_time",
        **_amount(params),
    }
    metadata.merge(price, params)
    if params.get("lookup_key"):
        _take_lookup_key(world, price, params)
    return world.add("price", price, "price.created")


@offers("GET", "/v1/prices", "active currency lookup_keys product recurring type")
def list_prices(world: World, params: Json) -> Json:
    found = world.store.all("price")
    for name in ("active", "currency", "product", "type"):
        if name in params:
            found = [each for each in found if each[name] == params[name]]
    if "lookup_keys" in params:
        found = [each for each in found if each["lookup_key"] in params["lookup_keys"]]
    for name, wanted in params.get("recurring", {}).items():
        found = [each for each in found if each["recurring"] and each["recurring"].get(name) == wanted]
    return page(world, params, "/v1/prices", found)


@offers("GET", "/v1/prices/{price}")
def retrieve_price(world: World, params: Json, price: str) -> Json:
    return world.find("price", price)


@offers("POST", "/v1/prices/{price}", "active lookup_key metadata nickname tax_behavior transfer_lookup_key")
def update_price(world: World, params: Json, price: str) -> Json:
    world.find("price", price)
    with world.changing("price", price) as changed:
        for name in ("active", "nickname", "tax_behavior"):
            if name in params:
                changed[name] = params[name]
        metadata.merge(changed, params)
        if params.get("lookup_key"):
            _take_lookup_key(world, changed, params)
        elif "lookup_key" in params:
            changed["lookup_key"] = None
    return changed


def recurring_price(world: World, id: str, param: str) -> Json:
    """A price on which a subscription can be made."""
    price = world.find("price", id, param)
    if not price["active"]:
        message = f"The price specified is inactive. This field only accepts active prices. ({id})"
        raise invalid_parameter(message, param)
    if price["recurring"] is None:
        message = f"The price specified is set to `type=one_time` but this field only accepts recurring prices. ({id})"
        raise invalid_parameter(message, param)
    return price


def _per_unit(params: Json) -> str:
    if params.get("billing_scheme", "per_unit") != "per_unit":
        raise invalid_parameter("The local server has prices per unit only.", "billing_scheme")
    return "per_unit"


def _product(world: World, params: Json) -> str:
    if "product_data" in params:
        return str(create_product(world, params["product_data"])["id"])
    if "product" not in params:
        raise missing_parameter("product")
    return str(world.find("product", params["product"], "product")["id"])


def _recurring(given: Json | None) -> Json | None:
    if given is None:
        return None
    if given.get("usage_type", "licensed") != "licensed" or "meter" in given:
        raise invalid_parameter("The local server has licensed prices only.", "recurring[usage_type]")
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": None,
        "usage_type": "licensed",
    }


def _amount(params: Json) -> Json:
    if "unit_amount" in params:
        return {"unit_amount": params["unit_amount"], "unit_amount_decimal": str(params["unit_amount"])}
    if "unit_amount_decimal" not in params:
        raise missing_parameter("unit_amount")
    text = params["unit_amount_decimal"]
    if not text.isdecimal():
        raise invalid_parameter("The local server has whole amounts only.", "unit_amount_decimal")
    return {"unit_amount": int(text), "unit_amount_decimal": text}


def _take_lookup_key(world: World, price: Json, params: Json) -> None:
    """One key leads to one active price; to move it has to be wished for."""
    key = params["lookup_key"]
    for other in world.store.all("price"):
        if other["lookup_key"] != key or other["id"] == price["id"] or not other["active"]:
            continue
        if not params.get("transfer_lookup_key"):
            message = f"A price (`{other['id']}`) already uses that lookup key."
            raise Refusal(message, code="resource_already_exists", param="lookup_key")
        with world.changing("price", other["id"]) as loser:
            loser["lookup_key"] = None
    price["lookup_key"] = key
