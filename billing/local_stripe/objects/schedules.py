"""Subscription schedules: changes of a subscription that take effect later, such as a downgrade."""

from collections.abc import Sequence
from typing import Any

from billing.local_stripe import ids, periods
from billing.local_stripe.answers import page
from billing.local_stripe.errors import Refusal, invalid_parameter, missing_parameter, not_offered
from billing.local_stripe.objects import catalogue, changing, ending, metadata, subscription_items
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]

_KIND = "subscription_schedule"
_LIVE = frozenset({"active", "not_started"})
_OF_PHASES = frozenset({"items", "start_date", "end_date", "duration", "proration_behavior", "metadata"})


@offers("POST", "/v1/subscription_schedules", "from_subscription metadata")
def create(world: World, params: Json) -> Json:
    """From a subscription that runs. Its present period becomes the first phase."""
    if "from_subscription" not in params:
        raise missing_parameter("from_subscription")
    subscription = world.find("subscription", params["from_subscription"], "from_subscription")
    if subscription["status"] in ending.OVER:
        raise Refusal("You cannot create a subscription schedule from a subscription that is canceled.")
    if subscription["schedule"]:
        message = (
            f"You cannot migrate a subscription that is already attached to a schedule: {subscription['schedule']}"
        )
        raise Refusal(message, param="from_subscription")
    items = subscription["items"]["data"]
    start, end = items[0]["current_period_start"], subscription_items.period_end(subscription)
    planned = [_planned_item(item["price"]["id"], item["quantity"], {}) for item in items]
    schedule: Json = {
        "id": ids.new(_KIND),
        "object": _KIND,
        "application": None,
        "billing_mode": dict(subscription["billing_mode"]),
        "canceled_at": None,
        "completed_at": None,
        "created": world.now(),
        "current_phase": {"start_date": start, "end_date": end},
        "customer": subscription["customer"],
        "default_settings": _default_settings(subscription),
        "end_behavior": "release",
        "livemode": False,
        "metadata": {},
        "phases": [_phase(subscription["currency"], planned, start, end, "create_prorations", {})],
        "released_at": None,
        "released_subscription": None,
        "status": "active",
        "subscription": subscription["id"],
        "test_clock": None,
    }
    metadata.merge(schedule, params)
    if subscription["cancel_at"]:
        schedule["end_behavior"] = "cancel"
    world.add(_KIND, schedule, "subscription_schedule.created")
    with world.changing("subscription", subscription["id"]) as changed:
        changed["schedule"] = schedule["id"]
    return schedule


@offers("GET", "/v1/subscription_schedules", "customer")
def list_(world: World, params: Json) -> Json:
    found = world.store.all(_KIND)
    if "customer" in params:
        found = [each for each in found if each["customer"] == params["customer"]]
    return page(world, params, "/v1/subscription_schedules", found)


@offers("GET", "/v1/subscription_schedules/{schedule}")
def retrieve(world: World, params: Json, schedule: str) -> Json:
    return world.find(_KIND, schedule, "schedule")


@offers("POST", "/v1/subscription_schedules/{schedule}", "end_behavior metadata phases proration_behavior")
def update(world: World, params: Json, schedule: str) -> Json:
    found = world.find(_KIND, schedule, "schedule")
    _require_live(found)
    if params.get("end_behavior", "release") not in {"release", "cancel"}:
        raise not_offered("end_behavior")
    phases = _phases(world, found, params["phases"]) if "phases" in params else found["phases"]
    with world.changing(_KIND, schedule) as changed:
        metadata.merge(changed, params)
        changed["end_behavior"] = params.get("end_behavior", changed["end_behavior"])
        changed["phases"] = phases
        present = _present(phases, world.now())
        if present is not None:
            changed["current_phase"] = {"start_date": present["start_date"], "end_date": present["end_date"]}
    if present is not None:
        _enter(world, found["subscription"], present, params.get("proration_behavior", "create_prorations"))
    return changed


@offers("POST", "/v1/subscription_schedules/{schedule}/release", "preserve_cancel_date")
def release(world: World, params: Json, schedule: str) -> Json:
    """The subscription stays as it is, and nothing is planned for it any more."""
    _require_live(world.find(_KIND, schedule, "schedule"))
    return let_go(world, schedule)


def let_go(world: World, id: str) -> Json:
    with world.changing(_KIND, id, silently=True) as schedule:
        subscription = schedule["subscription"]
        schedule.update(
            {
                "status": "released",
                "released_at": world.now(),
                "released_subscription": subscription,
                "subscription": None,
                "current_phase": None,
            }
        )
    with world.changing("subscription", subscription) as changed:
        changed["schedule"] = None
    world.emit("subscription_schedule.released", schedule)
    return schedule


def next_moment(schedule: Json) -> int | None:
    """When its present phase ends."""
    return schedule["current_phase"]["end_date"] if schedule["status"] == "active" else None


def go_on(world: World, id: str) -> None:
    """Enter the next phase; after the last one do what `end_behavior` says."""
    schedule = world.find(_KIND, id)
    present = _present(schedule["phases"], schedule["current_phase"]["end_date"])
    if present is not None:
        with world.changing(_KIND, id) as changed:
            changed["current_phase"] = {"start_date": present["start_date"], "end_date": present["end_date"]}
        _enter(world, schedule["subscription"], present, present["proration_behavior"])
    elif schedule["end_behavior"] == "cancel":
        with world.changing(_KIND, id, silently=True) as changed:
            changed.update({"status": "completed", "completed_at": world.now(), "current_phase": None})
        world.emit("subscription_schedule.completed", changed)
        with world.changing("subscription", schedule["subscription"], silently=True) as subscription:
            subscription["schedule"] = None
        ending.end(world, schedule["subscription"])
    else:
        let_go(world, id)


