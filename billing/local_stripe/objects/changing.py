"""Other items, other quantities, another end of the trial."""

import copy
from collections.abc import Sequence
from typing import Any

from billing.local_stripe.errors import invalid_parameter, missing_object, not_offered
from billing.local_stripe.objects import beginning, collecting, cycles, metadata, subscription_items
from billing.local_stripe.objects import lines as lines_
from billing.local_stripe.objects.lines import Line
from billing.local_stripe.world import World

Json = dict[str, Any]


def change_items(world: World, id: str, given: Sequence[Json], params: Json) -> None:
    """Other prices or quantities, with what that costs for the rest of the period."""
    prorating = params.get("proration_behavior", "create_prorations")
    behaviour = params.get("payment_behavior", "allow_incomplete")
    if behaviour not in {"allow_incomplete", "error_if_incomplete"}:
        raise not_offered("payment_behavior")
    before = copy.deepcopy(world.find("subscription", id))
    items = changed_items(world, before, given)
    interval_changes = subscription_items.rhythm(items) != subscription_items.rhythm(before["items"]["data"])
    prorations = prorations_for(world, before, items) if prorating != "none" else []
    with world.changing("subscription", id) as subscription:
        subscription["items"]["data"] = items
        if interval_changes and subscription["status"] != "trialing":
            cycles.set_period(subscription, world.now(), anchor=world.now())
    if before["schedule"]:
        _tell_schedule(world, before["schedule"], items)
    if interval_changes and before["status"] in {"active", "past_due"}:
        # Another interval begins a new period at once, and is to be paid at once.
        credits = [line for line in prorations if line.amount < 0]
        invoice = cycles.bill(world, id, reason="subscription_update", more=credits)
    elif prorations:
        cycles.add_pending(world, id, prorations)
        if prorating != "always_invoice":
            return
        invoice = cycles.invoice_pending(world, id)
    else:
        return
    outcome = collecting.settle(world, invoice["id"])
    if behaviour == "error_if_incomplete":
        collecting.refuse_unless_paid(outcome, effects_stay=False)


def changed_items(world: World, subscription: Json, given: Sequence[Json]) -> list[Json]:
    """The items as they would be. Nothing is stored: previews ask this as well."""
    items: list[Json] = copy.deepcopy(subscription["items"]["data"])
    for place, each in enumerate(given):
        param = f"items[{place}]"
        for name in each:
            if name not in {"id", "price", "quantity", "metadata", "deleted"}:
                raise not_offered(f"{param}[{name}]")
        if "id" not in each:
            start, end = items[0]["current_period_start"], items[0]["current_period_end"]
            items.append(
                subscription_items.new_item(
                    world, subscription["id"], subscription_items.priced(world, each, param), each, start, end
                )
            )
            continue
        item = next((one for one in items if one["id"] == each["id"]), None)
        if item is None:
            raise missing_object("subscription_item", each["id"], f"{param}[id]")
        if each.get("deleted"):
            items.remove(item)
            continue
        if "price" in each:
            item["price"] = copy.deepcopy(subscription_items.priced(world, each, param))
        if "quantity" in each:
            if each["quantity"] < 0:
                raise invalid_parameter("Invalid integer: must be at least 0", f"{param}[quantity]")
            item["quantity"] = each["quantity"]
        metadata.merge(item, each)
    subscription_items.require_one_rhythm([item["price"] for item in items])
    return items


def prorations_for(world: World, before: Json, items: Sequence[Json]) -> list[Line]:
    """Nothing during a trial, which is free, nor for one that does not run."""
    if before["status"] not in {"active", "past_due"}:
        return []
    found: list[Line] = []
    kept = {item["id"]: item for item in items}
    for old in before["items"]["data"]:
        new = kept.get(old["id"])
        if new is None:
            found += lines_.credit(before["id"], old, world.now())
        elif (new["price"]["id"], new["quantity"]) != (old["price"]["id"], old["quantity"]):
            found += lines_.for_change(before["id"], old, new, world.now())
    known = {item["id"] for item in before["items"]["data"]}
    for item in items:
        if item["id"] not in known:
            free = {**item, "quantity": 0}
            found += [line for line in lines_.for_change(before["id"], free, item, world.now()) if line.amount]
    return found


def move_trial_end(world: World, id: str, given: int | str) -> None:
    subscription = world.find("subscription", id)
    if given == "now":
        if subscription["status"] == "trialing":
            cycles.end_trial(world, id)
        return
    moment = beginning.trial_end_of(world, {"trial_end": given})
    with world.changing("subscription", id) as changed:
        changed["trial_end"] = changed["billing_cycle_anchor"] = moment
        changed["trial_start"] = changed["trial_start"] or world.now()
        changed["status"] = "trialing"
        for item in changed["items"]["data"]:
            item["current_period_end"] = moment
        if changed["cancel_at_period_end"]:
            changed["cancel_at"] = moment
    cycles.tell_trial_end_at_once(world, id)


def _tell_schedule(world: World, schedule: str, items: Sequence[Json]) -> None:
    """What is changed beside a schedule becomes part of its present phase."""
    with world.changing("subscription_schedule", schedule) as changed:
        for phase in changed["phases"]:
            if phase["start_date"] <= world.now() < phase["end_date"]:
                for planned, item in zip(phase["items"], items, strict=False):
                    planned.update({"price": item["price"]["id"], "quantity": item["quantity"]})
