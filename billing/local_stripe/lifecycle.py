"""What the passing of time does. Everything that becomes due is done in the order of its time."""

from collections.abc import Callable, Iterator
from typing import Any

from billing.local_stripe.clock import DAY, HOUR
from billing.local_stripe.objects import (
    checkout_sessions,
    collecting,
    cycles,
    ending,
    invoices,
    previews,
    schedules,
    subscription_items,
)
from billing.local_stripe.world import World

Json = dict[str, Any]
Deed = Callable[[], object]
# When, which goes first at the same moment, and what is to be done.
Due = tuple[int, int, Deed]

INCOMPLETE_FOR = 23 * HOUR
_MOST_EVENTS = 10_000

# At one and the same moment: a schedule changes what is renewed, and an end comes before a renewal.
_NOTICE, _END, _SCHEDULE, _PERIOD, _MONEY = range(5)


def catch_up(world: World) -> int:
    """Do all that is due by now, at the time at which it was due. Answers how many deeds that were."""
    done = 0
    target = world.clock.target()
    try:
        while due := min((each for each in _everything(world) if each[0] <= target), key=_order, default=None):
            moment, _, deed = due
            world.clock.pin(max(moment, _last_pinned(world)))
            _note(world)
            deed()
            done += 1
    finally:
        world.clock.pin(None)
    if done:
        _forget_old_events(world)
    return done


def next_due(world: World) -> int | None:
    return min((moment for moment, _, _ in _everything(world)), default=None)


def _order(due: Due) -> tuple[int, int]:
    return due[0], due[1]


def _last_pinned(world: World) -> int:
    """The order of events is that of time even when something was due before it was made."""
    return int((world.store.get("_clock", "caught_up") or {"moment": 0})["moment"])


def _note(world: World) -> None:
    world.store.add("_clock", "caught_up", {"moment": world.now()})


def _everything(world: World) -> Iterator[Due]:
    for session in world.store.all("checkout.session"):
        if session["status"] == "open":
            yield session["expires_at"], _END, _do(checkout_sessions.expire_now, world, session["id"])
    for schedule in world.store.all("subscription_schedule"):
        moment = schedules.next_moment(schedule)
        if moment is not None:
            yield moment, _SCHEDULE, _do(schedules.go_on, world, schedule["id"])
    for subscription in world.store.all("subscription"):
        yield from _of_subscription(world, subscription)
    for invoice in world.store.all("invoice"):
        yield from _of_invoice(world, invoice)


def _of_subscription(world: World, subscription: Json) -> Iterator[Due]:
    id, status = subscription["id"], subscription["status"]
    if status in ending.OVER:
        return
    if subscription["cancel_at"]:
        yield subscription["cancel_at"], _END, _do(ending.end, world, id)
    if status == "incomplete":
        yield subscription["created"] + INCOMPLETE_FOR, _END, _do(ending.expire_incomplete, world, id)
    elif status == "trialing":
        trial_end = subscription["trial_end"]
        if not _was_told(world, f"{id}/trial", trial_end):
            moment = trial_end - cycles.TRIAL_NOTICE
            yield moment, _NOTICE, _do(cycles.tell_trial_end, world, id)
        yield trial_end, _PERIOD, _do(cycles.end_trial, world, id)
    elif status in {"active", "past_due", "unpaid"}:
        end = subscription_items.period_end(subscription)
        yield end, _PERIOD, _do(cycles.renew, world, id)
        yield from _notice_of_renewal(world, subscription, end)


def _notice_of_renewal(world: World, subscription: Json, end: int) -> Iterator[Due]:
    notice = world.behaviour.upcoming_days * DAY
    start = subscription["items"]["data"][0]["current_period_start"]
    if subscription["status"] != "active" or subscription["cancel_at"] or end - start <= notice:
        return
    if not _was_told(world, f"{subscription['id']}/renewal", end):
        yield end - notice, _NOTICE, _do(_tell_renewal, world, subscription["id"], end)


def _tell_renewal(world: World, id: str, end: int) -> None:
    world.store.add("_told", f"{id}/renewal", {"moment": end})
    world.emit("invoice.upcoming", previews.of_next(world, world.find("subscription", id)))


def _of_invoice(world: World, invoice: Json) -> Iterator[Due]:
    if invoice["status"] == "draft" and invoice["automatically_finalizes_at"] is not None:
        yield invoice["automatically_finalizes_at"], _MONEY, _do(_finalize_and_collect, world, invoice["id"])
    elif invoice["status"] == "open" and invoice["next_payment_attempt"] is not None and invoice["attempted"]:
        yield invoice["next_payment_attempt"], _MONEY, _do(collecting.settle, world, invoice["id"])


def _finalize_and_collect(world: World, id: str) -> None:
    invoices.finalize(world, id)
    collecting.settle(world, id)


def _was_told(world: World, key: str, moment: int) -> bool:
    return bool((world.store.get("_told", key) or {}).get("moment") == moment)


def _do(function: Callable[..., object], *arguments: Any) -> Deed:
    return lambda: function(*arguments)


def _forget_old_events(world: World) -> None:
    """Stripe answers them for 30 days. A clock that is moved by months would leave nothing to look at."""
    events = world.store.all("event")
    for event in events[: max(0, len(events) - _MOST_EVENTS)]:
        world.store.remove("event", event["id"])
    if len(events) <= _MOST_EVENTS:
        return
    for delivery in world.store.all("_delivery"):
        if not world.store.get("event", delivery["event"]):
            world.store.remove("_delivery", f"{delivery['event']}/{delivery['endpoint']}")
