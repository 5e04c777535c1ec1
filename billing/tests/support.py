"""What tests about billing share."""

import time
from datetime import timedelta
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from billing.models import BillingAccount
from billing.services.accounts import access_write, account_lock
from tests.support import Api

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
    return Api().call("POST", "/billing/webhook", body, stripe_signature=signature(body, secret=secret))


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
