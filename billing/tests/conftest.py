"""Billing that is set up: with nobody who answers, and with a Stripe of the tests' own."""

from collections.abc import Iterator
from typing import Any

import pytest

from billing.local_stripe.judge import judged
from billing.local_stripe.server import LocalStripe, running
from billing.services.catalogue_sync import catalogue_sync
from billing.tests.support import NOWHERE, SECRET, Shop


def _set_up(settings: Any, key: str, base: str) -> None:
    settings.STRIPE_SECRET_KEY = key
    settings.BILLING_CONFIGURED = True
    settings.STRIPE_API_BASE = base
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    # A test waits for nobody: what is away is on this machine.
    settings.STRIPE_TIMEOUT_SECONDS = 5


@pytest.fixture
def stripe_away(settings: Any) -> None:
    """Billing is set up, and nobody answers."""
    _set_up(settings, "sk_test_of_the_tests", NOWHERE)


@pytest.fixture
def shop(settings: Any, database: None) -> Iterator[Shop]:
    """Stripe as it is, with the catalogue in it. All that is said is judged by Stripe's own description."""
    server = LocalStripe(delivers=False, webhook_secret=SECRET)
    with running(server), judged(server):
        _set_up(settings, server.key, server.url)
        catalogue_sync(create=True)
        shop = Shop(server)
        yield shop
        server.faults.clear()
        # Events are judged when they are listed.
        server.client().v1.events.list(params={"limit": 100})