def _enter(world: World, subscription_id: str, phase: Json, prorating: str) -> None:
    """At the end of a period nothing is left to be prorated: the renewal bills what is new."""
    subscription = world.find("subscription", subscription_id)
    items = subscription["items"]["data"]
    wanted: list[Json] = []
    for place, planned in enumerate(phase["items"]):
        known = {"id": items[place]["id"]} if place < len(items) else {}
        wanted.append({**known, "price": planned["price"], "quantity": planned["quantity"]})
    wanted += [{"id": item["id"], "deleted": True} for item in items[len(phase["items"]) :]]
    before = [(item["price"]["id"], item["quantity"]) for item in items]
    if before == [(each.get("price"), each.get("quantity")) for each in wanted]:
        return
    if subscription_items.period_end(subscription) <= world.now():
        changed_items = changing.changed_items(world, subscription, wanted)
        with world.changing("subscription", subscription_id) as changed:
            changed["items"]["data"] = changed_items
            # A month after a year is counted from the day on which the year ends.
            changed["billing_cycle_anchor"] = subscription_items.period_end(subscription)
    else:
        changing.change_items(world, subscription_id, wanted, {"proration_behavior": prorating})


def _present(phases: Sequence[Json], now: int) -> Json | None:
    return next((phase for phase in phases if phase["start_date"] <= now < phase["end_date"]), None)


def _require_live(schedule: Json) -> None:
    if schedule["status"] not in _LIVE:
        message = f"You cannot update a subscription schedule that is currently in the `{schedule['status']}` status."
        raise Refusal(message)


def _phases(world: World, schedule: Json, given: Sequence[Json]) -> list[Json]:
    """Each begins where the one before ends; the first one keeps the start that it has."""
    phases: list[Json] = []
    for place, each in enumerate(given):
        param = f"phases[{place}]"
        for name in each:
            if name not in _OF_PHASES:
                raise not_offered(f"{param}[{name}]")
        start = phases[-1]["end_date"] if phases else schedule["phases"][0]["start_date"]
        _require_start(world, schedule, each, start, param)
        planned, price = _planned_items(world, each, param)
        end = _end_of(world, each, start, price, param)
        prorating = each.get("proration_behavior", "create_prorations")
        phases.append(_phase(price["currency"], planned, start, end, prorating, each.get("metadata", {})))
    if _present(phases, world.now()) is None:
        message = (
            "The subscription schedule update is missing at least one phase with a `start_date` to anchor end dates to."
        )
        raise invalid_parameter(message, "phases")
    return phases


def _require_start(world: World, schedule: Json, given: Json, start: int, param: str) -> None:
    wanted = given.get("start_date", start)
    if wanted == "now":
        wanted = world.now()
    if wanted != start:
        message = "You can not modify the start date of the current phase." if param == "phases[0]" else (
            "Phases must follow one another: a phase starts where the one before it ends."
        )  # fmt: skip
        raise invalid_parameter(message, f"{param}[start_date]")


def _planned_items(world: World, given: Json, param: str) -> tuple[list[Json], Json]:
    planned, prices = [], []
    for place, each in enumerate(given["items"]):
        for name in each:
            if name not in {"price", "quantity", "metadata"}:
                raise not_offered(f"{param}[items][{place}][{name}]")
        if "price" not in each:
            raise missing_parameter(f"{param}[items][{place}][price]")
        prices.append(catalogue.recurring_price(world, each["price"], f"{param}[items][{place}][price]"))
        planned.append(_planned_item(each["price"], each.get("quantity", 1), each.get("metadata", {})))
    subscription_items.require_one_rhythm(prices)
    return planned, prices[0]


def _end_of(world: World, given: Json, start: int, price: Json, param: str) -> int:
    if "end_date" in given and "duration" in given:
        message = "You may only specify one of these parameters: end_date, duration."
        raise invalid_parameter(message, f"{param}[end_date]")
    if "end_date" in given:
        end = world.now() if given["end_date"] == "now" else int(given["end_date"])
        if end <= start:
            raise invalid_parameter("A phase must end after it starts.", f"{param}[end_date]")
        return end
    recurring = price["recurring"]
    duration = given.get("duration") or {
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
    }
    return periods.after(start, duration["interval"], duration.get("interval_count", 1), 1)


def _planned_item(price: str, quantity: int, own_metadata: Json) -> Json:
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": own_metadata,
        "price": price,
        "quantity": quantity,
        "tax_rates": [],
    }


def _phase(currency: str, items: list[Json], start: int, end: int, prorating: str, own_metadata: Json) -> Json:
    return {
        "add_invoice_items": [],
        "application_fee_percent": None,
        "billing_cycle_anchor": None,
        "billing_thresholds": None,
        "collection_method": None,
        "currency": currency,
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "end_date": end,
        "invoice_settings": None,
        "items": items,
        "metadata": own_metadata,
        "on_behalf_of": None,
        "proration_behavior": prorating,
        "start_date": start,
        "transfer_data": None,
        "trial_end": None,
    }


def _default_settings(subscription: Json) -> Json:
    return {
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": None,
        "collection_method": "charge_automatically",
        "default_payment_method": subscription["default_payment_method"],
        "description": None,
        "invoice_settings": {"account_tax_ids": None, "days_until_due": None, "issuer": {"type": "self"}},
        "on_behalf_of": None,
        "transfer_data": None,
    }
