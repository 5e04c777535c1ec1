"""What people do on the pages, and tests without them: subscribe, pay an invoice, change a card."""

from typing import Any

from billing.local_stripe.clock import DAY
from billing.local_stripe.errors import Refusal
from billing.local_stripe.objects import checkout_sessions, collecting, payment_methods
from billing.local_stripe.world import World

Json = dict[str, Any]


class NeedsConfirmation(Exception):
    """The bank wants its customer to confirm this payment; the page asks for it."""


def card(number: str, *, month: int = 12, year: int, is_confirmed: bool = False) -> Json:
    return {"number": number.replace(" ", ""), "month": month, "year": year, "confirmed": is_confirmed}


def a_year_ahead(world: World) -> int:
    """A year in which a card made today is still good."""
    return 1970 + int((world.now() + 3 * 366 * DAY) / (365.2425 * DAY))


def subscribe(
    world: World, session: str, *, card: Json | None, email: str | None = None, quantities: dict[str, int] | None = None
) -> str:
    """Answers where the browser goes next. Raises NeedsConfirmation or what the page has to show."""
    found = world.find("checkout.session", session, "session")
    is_charged_now = found["amount_total"] > 0
    if card and is_charged_now and card["number"] == payment_methods.NEEDS_ACTION and not card["confirmed"]:
        raise NeedsConfirmation
    done = checkout_sessions.complete(world, session, card=card, email=email, quantities=quantities or {})
    return checkout_sessions.success_url(done)


def change_card(world: World, customer: str, card: Json) -> Json:
    """A new card for everything that the customer pays. Raises what the page has to show."""
    method = payment_methods.make(world, card["number"], card["month"], card["year"])
    payment_methods.attach_to(world, method["id"], customer)
    with world.changing("customer", customer) as changed:
        changed["invoice_settings"]["default_payment_method"] = method["id"]
    for subscription in world.store.all("subscription"):
        if subscription["customer"] == customer and subscription["default_payment_method"]:
            with world.changing("subscription", subscription["id"]) as own:
                own["default_payment_method"] = method["id"]
    return method


def pay_invoice(world: World, invoice: str, *, card: Json | None, is_confirmed: bool = False) -> Json:
    """With a new card, or with the one that is kept. The customer is present and can confirm it."""
    found = world.find("invoice", invoice, "invoice")
    if found["status"] != "open":
        raise Refusal(f"This invoice is {found['status']}.", code="invoice_not_open")
    method = change_card(world, found["customer"], card)["id"] if card else collecting.method_for(world, found)
    if method is None:
        raise Refusal("Your card number is incomplete.", status=402, type="card_error", code="incomplete_number")
    if is_confirmed:
        payment_methods.confirm(world, method)
    elif payment_methods.outcome_of_charge(world, method) == "action":
        raise NeedsConfirmation
    outcome = collecting.collect(world, invoice, method=method, is_retry=False)
    collecting.refuse_unless_paid(outcome, effects_stay=True)
    return world.find("invoice", invoice)
