"""Customers and their cards."""

import pytest
import stripe

from billing.local_stripe.tests.shop import Shop

pytestmark = pytest.mark.no_django


def test_a_customer_is_made_changed_and_found_again(shop: Shop) -> None:
    customer = shop.client.v1.customers.create(
        {"email": "a@acme.test", "name": "Acme", "metadata": {"tenant_id": "t1", "region": "eu"}}
    )
    shop.client.v1.customers.update(customer.id, {"name": "Acme Ltd", "metadata": {"region": ""}})
    found = shop.client.v1.customers.retrieve(customer.id)
    assert (found.name, found.email) == ("Acme Ltd", "a@acme.test")
    assert found.metadata is not None
    assert found.metadata.to_dict() == {"tenant_id": "t1"}
    event = shop.server.events("customer.updated")[-1]
    assert event["data"]["previous_attributes"] == {"name": "Acme", "metadata": {"region": "eu"}}


def test_a_change_of_nothing_is_no_event(shop: Shop) -> None:
    before = shop.last_event()
    shop.client.v1.customers.update(shop.customer, {"name": "Acme"})
    assert shop.types(after=before) == []


def test_a_deleted_customer_loses_its_subscriptions_and_stays_known_as_deleted(shop: Shop) -> None:
    subscription = shop.subscribe()
    before = shop.last_event()
    assert shop.client.v1.customers.delete(shop.customer).deleted is True
    assert shop.types(after=before) == [
        "customer.subscription.deleted",
        "payment_method.detached",
        "customer.deleted",
    ]
    assert shop.subscription(subscription.id).status == "canceled"
    assert shop.client.v1.customers.retrieve(shop.customer).deleted is True
    assert shop.client.v1.customers.list().data == []
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.customers.delete(shop.customer)
    assert caught.value.http_status == 404


def test_cards_are_attached_listed_and_detached(shop: Shop) -> None:
    card = shop.client.v1.payment_methods.create(
        {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}}
    )
    attached = shop.client.v1.payment_methods.attach(card.id, {"customer": shop.customer})
    assert attached.customer == shop.customer
    shop.client.v1.customers.update(shop.customer, {"invoice_settings": {"default_payment_method": card.id}})
    listed = shop.client.v1.customers.payment_methods.list(shop.customer)
    assert [each.id for each in listed.data] == [card.id]
    assert [each.id for each in shop.client.v1.payment_methods.list({"customer": shop.customer}).data] == [card.id]
    assert shop.client.v1.payment_methods.detach(card.id).customer is None
    customer = shop.client.v1.customers.retrieve(shop.customer)
    assert customer.invoice_settings is not None
    assert customer.invoice_settings.default_payment_method is None
    assert shop.client.v1.payment_methods.retrieve(card.id).customer is None


def test_a_declined_card_is_not_attached(shop: Shop) -> None:
    card = shop.client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_chargeDeclined"}})
    with pytest.raises(stripe.CardError, match="declined") as caught:
        shop.client.v1.payment_methods.attach(card.id, {"customer": shop.customer})
    assert (caught.value.http_status, caught.value.code) == (402, "card_declined")
    assert shop.client.v1.payment_methods.list({"customer": shop.customer}).data == []


def test_a_card_of_somebody_else_pays_nothing(shop: Shop) -> None:
    other = shop.client.v1.customers.create({"name": "Other"})
    card = shop.server.change_card(other.id, "4242424242424242")
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        shop.client.v1.customers.update(shop.customer, {"invoice_settings": {"default_payment_method": card["id"]}})


def test_real_cards_are_never_taken(shop: Shop) -> None:
    with pytest.raises(stripe.CardError, match="not one of the numbers for tests"):
        shop.client.v1.payment_methods.create(
            {"type": "card", "card": {"number": "5555555555554444", "exp_month": 12, "exp_year": 2030}}
        )
