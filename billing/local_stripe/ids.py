"""Ids as Stripe makes them: a prefix that tells the kind, and chance."""

import secrets
import string

_LETTERS = string.ascii_letters + string.digits

PREFIXES = {
    "billing_portal.configuration": "bpc_1",
    "billing_portal.session": "bps_1",
    "checkout.session": "cs_test_a1",
    "customer": "cus_",
    "event": "evt_1",
    "invoice": "in_1",
    "item": "li_1",
    "line_item": "il_1",
    "payment_method": "pm_1",
    "price": "price_1",
    "product": "prod_",
    "subscription": "sub_1",
    "subscription_item": "si_",
    "subscription_schedule": "sub_sched_1",
    "webhook_endpoint": "we_1",
}


def new(kind: str) -> str:
    prefix = PREFIXES[kind]
    return prefix + chance(54 if kind == "checkout.session" else 24 if prefix.endswith("1") else 14)


def chance(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def kind_of(id: str) -> str | None:
    """Which kind of object an id names. A schedule's prefix begins like a subscription's."""
    fitting = [kind for kind, prefix in PREFIXES.items() if id.startswith(prefix.removesuffix("1").removesuffix("a"))]
    return max(fitting, key=lambda kind: len(PREFIXES[kind]), default=None)
