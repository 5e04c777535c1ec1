"""A server whose clock stands still, with a small catalogue, judged by Stripe's description."""

from collections.abc import Iterator

import pytest

from billing.local_stripe.judge import judged
from billing.local_stripe.server import LocalStripe, running
from billing.local_stripe.tests.shop import NOW, Shop


@pytest.fixture
def server() -> Iterator[LocalStripe]:
    with running(LocalStripe(now=NOW, delivers=False)) as server:
        yield server


@pytest.fixture
def shop(server: LocalStripe) -> Iterator[Shop]:
    """Everything that is said here has to be as Stripe describes it."""
    with judged(server):
        shop = Shop.open(server)
        yield shop
        # Events are judged when they are listed.
        shop.list_all_events()


@pytest.fixture
def careless(server: LocalStripe) -> Shop:
    """For requests that are wrong on purpose; nobody judges them."""
    return Shop.open(server)
