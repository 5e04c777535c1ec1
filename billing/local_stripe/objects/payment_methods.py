"""Cards. What a card does is told by its number, as with Stripe's own test cards."""

import re
from datetime import UTC, datetime
from typing import Any

from billing.local_stripe import ids
from billing.local_stripe.answers import page
from billing.local_stripe.errors import Refusal, card_declined, invalid_parameter, missing_parameter
from billing.local_stripe.objects import metadata
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]

PAYS = "4242424242424242"
DECLINES_LATER = "4000000000000341"
DECLINED = "4000000000000002"
NEEDS_ACTION = "4000002500003155"

# Stripe's names for cards in tests, where it takes no numbers.
_TOKENS = {
    "tok_visa": PAYS,
    "tok_chargeCustomerFail": DECLINES_LATER,
    "tok_chargeDeclined": DECLINED,
    "pm_card_visa": PAYS,
    "pm_card_chargeCustomerFail": DECLINES_LATER,
    "pm_card_authenticationRequiredOnSetup": NEEDS_ACTION,
}
_KNOWN = frozenset({PAYS, DECLINES_LATER, DECLINED, NEEDS_ACTION})


@offers("POST", "/v1/payment_methods", "type card billing_details metadata allow_redisplay")
def create(world: World, params: Json) -> Json:
    if params.get("type") != "card":
        raise invalid_parameter("The local server knows cards only.", "type")
    card = params.get("card")
    if card is None:
        raise missing_parameter("card")
    if "token" in card:
        if card["token"] not in _TOKENS:
            raise Refusal(f"No such token: '{card['token']}'", code="resource_missing", param="card[token]")
        year = datetime.fromtimestamp(world.now(), UTC).year + 5
        method = make(world, _TOKENS[card["token"]], 12, year)
    else:
        method = make(world, card["number"], card["exp_month"], card["exp_year"])
    method["billing_details"].update(params.get("billing_details", {}))
    metadata.merge(method, params)
    return method


@offers("GET", "/v1/payment_methods", "customer type")
def list_(world: World, params: Json) -> Json:
    return page(world, params, "/v1/payment_methods", of_customer(world, params.get("customer", "")))


@offers("GET", "/v1/customers/{customer}/payment_methods", "type")
def list_of_customer(world: World, params: Json, customer: str) -> Json:
    world.find("customer", customer, "customer")
    return page(world, params, f"/v1/customers/{customer}/payment_methods", of_customer(world, customer))


@offers("GET", "/v1/payment_methods/{payment_method}")
def retrieve(world: World, params: Json, payment_method: str) -> Json:
    return world.find("payment_method", payment_method, "payment_method")


@offers("POST", "/v1/payment_methods/{payment_method}/attach", "customer")
def attach(world: World, params: Json, payment_method: str) -> Json:
    if "customer" not in params:
        raise missing_parameter("customer")
    return attach_to(world, payment_method, params["customer"])


@offers("POST", "/v1/payment_methods/{payment_method}/detach")
def detach(world: World, params: Json, payment_method: str) -> Json:
    if world.find("payment_method", payment_method, "payment_method")["customer"] is None:
        raise Refusal("The payment method you provided is not attached to a customer so detachment is impossible.")
    return detach_from_customer(world, payment_method)


def make(world: World, number: str, month: int, year: int) -> Json:
    """A card that belongs to nobody yet. Raises what Stripe says about a wrong number or date."""
    number = re.sub(r"[\s-]", "", number)
    if number not in _KNOWN:
        message = "Your card number is not one of the numbers for tests."
        raise Refusal(message, status=402, type="card_error", code="incorrect_number", param="number")
    now = datetime.fromtimestamp(world.now(), UTC)
    if not 1 <= month <= 12:
        message = "Your card's expiration month is invalid."
        raise Refusal(message, status=402, type="card_error", code="invalid_expiry_month", param="exp_month")
    if not (now.year, now.month) <= (year, month) <= (now.year + 50, 12):
        message = "Your card's expiration year is invalid."
        raise Refusal(message, status=402, type="card_error", code="invalid_expiry_year", param="exp_year")
    method: Json = {
        "id": ids.new("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": _NO_ADDRESS.copy(), "email": None, "name": None, "phone": None, "tax_id": None},
        "card": {
            "brand": "visa",
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": "visa",
            "exp_month": month,
            "exp_year": year,
            "fingerprint": ids.chance(16),
            "funding": "credit",
            "generated_from": None,
            "last4": number[-4:],
            "networks": {"available": ["visa"], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": world.now(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    world.store.add("_card", method["id"], {"number": number, "confirmed": False})
    return world.add("payment_method", method)


_NO_ADDRESS: Json = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def attach_to(world: World, id: str, customer: str) -> Json:
    if id in _TOKENS:
        year = datetime.fromtimestamp(world.now(), UTC).year + 5
        id = make(world, _TOKENS[id], 12, year)["id"]
    method = world.find("payment_method", id, "payment_method")
    world.find("customer", customer, "customer")
    if method["customer"] not in {None, customer}:
        raise Refusal("The payment method you provided has already been attached to a customer.")
    card = world.store.get("_card", id) or {}
    if card.get("number") == DECLINED:
        raise card_declined("Your card was declined.", "generic_decline", effects_stay=False)
    with world.changing("payment_method", id, silently=True) as changed:
        is_new = changed["customer"] is None
        changed["customer"] = customer
    if is_new:
        world.emit("payment_method.attached", changed)
    return changed


def detach_from_customer(world: World, id: str) -> Json:
    """It is nobody's default any more either."""
    with world.changing("payment_method", id, silently=True) as method:
        customer, method["customer"] = method["customer"], None
    world.emit("payment_method.detached", method, {"customer": customer})
    with world.changing("customer", customer) as owner:
        if owner["invoice_settings"]["default_payment_method"] == id:
            owner["invoice_settings"]["default_payment_method"] = None
    for subscription in world.store.all("subscription"):
        if subscription["default_payment_method"] == id and not subscription["ended_at"]:
            with world.changing("subscription", subscription["id"]) as changed:
                changed["default_payment_method"] = None
    return method


def owned(world: World, id: str, customer: str, param: str) -> Json:
    method = world.find("payment_method", id, param)
    if method["customer"] != customer:
        message = f"The customer does not have a payment method with the ID {id}. The payment method must be attached."
        raise Refusal(message, code="resource_missing", param=param)
    return method


def of_customer(world: World, customer: str) -> list[Json]:
    return [each for each in world.store.all("payment_method") if each["customer"] == customer]


def outcome_of_charge(world: World, id: str) -> str:
    """ "paid", "declined" or "action": what the bank says when this card is charged."""
    card = world.store.get("_card", id) or {}
    if card["number"] == PAYS or card["confirmed"]:
        return "paid"
    return "action" if card["number"] == NEEDS_ACTION else "declined"


def confirm(world: World, id: str) -> None:
    """The holder has confirmed it to the bank. A card that asks for nothing is left as it is."""
    card = world.store.touch("_card", id)
    card["confirmed"] = card["number"] == NEEDS_ACTION
