"""Checkout sessions: the page on which somebody subscribes."""

from typing import Any

from billing.local_stripe import ids
from billing.local_stripe.answers import page, whole_list
from billing.local_stripe.clock import DAY, HOUR
from billing.local_stripe.errors import Refusal, invalid_parameter, missing_parameter, not_offered
from billing.local_stripe.objects import beginning, catalogue, customers, payment_methods, subscription_items
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]

_KIND = "checkout.session"
_OF_SUBSCRIPTIONS = frozenset(
    {"metadata", "description", "trial_end", "trial_period_days", "trial_settings", "billing_mode"}
)
# Seen by whoever looks at Stripe's own page, and without effect on what becomes of the session.
_IGNORED = (
    "billing_address_collection custom_text branding_settings tax_id_collection phone_number_collection customer_update"
)


@offers(
    "POST",
    "/v1/checkout/sessions",
    "allow_promotion_codes automatic_tax cancel_url client_reference_id customer customer_email expires_at line_items"
    " locale metadata mode payment_method_collection payment_method_types subscription_data success_url"
    f" ui_mode {_IGNORED}",
)
def create(world: World, params: Json) -> Json:
    if params.get("mode") != "subscription":
        raise invalid_parameter("The local server has sessions of the mode `subscription` only.", "mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_offered("ui_mode")
    if "success_url" not in params:
        raise missing_parameter("success_url")
    for name in ("success_url", "cancel_url"):
        if not params.get(name, "http:").startswith(("http:", "https:")):
            raise invalid_parameter("Not a valid URL", name, "url_invalid")
    if "customer" in params and "customer_email" in params:
        message = "You may only specify one of these parameters: customer, customer_email."
        raise invalid_parameter(message, "customer")
    id = ids.new(_KIND)
    items = _line_items(world, params)
    plan = _plan(world, params)
    total = 0 if plan["trial_end"] or plan["trial_period_days"] else sum(item["amount_total"] for item in items)
    session = _shape(world, id, params, items[0]["currency"], total)
    world.store.add("_checkout", id, {"line_items": items, "plan": plan})
    return world.add(_KIND, session)


@offers("GET", "/v1/checkout/sessions", "customer status subscription")
def list_(world: World, params: Json) -> Json:
    found = world.store.all(_KIND)
    for name in ("customer", "status", "subscription"):
        if name in params:
            found = [each for each in found if each[name] == params[name]]
    return page(world, params, "/v1/checkout/sessions", found)


@offers("GET", "/v1/checkout/sessions/{session}")
def retrieve(world: World, params: Json, session: str) -> Json:
    return world.find(_KIND, session, "session")


@offers("GET", "/v1/checkout/sessions/{session}/line_items")
def list_line_items(world: World, params: Json, session: str) -> Json:
    world.find(_KIND, session, "session")
    kept = world.store.get("_checkout", session) or {"line_items": []}
    return whole_list(f"/v1/checkout/sessions/{session}/line_items", kept["line_items"])


@offers("POST", "/v1/checkout/sessions/{session}/expire")
def expire(world: World, params: Json, session: str) -> Json:
    status = world.find(_KIND, session, "session")["status"]
    if status != "open":
        message = (
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"{status}."
        )
        raise Refusal(message)
    return expire_now(world, session)


def expire_now(world: World, id: str) -> Json:
    with world.changing(_KIND, id) as session:
        session["status"] = "expired"
        session["url"] = None
    world.emit("checkout.session.expired", session)
    return session


def needs_card(world: World, session: Json) -> bool:
    return bool(session["payment_method_collection"] == "always" or session["amount_total"] > 0)


def complete(world: World, id: str, *, card: Json | None, email: str | None, quantities: dict[str, int]) -> Json:
    """What the Subscribe button does. `card` has number, month and year, and "confirmed" once the bank was asked.

    Raises the Refusal that the page shows, and then the session is still open.
    """
    session = world.find(_KIND, id, "session")
    if session["status"] != "open":
        raise Refusal("This checkout session is no longer open.")
    if card is None and needs_card(world, session):
        raise Refusal("Your card number is incomplete.", status=402, type="card_error", code="incomplete_number")
    kept = world.store.touch("_checkout", id)
    _set_quantities(kept["line_items"], quantities)
    plan = kept["plan"]
    customer = session["customer"] or customers.create(world, {"email": session["customer_email"] or email or ""})["id"]
    method = _attach(world, customer, card) if card else None
    trial_end = _trial_end(world, plan)
    items = [
        (catalogue.recurring_price(world, item["price"]["id"], "line_items"), {"quantity": item["quantity"]})
        for item in kept["line_items"]
    ]
    subscription = beginning.begin(
        world,
        customer=customer,
        items=items,
        trial_end=trial_end,
        trial_settings=plan["trial_settings"],
        values={"metadata": plan["metadata"], "description": plan["description"]},
        method=method,
        behaviour="error_if_incomplete" if method else "allow_incomplete",
        billing_mode=plan["billing_mode"],
        on_session=bool(card and card.get("confirmed")),
    )
    with world.changing(_KIND, id) as changed:
        total = 0 if trial_end else sum(item["amount_total"] for item in kept["line_items"])
        owner = world.find("customer", customer)
        changed.update(
            {
                "amount_subtotal": total,
                "amount_total": total,
                "customer": customer,
                "customer_details": _details(owner),
                "invoice": subscription["latest_invoice"],
                "payment_status": "paid" if total else "no_payment_required",
                "status": "complete",
                "subscription": subscription["id"],
                "url": None,
            }
        )
        # Without a trial a charge of zero counts as paid, as an invoice of zero does.
        if not total and not trial_end:
            changed["payment_status"] = "paid"
    world.emit("checkout.session.completed", changed)
    return changed


def success_url(session: Json) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _attach(world: World, customer: str, card: Json) -> str:
    method = payment_methods.make(world, card["number"], card["month"], card["year"])
    payment_methods.attach_to(world, method["id"], customer)
    return str(method["id"])


def _set_quantities(items: list[Json], quantities: dict[str, int]) -> None:
    for item in items:
        adjustable = item["adjustable_quantity"]
        wanted = quantities.get(item["id"], item["quantity"])
        if wanted == item["quantity"]:
            continue
        if not adjustable or not adjustable["enabled"]:
            raise Refusal("The quantity of this item cannot be changed.", param="quantity")
        if not adjustable["minimum"] <= wanted <= adjustable["maximum"]:
            message = f"The quantity must be between {adjustable['minimum']} and {adjustable['maximum']}."
            raise Refusal(message, param="quantity")
        item["quantity"] = wanted
        item["amount_subtotal"] = item["amount_total"] = item["price"]["unit_amount"] * wanted


def _trial_end(world: World, plan: Json) -> int | None:
    """A trial whose end has passed while the page was open is no trial any more."""
    if plan["trial_period_days"]:
        return world.now() + int(plan["trial_period_days"]) * DAY
    moment = plan["trial_end"]
    return moment if moment and moment > world.now() else None


def _line_items(world: World, params: Json) -> list[Json]:
    given = params.get("line_items", [])
    if not given:
        raise missing_parameter("line_items")
    items = []
    for place, each in enumerate(given):
        param = f"line_items[{place}]"
        for name in each:
            if name not in {"price", "quantity", "adjustable_quantity"}:
                raise not_offered(f"{param}[{name}]")
        if "price" not in each:
            raise missing_parameter(f"{param}[price]")
        price = catalogue.recurring_price(world, each["price"], f"{param}[price]")
        if "quantity" not in each:
            raise missing_parameter(f"{param}[quantity]")
        if each["quantity"] < 1:
            raise invalid_parameter("Invalid integer: must be at least 1", f"{param}[quantity]")
        items.append(_item(price, each["quantity"], each.get("adjustable_quantity")))
    subscription_items.require_one_rhythm([item["price"] for item in items])
    return items


def _item(price: Json, quantity: int, adjustable: Json | None) -> Json:
    amount = price["unit_amount"] * quantity
    return {
        "id": ids.new("item"),
        "object": "item",
        "adjustable_quantity": {
            "enabled": adjustable["enabled"],
            "maximum": adjustable.get("maximum", 99),
            "minimum": adjustable.get("minimum", 0),
        }
        if adjustable
        else None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": price["nickname"] or price["lookup_key"] or price["product"],
        "metadata": {},
        "price": dict(price),
        "quantity": quantity,
    }


def _plan(world: World, params: Json) -> Json:
    """What the subscription is to be, kept until the page is filled in."""
    data = params.get("subscription_data", {})
    for name in data:
        if name not in _OF_SUBSCRIPTIONS:
            raise not_offered(f"subscription_data[{name}]")
    days = data.get("trial_period_days")
    if days is not None and days < 1:
        message = "The minimum number of trial period days is 1."
        raise invalid_parameter(message, "subscription_data[trial_period_days]")
    if "trial_end" in data and data["trial_end"] < world.now() + 2 * DAY:
        message = "The `trial_end` date has to be at least 2 days in the future."
        raise invalid_parameter(message, "subscription_data[trial_end]")
    if data.get("billing_mode", {}).get("type", "flexible") != "flexible":
        raise not_offered("subscription_data[billing_mode]")
    return {
        "billing_mode": data.get("billing_mode"),
        "description": data.get("description"),
        "metadata": data.get("metadata", {}),
        "trial_end": data.get("trial_end"),
        "trial_period_days": days,
        "trial_settings": data.get("trial_settings"),
    }


def _expires_at(world: World, params: Json) -> int:
    given = params.get("expires_at")
    if given is None:
        return world.now() + DAY
    if not world.now() + HOUR // 2 <= given <= world.now() + DAY:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise invalid_parameter(message, "expires_at")
    return int(given)


def _details(customer: Json) -> Json:
    return {
        "address": customer["address"],
        "business_name": None,
        "email": customer["email"],
        "individual_name": None,
        "name": customer["name"],
        "phone": customer["phone"],
        "tax_exempt": customer["tax_exempt"],
        "tax_ids": [],
    }


def _shape(world: World, id: str, params: Json, currency: str, total: int) -> Json:
    customer = world.find("customer", params["customer"], "customer") if "customer" in params else None
    has_tax = params.get("automatic_tax", {}).get("enabled", False)
    return {
        "id": id,
        "object": _KIND,
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {
            "enabled": has_tax,
            "liability": {"type": "self"} if has_tax else None,
            "provider": "stripe" if has_tax else None,
            "status": "complete" if has_tax else None,
        },
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": world.now(),
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": customer["id"] if customer else None,
        "customer_creation": None if customer else "always",
        "customer_details": _details(customer) if customer else None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": _expires_at(world, params),
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "mode": "subscription",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.get("payment_method_collection", "always"),
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{world.base_url}/c/pay/{id}",
        "wallet_options": None,
    }
