"""What every request has in common: who is let in, wrong parameters, keys for one effect, lists, expansion."""

from typing import Any

import pytest
import stripe

from billing.local_stripe.server import LocalStripe
from billing.local_stripe.tests.shop import Shop

pytestmark = pytest.mark.no_django


def test_a_wrong_key_is_refused(server: LocalStripe) -> None:
    client = stripe.StripeClient("sk_test_of_somebody_else", base_addresses={"api": server.url})
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided: sk_test_"):
        client.v1.customers.list()


def test_an_unknown_address_is_named(careless: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"Unrecognized request URL \(GET: /v1/coupons\)"):
        careless.client.v1.coupons.list()


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"emial": "a@b.test"}, "parameter_unknown", "emial"),
        ({"invoice_settings": {"defualt": "x"}}, "parameter_unknown", "invoice_settings[defualt]"),
        ({"address": "Main Street"}, None, "address"),
    ],
)
def test_a_wrong_parameter_is_named(careless: Shop, params: Any, code: str | None, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        careless.client.v1.customers.create(params)
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (400, code, param)


def test_types_and_missing_ones_are_checked_inside_of_lists(careless: Shop) -> None:
    def refusal(**item: Any) -> tuple[str | None, str | None]:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            careless.checkout(line_items=[{"price": careless.monthly, "quantity": 1}, item])
        return caught.value.code, caught.value.param

    assert refusal(price=careless.monthly, quantity="two") == ("parameter_invalid_integer", "line_items[1][quantity]")
    assert refusal(price=careless.monthly, adjustable_quantity={"minimum": 1}) == (
        "parameter_missing",
        "line_items[1][adjustable_quantity][enabled]",
    )
    assert refusal(price="price_nobody", quantity=1) == ("resource_missing", "line_items[1][price]")


def test_a_required_parameter_is_missed(careless: Shop) -> None:
    params: Any = {"unit_amount": 1}
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: currency") as caught:
        careless.client.v1.prices.create(params)
    assert (caught.value.code, caught.value.param) == ("parameter_missing", "currency")


def test_what_stripe_has_and_we_do_not_is_refused_aloud(careless: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="does not offer") as caught:
        careless.checkout(discounts=[{"coupon": "WINTER"}])
    assert (caught.value.code, caught.value.param) == ("not_offered_locally", "discounts")


def test_an_id_of_nobody_is_a_404(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_nobody'") as caught:
        shop.client.v1.customers.retrieve("cus_nobody")
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (404, "resource_missing", "id")


def test_an_answer_names_its_request(shop: Shop) -> None:
    answer = shop.client.v1.customers.create({"email": "a@b.test"}).last_response
    assert answer is not None
    assert str(answer.request_id).startswith("req_")
    created = shop.server.events("customer.created")[-1]
    assert created["request"]["id"] == answer.request_id


def test_the_same_key_has_one_effect_and_one_answer(shop: Shop) -> None:
    def create() -> stripe.Customer:
        return shop.client.v1.customers.create({"email": "once@acme.test"}, {"idempotency_key": "key-1"})

    first, second = create(), create()
    assert first.id == second.id
    assert first.last_response is not None
    assert second.last_response is not None
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(shop.client.v1.customers.list({"email": "once@acme.test"}).data) == 1


def test_the_same_key_for_something_else_is_an_error(shop: Shop) -> None:
    shop.client.v1.customers.create({"email": "a@b.test"}, {"idempotency_key": "key-2"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters") as caught:
        shop.client.v1.customers.create({"email": "c@d.test"}, {"idempotency_key": "key-2"})
    assert caught.value.http_status == 400


def test_a_refusal_is_kept_for_its_key_and_wrong_parameters_are_not(careless: Shop) -> None:
    def subscribe(**params: Any) -> Any:
        given: Any = {"customer": careless.customer, "items": [{"price": careless.monthly}], **params}
        return careless.client.v1.subscriptions.create(given, {"idempotency_key": "key-3"})

    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        subscribe(itmes=1)
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        subscribe()
    careless.server.change_card(careless.customer, "4242424242424242")
    # The customer has a card by now, and the key still stands for what happened to it first.
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        subscribe()


def test_a_key_is_forgotten_after_a_day(shop: Shop) -> None:
    first = shop.client.v1.customers.create({"email": "a@b.test"}, {"idempotency_key": "key-4"})
    shop.server.advance(days=2)
    second = shop.client.v1.customers.create({"email": "a@b.test"}, {"idempotency_key": "key-4"})
    assert first.id != second.id


def test_lists_are_cut_into_pages_newest_first(shop: Shop) -> None:
    made = [shop.client.v1.customers.create({"name": str(number)}).id for number in range(5)][::-1]
    first = shop.client.v1.customers.list({"limit": 2})
    assert ([each.id for each in first.data], first.has_more) == (made[:2], True)
    second = shop.client.v1.customers.list({"limit": 4, "starting_after": made[1]})
    assert ([each.id for each in second.data], second.has_more) == ([*made[2:], shop.customer], False)
    before = shop.client.v1.customers.list({"limit": 2, "ending_before": made[3]})
    assert ([each.id for each in before.data], before.has_more) == (made[1:3], True)
    everybody = shop.client.v1.customers.list({"limit": 2}).auto_paging_iter()
    assert [each.id for each in everybody] == [*made, shop.customer]


def test_lists_are_limited_by_time(shop: Shop) -> None:
    shop.server.advance(days=1)
    later = shop.client.v1.customers.create({"name": "later"})
    found = shop.client.v1.customers.list({"created": {"gte": shop.server.now()}})
    assert [each.id for each in found.data] == [later.id]


def test_ids_are_expanded_also_inside_of_lists(shop: Shop) -> None:
    subscription = shop.subscribe()
    found = shop.subscription(subscription.id, {"expand": ["customer", "latest_invoice", "items.data.price.product"]})
    assert isinstance(found.customer, stripe.Customer)
    assert isinstance(found.latest_invoice, stripe.Invoice)
    product = found.items.data[0].price.product
    assert isinstance(product, stripe.Product)
    assert product.name == "Pro"
    listed = shop.client.v1.subscriptions.list({"expand": ["data.customer"]}).data[0]
    assert isinstance(listed.customer, stripe.Customer)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        shop.subscription(subscription.id, {"expand": ["status"]})


def test_an_answer_of_an_older_version_is_not_given(server: LocalStripe) -> None:
    client = server.client(stripe_version="2025-03-31.basil")
    with pytest.raises(stripe.InvalidRequestError, match="answers in the versions from"):
        client.v1.customers.list()
