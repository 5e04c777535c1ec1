"""Failures on demand, seen through the SDK."""

import time

import pytest
import stripe

from billing.local_stripe.faults import Fault
from billing.local_stripe.server import LocalStripe
from billing.local_stripe.tests.shop import Shop

pytestmark = pytest.mark.no_django


def test_before_anything_happens(shop: Shop) -> None:
    shop.server.fault(status=500, path="POST /v1/customers$")
    with pytest.raises(stripe.APIError) as caught:
        shop.client.v1.customers.create({"name": "nobody"})
    assert caught.value.http_status == 500
    assert len(shop.client.v1.customers.list().data) == 1
    shop.client.v1.customers.create({"name": "somebody"})


def test_after_it_has_happened_a_retry_finds_the_first_answer(shop: Shop) -> None:
    """The SDK sends the same key again, so that the lost answer makes no second customer."""
    client = shop.server.client(max_network_retries=2)
    shop.server.fault(path="POST /v1/customers$", timing="after")
    made = client.v1.customers.create({"name": "once"})
    assert made.last_response is not None
    assert made.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(shop.client.v1.customers.list().data) == 2


def test_a_lost_answer_without_a_retry_is_a_lost_connection(shop: Shop) -> None:
    shop.server.fault(path="POST /v1/customers$", timing="after")
    with pytest.raises(stripe.APIConnectionError):
        shop.client.v1.customers.create({"name": "happened"})
    assert len(shop.client.v1.customers.list().data) == 2


def test_after_with_a_status(shop: Shop) -> None:
    shop.server.fault(status=502, path="DELETE /v1/customers", timing="after")
    with pytest.raises(stripe.APIError):
        shop.client.v1.customers.delete(shop.customer)
    assert shop.client.v1.customers.retrieve(shop.customer).deleted is True


def test_too_many_requests_and_a_code(shop: Shop) -> None:
    shop.server.fault(status=429)
    with pytest.raises(stripe.RateLimitError) as caught:
        shop.client.v1.customers.list()
    assert isinstance(caught.value.json_body, dict)
    assert caught.value.json_body["error"]["code"] == "rate_limit"
    shop.server.fault(status=400, code="lock_timeout", times=2)
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shop.client.v1.customers.list()
        assert refused.value.code == "lock_timeout"
    shop.client.v1.customers.list()


def test_an_answer_takes_its_time(shop: Shop) -> None:
    shop.server.fault(delay=0.3)
    beginning = time.monotonic()
    shop.client.v1.customers.list()
    assert time.monotonic() - beginning >= 0.3
    assert shop.server.faults.shown() == []


@pytest.mark.parametrize("rule", [{"status": 200}, {"times": 0}, {"timing": "never"}, {"delay": 1_000}])
def test_a_rule_that_makes_no_sense(server: LocalStripe, rule: dict) -> None:
    with pytest.raises(ValueError, match=r"status|times|timing|delay"):
        Fault(**rule)
