"""What every part of the server works on: the store, the clock, and how it was told to behave."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from billing.local_stripe import ids
from billing.local_stripe.clock import Clock
from billing.local_stripe.errors import invalid_parameter, missing_object
from billing.local_stripe.store import Store

Json = dict[str, Any]

# What is emitted when an object of this kind has changed.
_UPDATED = {
    "billing_portal.configuration": "billing_portal.configuration.updated",
    "customer": "customer.updated",
    "invoice": "invoice.updated",
    "payment_method": "payment_method.updated",
    "price": "price.updated",
    "product": "product.updated",
    "subscription": "customer.subscription.updated",
    "subscription_schedule": "subscription_schedule.updated",
}


@dataclass(kw_only=True)
class Behaviour:
    """What an account of Stripe sets in its dashboard."""

    # What becomes of a subscription whose invoice could not be collected: "canceled" or "unpaid".
    after_retries: str = "canceled"
    # Days after the first failure.
    retry_days: tuple[int, ...] = (3, 6, 9, 13)
    # Seconds for which a renewal's invoice stays a draft. Stripe's own are about an hour.
    draft_for: int = 0
    # Days before a renewal at which invoice.upcoming is sent.
    upcoming_days: int = 7


@dataclass(kw_only=True)
class World:
    store: Store
    clock: Clock
    behaviour: Behaviour = field(default_factory=Behaviour)
    base_url: str = "http://127.0.0.1"
    api_version: str = ""
    # The request that is being answered, for the events that it causes.
    request_id: str | None = None
    idempotency_key: str | None = None
    on_event: Callable[[Json], None] = lambda event: None

    def now(self) -> int:
        return self.clock.now()

    def find(self, kind: str, id: Any, param: str = "id") -> Json:
        """The object with this id. Raises the 404 that Stripe answers."""
        if not isinstance(id, str) or not id:
            raise invalid_parameter(f"Invalid {param}: an id is needed", param)
        found = self.store.get(kind, id)
        if found is None or found.get("deleted"):
            raise missing_object(kind, id, param)
        return found

    def add(self, kind: str, value: Json, event: str | None = None) -> Json:
        self.store.add(kind, value["id"], value)
        if event:
            self.emit(event, value)
        return value

    @contextmanager
    def changing(self, kind: str, id: str, *, silently: bool = False) -> Iterator[Json]:
        """Change the object inside; what has become different is emitted with its old values."""
        value = self.store.touch(kind, id)
        before = copy.deepcopy(value)
        yield value
        previous = previous_attributes(before, value)
        if previous and not silently and kind in _UPDATED:
            self.emit(_UPDATED[kind], value, previous)

    def emit(self, type: str, value: Json, previous: Json | None = None) -> Json:
        """Keep an event and hand it to whoever delivers. Its object is the one of this moment."""
        data: Json = {"object": copy.deepcopy(value)}
        if previous is not None:
            data["previous_attributes"] = previous
        event: Json = {
            "id": ids.new("event"),
            "object": "event",
            "api_version": self.api_version,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": type,
        }
        self.store.add("event", event["id"], event)
        self.on_event(event)
        return event


def previous_attributes(before: Json, after: Json) -> Json:
    """The old values of what changed. Maps show their changed entries only, lists are shown whole."""
    previous: Json = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list":
            previous[name] = previous_attributes(old, new)
        else:
            previous[name] = copy.deepcopy(old)
    return previous
