"""How a subscription ends: at once, at a moment to come, or because it was never paid for."""

from typing import Any

from billing.local_stripe.errors import invalid_parameter, not_offered
from billing.local_stripe.objects import invoices, subscription_items
from billing.local_stripe.world import World

Json = dict[str, Any]

# No way leads back from these.
OVER = frozenset({"canceled", "incomplete_expired"})


def end(world: World, id: str, *, reason: str = "cancellation_requested", details: Json | None = None) -> Json:
    """At once. One that was never paid for is over as if it had never begun."""
    with world.changing("subscription", id, silently=True) as subscription:
        was_incomplete = subscription["status"] == "incomplete"
        subscription["status"] = "incomplete_expired" if was_incomplete else "canceled"
        subscription["ended_at"] = world.now()
        subscription["canceled_at"] = subscription["canceled_at"] or world.now()
        subscription["cancellation_details"]["reason"] = reason
        for name, value in (details or {}).items():
            subscription["cancellation_details"][name] = value or None
        schedule = subscription["schedule"]
        latest = subscription["latest_invoice"]
    if schedule:
        _cancel_schedule(world, schedule)
    invoice = world.store.get("invoice", latest or "")
    if was_incomplete and invoice and invoice["status"] == "open":
        invoices.make_void(world, invoice["id"])
    for open_one in world.store.all("invoice"):
        if invoices.subscription_of(open_one) == id and open_one["auto_advance"]:
            with world.changing("invoice", open_one["id"]) as changed:
                changed["auto_advance"], changed["next_payment_attempt"] = False, None
    world.emit("customer.subscription.deleted", subscription)
    return subscription


def expire_incomplete(world: World, id: str) -> None:
    """Its first invoice was not paid in 23 hours."""
    with world.changing("subscription", id) as subscription:
        subscription["status"] = "incomplete_expired"
        subscription["ended_at"] = world.now()
    invoice = world.store.get("invoice", subscription["latest_invoice"] or "")
    if invoice and invoice["status"] == "open":
        invoices.make_void(world, invoice["id"])


def schedule_end(world: World, id: str, params: Json) -> None:
    """When it is to end: at the end of its period, at a moment, or no more."""
    if "cancel_at" in params and "cancel_at_period_end" in params:
        message = "You may only specify one of these parameters: cancel_at, cancel_at_period_end."
        raise invalid_parameter(message, "cancel_at")
    if "cancel_at" not in params and "cancel_at_period_end" not in params:
        return
    with world.changing("subscription", id) as subscription:
        at_period_end = bool(params.get("cancel_at_period_end"))
        moment = (
            subscription_items.period_end(subscription) if at_period_end else _end_moment(world, subscription, params)
        )
        subscription["cancel_at_period_end"] = at_period_end
        subscription["cancel_at"] = moment
        subscription["canceled_at"] = world.now() if moment else None
        subscription["cancellation_details"]["reason"] = "cancellation_requested" if moment else None


def _end_moment(world: World, subscription: Json, params: Json) -> int | None:
    given = params.get("cancel_at")
    if given in {None, ""}:
        return None
    if given in {"min_period_end", "max_period_end"}:
        return subscription_items.period_end(subscription)
    if given == "max_billed_until":
        raise not_offered("cancel_at")
    if given <= world.now():
        raise invalid_parameter("Invalid timestamp: must be an integer Unix timestamp in the future.", "cancel_at")
    return int(given)


def _cancel_schedule(world: World, id: str) -> None:
    with world.changing("subscription_schedule", id, silently=True) as schedule:
        schedule["status"] = "canceled"
        schedule["canceled_at"] = world.now()
        schedule["current_phase"] = None
    world.emit("subscription_schedule.canceled", schedule)
