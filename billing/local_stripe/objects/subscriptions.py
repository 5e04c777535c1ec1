"""Subscriptions and their items: how they begin, change and end."""

import copy
from collections.abc import Sequence
from typing import Any

from billing.local_stripe import ids, periods
from billing.local_stripe.answers import page, whole_list
from billing.local_stripe.clock import DAY
from billing.local_stripe.errors import Refusal, invalid_parameter, missing_object, missing_parameter, not_offered
from billing.local_stripe.objects import catalogue, collecting, invoices, metadata, payment_methods
from billing.local_stripe.objects import lines as lines_
from billing.local_stripe.objects.lines import Line
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]

# No way leads back from these.
OVER = frozenset({"canceled", "incomplete_expired"})
TRIAL_NOTICE = 3 * DAY
_FAR_FUTURE = 5 * 366 * DAY
_IGNORED = "off_session payment_settings"
_SHARED = (
    "automatic_tax billing_cycle_anchor cancel_at cancel_at_period_end default_payment_method description items"
    f" metadata payment_behavior proration_behavior trial_end trial_settings {_IGNORED}"
)


@offers("POST", "/v1/subscriptions", f"{_SHARED} billing_mode collection_method currency customer trial_period_days")
def create(world: World, params: Json) -> Json:
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = world.find("customer", params["customer"], "customer")
    for name in ("billing_cycle_anchor", "automatic_tax"):
        if name in params and params[name] != {"enabled": False}:
            raise not_offered(name)
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        raise not_offered("collection_method")
    method = params.get("default_payment_method")
    if method:
        payment_methods.owned(world, method, customer["id"], "default_payment_method")
    subscription = begin(
        world,
        customer=customer["id"],
        items=[(_priced(world, each, f"items[{i}]"), each) for i, each in enumerate(_given_items(params))],
        trial_end=trial_end_of(world, params),
        trial_settings=params.get("trial_settings"),
        values={"metadata": params.get("metadata", {}), "description": params.get("description") or None},
        method=method,
        behaviour=params.get("payment_behavior", "allow_incomplete"),
        billing_mode=params.get("billing_mode"),
    )
    _schedule_end(world, subscription["id"], params)
    return subscription


@offers("GET", "/v1/subscriptions", "customer price status")
def list_(world: World, params: Json) -> Json:
    found = world.store.all("subscription")
    if "customer" in params:
        found = [each for each in found if each["customer"] == params["customer"]]
    if "price" in params:
        found = [
            each for each in found if any(item["price"]["id"] == params["price"] for item in each["items"]["data"])
        ]
    status = params.get("status")
    if status is None:
        found = [each for each in found if each["status"] not in OVER]
    elif status == "ended":
        found = [each for each in found if each["status"] in OVER]
    elif status != "all":
        found = [each for each in found if each["status"] == status]
    return page(world, params, "/v1/subscriptions", found)


@offers("GET", "/v1/subscriptions/{subscription_exposed_id}")
def retrieve(world: World, params: Json, subscription_exposed_id: str) -> Json:
    return world.find("subscription", subscription_exposed_id)


@offers("POST", "/v1/subscriptions/{subscription_exposed_id}", f"{_SHARED} cancellation_details")
def update(world: World, params: Json, subscription_exposed_id: str) -> Json:
    id = subscription_exposed_id
    found = world.find("subscription", id)
    # What is over still takes notes about itself, and nothing else.
    if found["status"] in OVER and not set(params) <= {"metadata", "cancellation_details", "expand"}:
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    _require_no_schedule_for_ending(found, params)
    if params.get("billing_cycle_anchor", "unchanged") != "unchanged":
        raise not_offered("billing_cycle_anchor")
    if params.get("automatic_tax", {"enabled": False}) != {"enabled": False}:
        raise not_offered("automatic_tax")
    with world.changing("subscription", id) as subscription:
        metadata.merge(subscription, params)
        if "description" in params:
            subscription["description"] = params["description"] or None
        if "default_payment_method" in params:
            method = params["default_payment_method"] or None
            if method:
                payment_methods.owned(world, method, subscription["customer"], "default_payment_method")
            subscription["default_payment_method"] = method
        if "trial_settings" in params:
            subscription["trial_settings"] = params["trial_settings"]
        for name, value in params.get("cancellation_details", {}).items():
            subscription["cancellation_details"][name] = value or None
    if "trial_end" in params:
        move_trial_end(world, id, params["trial_end"])
    if "items" in params:
        change_items(world, id, params["items"], params)
    _schedule_end(world, id, params)
    return world.find("subscription", id)


