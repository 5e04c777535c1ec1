"""Periods of a subscription and their invoices: renewals, the end of a trial, what waits for the next invoice."""

from collections.abc import Sequence
from typing import Any

from billing.local_stripe import periods
from billing.local_stripe.clock import DAY
from billing.local_stripe.objects import collecting, ending, invoices, subscription_items
from billing.local_stripe.objects import lines as lines_
from billing.local_stripe.objects.lines import Line
from billing.local_stripe.world import World

Json = dict[str, Any]

TRIAL_NOTICE = 3 * DAY


def set_period(subscription: Json, start: int, *, anchor: int) -> None:
    interval, count = subscription_items.rhythm(subscription["items"]["data"])
    ends = periods.next_end(anchor, start, interval, count)
    subscription["billing_cycle_anchor"] = anchor
    for item in subscription["items"]["data"]:
        item["current_period_start"], item["current_period_end"] = start, ends
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = ends


def start_period(world: World, id: str, *, at: int, anchor: int, silently: bool = False) -> None:
    with world.changing("subscription", id, silently=silently) as subscription:
        set_period(subscription, at, anchor=anchor)


def bill(world: World, id: str, *, reason: str, more: Sequence[Line] = (), delay: int = 0) -> Json:
    """The invoice of the period that has begun, with what was pending. Final at once without a delay."""
    subscription = world.find("subscription", id)
    own = [
        lines_.for_period(id, item, item["current_period_start"], item["current_period_end"])
        for item in subscription["items"]["data"]
    ]
    is_collected = subscription["status"] != "unpaid"
    invoice = invoices.draft(
        world,
        subscription=subscription,
        reason=reason,
        lines=[*_take_pending(world, id), *more, *own],
        finalizes=world.now() + delay if is_collected else None,
    )
    with world.changing("subscription", id) as changed:
        changed["latest_invoice"] = invoice["id"]
    return invoices.finalize(world, invoice["id"]) if is_collected and not delay else invoice


def renew(world: World, id: str) -> None:
    """The next period begins where the last one ended."""
    subscription = world.find("subscription", id)
    start_period(
        world,
        id,
        at=subscription_items.period_end(subscription),
        anchor=subscription["billing_cycle_anchor"],
        silently=False,
    )
    invoice = bill(world, id, reason="subscription_cycle", delay=world.behaviour.draft_for)
    collecting.settle(world, invoice["id"])


def end_trial(world: World, id: str) -> None:
    """The first period that costs something; without a card as the settings of the trial say."""
    subscription = world.find("subscription", id)
    method = collecting.default_method(world, subscription["customer"], subscription)
    without_card = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if method is None and without_card == "cancel":
        ending.end(world, id)
        return
    if method is None and without_card == "pause":
        with world.changing("subscription", id) as changed:
            changed["status"] = "paused"
            changed["trial_end"] = min(changed["trial_end"], world.now())
        world.emit("customer.subscription.paused", changed)
        return
    with world.changing("subscription", id) as changed:
        changed["status"] = "active"
        changed["trial_end"] = min(changed["trial_end"], world.now())
        set_period(changed, world.now(), anchor=world.now())
    invoice = bill(world, id, reason="subscription_cycle", delay=world.behaviour.draft_for)
    collecting.settle(world, invoice["id"])


def add_pending(world: World, id: str, more: Sequence[Line]) -> None:
    if not world.store.get("_pending", id):
        world.store.add("_pending", id, {"lines": []})
    world.store.touch("_pending", id)["lines"] += [lines_.to_json(line) for line in more]


def pending(world: World, id: str) -> list[Line]:
    """What waits for the next invoice."""
    return [lines_.from_json(each) for each in (world.store.get("_pending", id) or {"lines": []})["lines"]]


def _take_pending(world: World, id: str) -> list[Line]:
    found = pending(world, id)
    if found:
        world.store.touch("_pending", id)["lines"] = []
    return found


def invoice_pending(world: World, id: str) -> Json:
    """An invoice of its own for what was pending."""
    subscription = world.find("subscription", id)
    invoice = invoices.draft(
        world,
        subscription=subscription,
        reason="subscription_update",
        lines=_take_pending(world, id),
        finalizes=world.now(),
    )
    with world.changing("subscription", id) as changed:
        changed["latest_invoice"] = invoice["id"]
    return invoices.finalize(world, invoice["id"])


def tell_trial_end(world: World, id: str) -> None:
    subscription = world.find("subscription", id)
    world.store.add("_told", f"{id}/trial", {"moment": subscription["trial_end"]})
    world.emit("customer.subscription.trial_will_end", subscription)


def tell_trial_end_at_once(world: World, id: str) -> None:
    """Of a trial that is shorter than the notice for its end."""
    subscription = world.find("subscription", id)
    if subscription["trial_end"] and subscription["trial_end"] - world.now() <= TRIAL_NOTICE:
        tell_trial_end(world, id)
