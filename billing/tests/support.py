"""What tests about billing share."""

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from billing.local_stripe.server import LocalStripe
from billing.models import BillingAccount, StripeEvent
from billing.services.accounts import access_write, account_lock
from notifications.models import Notification
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from tests.support import Api, data

SECRET = "whsec_of_the_tests"
SELECTION = {"planId": "pro", "interval": "monthly"}
# Nobody listens there.
NOWHERE = "http://127.0.0.1:9"


def account(tenant: Any, **changes: Any) -> BillingAccount:
    """The tenant's account with these values, and what follows from them written on the tenant."""
    with transaction.atomic():
        row = account_lock(tenant_id=tenant.id)
        for name, value in changes.items():
            setattr(row, name, value)
        row.save()
        access_write(row)
    return row


def trial_over(tenant: Any, days: float = 1) -> BillingAccount:
    """The tenant's trial ended so long ago."""
    return account(tenant, trial_ends_at=timezone.now() - timedelta(days=days))


def signature(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    import stripe

    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at or time.time()))


def deliver(event: Any, *, secret: str = SECRET) -> Any:
    """Hand an event in as Stripe does; a mapping, or bytes."""
    body = event if isinstance(event, bytes) else orjson.dumps(event)
    return _stripe().call("POST", "/billing/webhook", body, stripe_signature=signature(body, secret=secret))


@cache
def _stripe() -> Api:
    """One client for all that Stripe sends: making one takes longer than sending."""
    return Api()


def event(kind: str = "customer.updated", number: int = 1, **about: Any) -> dict[str, Any]:
    """A snapshot event, smaller than Stripe's own."""
    return {
        "id": f"evt_{number}",
        "object": "event",
        "type": kind,
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": {"id": "cus_nobody", "object": "customer", **about}},
    }


class Shop:
    """The Stripe of a test, and what people and time do there."""

    def __init__(self, server: LocalStripe) -> None:
        self.server = server
        self._last: str | None = None

    def news(self) -> list[dict[str, Any]]:
        """Events since the last look, oldest first."""
        events = self.server.events(after=self._last) if self._last else self.server.events()
        if events:
            self._last = events[-1]["id"]
        return events

    def tell(self, events: Iterable[dict[str, Any]] | None = None) -> None:
        """Hand in what happened, and have it acted on."""
        for one in self.news() if events is None else events:
            answer = deliver(one)
            assert answer.status_code == 200, answer.content
        dispatcher.drain()

    def buys(self, somebody: Api, *, card: str | None = "4242424242424242", tell: bool = True, **selection: Any) -> str:
        """Somebody goes to the checkout and pays. Gives the id of the session."""
        session = data(somebody.post("/billing/checkout", {**SELECTION, **selection}))["sessionId"]
        self.server.pay(session, card)
        if tell:
            self.tell()
        return str(session)

    def passes(self, **time: float) -> None:
        """Days or hours go by at Stripe, and it tells us what came of it."""
        self.server.advance(**time)
        self.tell()

    def subscriptions(self, status: str = "all") -> Sequence[Any]:
        listed = self.server.client().v1.subscriptions.list(params={"status": status, "limit": 100})
        return [one.to_dict() for one in listed.data]

    def customers(self) -> Sequence[Any]:
        return [one.to_dict() for one in self.server.client().v1.customers.list(params={"limit": 100}).data]

    def calls(self, path: str) -> int:
        """How many requests of this kind ("POST /v1/customers") there were."""
        return sum(f"{one.method} {one.path}" == path for one in self.server.exchanges)


def status(somebody: Api) -> dict[str, Any]:
    found: dict[str, Any] = data(somebody.get("/billing/status"))
    return found


def journal(tenant: Any, prefix: str = "billing.") -> list[str]:
    """Keys of what was written down, in order."""
    with bind(tenant.ref):
        return list(JournalEntry.objects.filter(key__startswith=prefix).order_by("id").values_list("key", flat=True))


def notified(tenant: Any) -> list[str]:
    """Which notifications about billing there are, in order."""
    dispatcher.drain()
    with bind(tenant.ref):
        rows = Notification.objects.filter(event_key__startswith="billing.").order_by("id")
        return list(rows.values_list("event_key", flat=True))


def account_of(tenant: Any) -> BillingAccount:
    return BillingAccount.objects.get(tenant_id=tenant.id)


def events_by_status() -> dict[str, int]:
    found: dict[str, int] = {}
    for one in StripeEvent.objects.values_list("status", flat=True):
        found[one] = found.get(one, 0) + 1
    return found