@offers("DELETE", "/v1/subscriptions/{subscription_exposed_id}", "cancellation_details invoice_now prorate")
def cancel(world: World, params: Json, subscription_exposed_id: str) -> Json:
    id = subscription_exposed_id
    found = world.find("subscription", id)
    if found["status"] in OVER:
        raise missing_object("subscription", id)
    if params.get("prorate") and found["status"] != "trialing":
        given_back = [line for item in found["items"]["data"] for line in lines_.credit(id, item, world.now())]
        _add_pending(world, id, given_back)
    if params.get("invoice_now"):
        _invoice_pending(world, id)
    return end(world, id, details=params.get("cancellation_details", {}))


@offers("POST", "/v1/subscriptions/{subscription}/resume", "billing_cycle_anchor proration_behavior")
def resume(world: World, params: Json, subscription: str) -> Json:
    """One that was paused at the end of its trial begins a period now, and pays for it."""
    found = world.find("subscription", subscription)
    if found["status"] != "paused":
        message = f"Only paused subscriptions can be resumed; this one is {found['status']}."
        raise Refusal(message)
    if params.get("billing_cycle_anchor", "now") != "now":
        raise not_offered("billing_cycle_anchor")
    start_period(world, subscription, at=world.now(), anchor=world.now(), silently=True)
    invoice = bill(world, subscription, reason="subscription_update")
    method = collecting.default_method(world, found["customer"], found)
    outcome = collecting.collect(world, invoice["id"], method=method) if invoice["status"] == "open" else "paid"
    collecting.refuse_unless_paid(outcome, effects_stay=False)
    with world.changing("subscription", subscription) as changed:
        changed["status"] = "active"
    world.emit("customer.subscription.resumed", changed)
    return changed


@offers("GET", "/v1/subscription_items", "subscription")
def list_items(world: World, params: Json) -> Json:
    found = world.find("subscription", params["subscription"], "subscription")["items"]["data"]
    return page(world, params, "/v1/subscription_items", found[::-1])


@offers("GET", "/v1/subscription_items/{item}")
def retrieve_item(world: World, params: Json, item: str) -> Json:
    return _item(world, item)


@offers(
    "POST",
    "/v1/subscription_items/{item}",
    "metadata off_session payment_behavior price proration_behavior quantity",
)
def update_item(world: World, params: Json, item: str) -> Json:
    subscription = _item(world, item)["subscription"]
    if world.find("subscription", subscription)["status"] in OVER:
        raise missing_object("subscription_item", item, "item")
    change: Json = {name: params[name] for name in ("price", "quantity", "metadata") if name in params}
    change_items(world, subscription, [{"id": item, **change}], params)
    return _item(world, item)


# -- beginning -------------------------------------------------------------------------------------


