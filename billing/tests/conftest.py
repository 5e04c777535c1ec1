"""Billing that is set up: with nobody who answers, and with a Stripe of the tests' own."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from billing.local_stripe.judge import judged
from billing.local_stripe.server import LocalStripe, running
from billing.services.catalogue_sync import catalogue_sync
from billing.tests.support import NOWHERE, SECRET, Shop

KEY = "sk_test_of_the_tests"


def _set_up(base: str) -> dict[str, Any]:
    return {
        "STRIPE_SECRET_KEY": KEY,
        "BILLING_CONFIGURED": True,
        "STRIPE_API_BASE": base,
        "STRIPE_WEBHOOK_SECRETS": [SECRET],
        # A test waits for nobody: what is away is on this machine.
        "STRIPE_TIMEOUT_SECONDS": 5,
    }


@pytest.fixture
def stripe_away(settings: Any) -> None:
    """Billing is set up, and nobody answers."""
    for name, value in _set_up(NOWHERE).items():
        setattr(settings, name, value)


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a Stripe that has the catalogue, made once for all."""
    state = tmp_path_factory.mktemp("stripe") / "stocked.sqlite3"
    server = LocalStripe(key=KEY, state=state, delivers=False)
    with running(server), judged(server), override_settings(**_set_up(server.url)):
        catalogue_sync(create=True)
    return state


@pytest.fixture
def shop(settings: Any, database: None, stocked: Path, tmp_path: Path) -> Iterator[Shop]:
    """Stripe as it is, with the catalogue in it. All that is said is judged by Stripe's own description."""
    state = Path(shutil.copy(stocked, tmp_path / "stripe.sqlite3"))
    server = LocalStripe(key=KEY, state=state, delivers=False, webhook_secret=SECRET)
    with running(server), judged(server):
        for name, value in _set_up(server.url).items():
            setattr(settings, name, value)
        yield Shop(server)
        server.faults.clear()
        # Events are judged when they are listed.
        server.client().v1.events.list(params={"limit": 100})