def begin(
    world: World,
    *,
    customer: str,
    items: Sequence[tuple[Json, Json]],
    trial_end: int | None,
    trial_settings: Json | None,
    values: Json,
    method: str | None,
    behaviour: str,
    billing_mode: Json | None,
    on_session: bool = False,
) -> Json:
    """Make a subscription with its first invoice. `items` are prices with what was given for each."""
    require_one_rhythm([price for price, _ in items])
    if behaviour == "pending_if_incomplete":
        raise not_offered("payment_behavior")
    now = world.now()
    id = ids.new("subscription")
    price = items[0][0]
    recurring = price["recurring"]
    ends = trial_end or periods.after(now, recurring["interval"], recurring["interval_count"], 1)
    subscription: Json = {
        **_empty(world, id, customer, price["currency"], billing_mode),
        **values,
        "billing_cycle_anchor": trial_end or now,
        "default_payment_method": method,
        "trial_end": trial_end,
        "trial_settings": trial_settings or {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": now if trial_end else None,
        "status": "trialing" if trial_end else "incomplete",
    }
    made = [_new_item(world, id, price, given, now, ends) for price, given in items]
    subscription["items"] = whole_list(f"/v1/subscription_items?subscription={id}", made)
    charged = method or collecting.default_method(world, customer, None)
    is_free = trial_end is not None or all(not price["unit_amount"] for price, _ in items)
    if not is_free and charged is None and behaviour != "default_incomplete":
        raise Refusal(
            "This customer has no attached payment source or default payment method. "
            "Please consider adding a default payment method.",
            code="resource_missing",
        )
    world.add("subscription", subscription)
    line = lines_.for_trial if trial_end else lines_.for_period
    first = invoices.draft(
        world,
        subscription=subscription,
        reason="subscription_create",
        lines=[line(id, item, now, ends) for item in made],
        finalizes=now,
    )
    subscription["latest_invoice"] = first["id"]
    world.emit("customer.subscription.created", subscription)
    invoices.finalize(world, first["id"])
    if is_free and not trial_end:
        _set_status(world, id, "active")
    elif not is_free and behaviour != "default_incomplete":
        if on_session and charged:
            payment_methods.confirm(world, charged)
        outcome = collecting.collect(world, first["id"], method=charged)
        if behaviour == "error_if_incomplete":
            collecting.refuse_unless_paid(outcome, effects_stay=False)
    _tell_trial_end_at_once(world, id)
    return subscription


def trial_end_of(world: World, params: Json) -> int | None:
    """The end of a trial by its moment or its number of days, or None for no trial."""
    given = params.get("trial_end")
    if given == "now":
        return None
    if given is not None:
        if "trial_period_days" in params:
            message = "You may only specify one of these parameters: trial_end, trial_period_days."
            raise invalid_parameter(message, "trial_end")
        if given <= world.now():
            message = "Invalid timestamp: must be an integer Unix timestamp in the future."
            raise invalid_parameter(message, "trial_end")
        if given > world.now() + _FAR_FUTURE:
            raise invalid_parameter("Invalid timestamp: can be no more than five years in the future", "trial_end")
        return int(given)
    days = params.get("trial_period_days")
    return world.now() + days * DAY if days else None


def require_one_rhythm(prices: Sequence[Json]) -> None:
    """One currency, as Stripe wants it, and one interval, for more is not needed here."""
    if not prices:
        raise missing_parameter("items")
    rhythms = {(each["recurring"]["interval"], each["recurring"]["interval_count"]) for each in prices}
    currencies = {each["currency"] for each in prices}
    if len(rhythms) > 1 or len(currencies) > 1:
        message = "The local server wants one currency and one interval for all items of a subscription."
        raise invalid_parameter(message, "items")


def _empty(world: World, id: str, customer: str, currency: str, billing_mode: Json | None) -> Json:
    return {
        "id": id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor_config": None,
        "billing_mode": _billing_mode(billing_mode),
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": world.now(),
        "currency": currency,
        "customer": customer,
        "days_until_due": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "latest_invoice": None,
        "livemode": False,
        "metadata": {},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": world.now(),
        "test_clock": None,
        "transfer_data": None,
    }


def _billing_mode(given: Json | None) -> Json:
    if given and given["type"] != "flexible":
        raise invalid_parameter("The local server has the flexible billing mode only.", "billing_mode[type]")
    return {"flexible": {"proration_discounts": "included"}, "type": "flexible"}


def _new_item(world: World, subscription: str, price: Json, given: Json, start: int, end: int) -> Json:
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


def _given_items(params: Json) -> list[Json]:
    items: list[Json] = params.get("items", [])
    if not items:
        raise missing_parameter("items")
    return items


def _priced(world: World, given: Json, param: str) -> Json:
    for name in given:
        if name not in {"id", "price", "quantity", "metadata", "deleted"}:
            raise not_offered(f"{param}[{name}]")
    if "price" not in given:
        raise missing_parameter(f"{param}[price]")
    return catalogue.recurring_price(world, given["price"], f"{param}[price]")


# -- changing --------------------------------------------------------------------------------------


def change_items(world: World, id: str, given: Sequence[Json], params: Json) -> None:
    """Other prices or quantities, with what that costs for the rest of the period."""
    prorating = params.get("proration_behavior", "create_prorations")
    behaviour = params.get("payment_behavior", "allow_incomplete")
    if behaviour not in {"allow_incomplete", "error_if_incomplete"}:
        raise not_offered("payment_behavior")
    before = copy.deepcopy(world.find("subscription", id))
    items = changed_items(world, before, given)
    interval_changes = _rhythm(items) != _rhythm(before["items"]["data"])
    prorations = prorations_for(world, before, items) if prorating != "none" else []
    with world.changing("subscription", id) as subscription:
        subscription["items"]["data"] = items
        if interval_changes and subscription["status"] != "trialing":
            _set_period(subscription, world.now(), anchor=world.now())
    if before["schedule"]:
        _tell_schedule(world, before["schedule"], items)
    if interval_changes and before["status"] in {"active", "past_due"}:
        # Another interval begins a new period at once, and is to be paid at once.
        credits = [line for line in prorations if line.amount < 0]
        invoice = bill(world, id, reason="subscription_update", more=credits)
    elif prorations:
        _add_pending(world, id, prorations)
        if prorating != "always_invoice":
            return
        invoice = _invoice_pending(world, id)
    else:
        return
    if invoice["status"] == "open":
        outcome = collecting.collect(world, invoice["id"], method=collecting.method_for(world, invoice))
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
            items.append(_new_item(world, subscription["id"], _priced(world, each, param), each, start, end))
            continue
        item = next((one for one in items if one["id"] == each["id"]), None)
        if item is None:
            raise missing_object("subscription_item", each["id"], f"{param}[id]")
        if each.get("deleted"):
            items.remove(item)
            continue
        if "price" in each:
            item["price"] = copy.deepcopy(_priced(world, each, param))
        if "quantity" in each:
            if each["quantity"] < 0:
                raise invalid_parameter("Invalid integer: must be at least 0", f"{param}[quantity]")
            item["quantity"] = each["quantity"]
        metadata.merge(item, each)
    require_one_rhythm([item["price"] for item in items])
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
            end_trial(world, id)
        return
    moment = trial_end_of(world, {"trial_end": given})
    with world.changing("subscription", id) as changed:
        changed["trial_end"] = changed["billing_cycle_anchor"] = moment
        changed["trial_start"] = changed["trial_start"] or world.now()
        changed["status"] = "trialing"
        for item in changed["items"]["data"]:
            item["current_period_end"] = moment
        if changed["cancel_at_period_end"]:
            changed["cancel_at"] = moment
    _tell_trial_end_at_once(world, id)


def _rhythm(items: Sequence[Json]) -> tuple[str, int]:
    recurring = items[0]["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _tell_schedule(world: World, schedule: str, items: Sequence[Json]) -> None:
    """What is changed beside a schedule becomes part of its present phase."""
    with world.changing("subscription_schedule", schedule) as changed:
        for phase in changed["phases"]:
            if phase["start_date"] <= world.now() < phase["end_date"]:
                for planned, item in zip(phase["items"], items, strict=False):
                    planned.update({"price": item["price"]["id"], "quantity": item["quantity"]})


# -- periods and their invoices --------------------------------------------------------------------


def _set_period(subscription: Json, start: int, *, anchor: int) -> None:
    interval, count = _rhythm(subscription["items"]["data"])
    ends = periods.next_end(anchor, start, interval, count)
    subscription["billing_cycle_anchor"] = anchor
    for item in subscription["items"]["data"]:
        item["current_period_start"], item["current_period_end"] = start, ends
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = ends


def start_period(world: World, id: str, *, at: int, anchor: int, silently: bool = False) -> None:
    with world.changing("subscription", id, silently=silently) as subscription:
        _set_period(subscription, at, anchor=anchor)


def period_end(subscription: Json) -> int:
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


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
    start_period(world, id, at=period_end(subscription), anchor=subscription["billing_cycle_anchor"], silently=False)
    invoice = bill(world, id, reason="subscription_cycle", delay=world.behaviour.draft_for)
    if invoice["status"] == "open":
        collecting.collect(world, invoice["id"], method=collecting.method_for(world, invoice))


def end_trial(world: World, id: str) -> None:
    """The first period that costs something; without a card as the settings of the trial say."""
    subscription = world.find("subscription", id)
    method = collecting.default_method(world, subscription["customer"], subscription)
    without_card = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if method is None and without_card == "cancel":
        end(world, id)
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
        _set_period(changed, world.now(), anchor=world.now())
    invoice = bill(world, id, reason="subscription_cycle", delay=world.behaviour.draft_for)
    if invoice["status"] == "open":
        collecting.collect(world, invoice["id"], method=collecting.method_for(world, invoice))


def _add_pending(world: World, id: str, more: Sequence[Line]) -> None:
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


def _invoice_pending(world: World, id: str) -> Json:
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


def _tell_trial_end_at_once(world: World, id: str) -> None:
    """Of a trial that is shorter than the notice for its end."""
    subscription = world.find("subscription", id)
    if subscription["trial_end"] and subscription["trial_end"] - world.now() <= TRIAL_NOTICE:
        tell_trial_end(world, id)


def tell_trial_end(world: World, id: str) -> None:
    subscription = world.find("subscription", id)
    world.store.add("_told", f"{id}/trial", {"moment": subscription["trial_end"]})
    world.emit("customer.subscription.trial_will_end", subscription)


# -- ending ----------------------------------------------------------------------------------------


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


def _cancel_schedule(world: World, id: str) -> None:
    with world.changing("subscription_schedule", id, silently=True) as schedule:
        schedule["status"] = "canceled"
        schedule["canceled_at"] = world.now()
        schedule["current_phase"] = None
    world.emit("subscription_schedule.canceled", schedule)


def _require_no_schedule_for_ending(subscription: Json, params: Json) -> None:
    if subscription["schedule"] and {"cancel_at", "cancel_at_period_end"} & set(params):
        raise Refusal(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating any "
            "cancelation behavior directly is not allowed. Please update the schedule instead."
        )


def _schedule_end(world: World, id: str, params: Json) -> None:
    """When it is to end: at the end of its period, at a moment, or no more."""
    if "cancel_at" in params and "cancel_at_period_end" in params:
        message = "You may only specify one of these parameters: cancel_at, cancel_at_period_end."
        raise invalid_parameter(message, "cancel_at")
    if "cancel_at" not in params and "cancel_at_period_end" not in params:
        return
    with world.changing("subscription", id) as subscription:
        at_period_end = bool(params.get("cancel_at_period_end"))
        moment = period_end(subscription) if at_period_end else _end_moment(world, subscription, params)
        subscription["cancel_at_period_end"] = at_period_end
        subscription["cancel_at"] = moment
        subscription["canceled_at"] = world.now() if moment else None
        subscription["cancellation_details"]["reason"] = "cancellation_requested" if moment else None


def _end_moment(world: World, subscription: Json, params: Json) -> int | None:
    given = params.get("cancel_at")
    if given in {None, ""}:
        return None
    if given in {"min_period_end", "max_period_end"}:
        return period_end(subscription)
    if given == "max_billed_until":
        raise not_offered("cancel_at")
    if given <= world.now():
        raise invalid_parameter("Invalid timestamp: must be an integer Unix timestamp in the future.", "cancel_at")
    return int(given)


# -- finding ---------------------------------------------------------------------------------------


def of_customer(world: World, customer: str) -> list[Json]:
    return [each for each in world.store.all("subscription") if each["customer"] == customer]


def _item(world: World, id: str) -> Json:
    for subscription in world.store.all("subscription"):
        for item in subscription["items"]["data"]:
            if item["id"] == id:
                found: Json = item
                return found
    raise missing_object("subscription_item", id, "item")


def _set_status(world: World, id: str, status: str) -> None:
    with world.changing("subscription", id) as subscription:
        subscription["status"] = status
