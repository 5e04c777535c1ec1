"""Checkout: the session, what the page does, and what becomes of it."""

import pytest
import stripe

from billing.local_stripe.errors import Refusal
from billing.local_stripe.tests.shop import DAY, NOW, Shop

pytestmark = pytest.mark.no_django


def test_a_session_is_paid_and_becomes_a_subscription(shop: Shop) -> None:
    session = shop.checkout(client_reference_id="tenant-1", subscription_data={"metadata": {"tenant_id": "t1"}})
    assert session.status == "open"
    assert session.amount_total == 2_000
    assert session.url == f"{shop.server.url}/c/pay/{session.id}"
    before = shop.last_event()

    where = shop.server.pay(session.id)

    assert where == f"http://platform.test/done?session={session.id}"
    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "line_items"]})
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.status == "active"
    assert done.subscription.metadata.to_dict() == {"tenant_id": "t1"}
    assert done.line_items is not None
    assert done.line_items.data[0].quantity == 2
    assert shop.types(after=before) == [
        "payment_method.attached",
        "invoice.created",
        "customer.subscription.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
        "checkout.session.completed",
    ]


def test_a_trial_without_a_card_costs_nothing_now(shop: Shop) -> None:
    subscription = shop.subscribe(None, trial_days=14)
    assert (subscription.status, subscription.trial_end) == ("trialing", NOW + 14 * DAY)
    assert subscription.default_payment_method is None


def test_a_trial_has_to_last_two_days(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="at least 2 days") as caught:
        shop.checkout(subscription_data={"trial_end": NOW + DAY})
    assert caught.value.param == "subscription_data[trial_end]"


def test_a_declined_card_leaves_the_session_open(shop: Shop) -> None:
    session = shop.checkout()
    before = shop.last_event()
    for card in ("4000000000000002", "4000000000000341"):
        with pytest.raises(Refusal, match="declined"):
            shop.server.pay(session.id, card)
    assert shop.types(after=before) == []
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "open"
    shop.server.pay(session.id)
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_card_that_asks_the_bank_needs_the_confirmation(shop: Shop) -> None:
    session = shop.checkout()
    with pytest.raises(Refusal, match="confirmation"):
        shop.server.pay(session.id, "4000002500003155", confirms=False)
    shop.server.pay(session.id, "4000002500003155", confirms=True)
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_quantity_is_changed_only_where_it_was_offered(shop: Shop) -> None:
    fixed = shop.checkout()
    with pytest.raises(Refusal, match="cannot be changed"):
        shop.server.pay(fixed.id, quantity=5)
    adjustable = {"enabled": True, "minimum": 2, "maximum": 10}
    session = shop.checkout(line_items=[{"price": shop.monthly, "quantity": 2, "adjustable_quantity": adjustable}])
    with pytest.raises(Refusal, match="between 2 and 10"):
        shop.server.pay(session.id, quantity=11)
    shop.server.pay(session.id, quantity=7)
    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert done.amount_total == 7_000
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.items.data[0].quantity == 7


def test_a_session_expires_after_a_day_or_when_it_is_told_to(shop: Shop) -> None:
    left, ended = shop.checkout(), shop.checkout()
    assert shop.client.v1.checkout.sessions.expire(ended.id).status == "expired"
    shop.server.advance(hours=24)
    assert shop.client.v1.checkout.sessions.retrieve(left.id).status == "expired"
    expired = shop.server.events("checkout.session.expired")
    assert [event["data"]["object"]["id"] for event in expired] == [ended.id, left.id]
    with pytest.raises(Refusal, match="no longer open"):
        shop.server.pay(left.id)


def test_one_that_is_complete_cannot_be_expired(shop: Shop) -> None:
    session = shop.checkout()
    shop.server.pay(session.id)
    with pytest.raises(stripe.InvalidRequestError, match="status of complete") as caught:
        shop.client.v1.checkout.sessions.expire(session.id)
    assert caught.value.http_status == 400


def test_without_a_customer_one_is_made_from_the_address_of_the_page(shop: Shop) -> None:
    session = shop.client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": shop.monthly, "quantity": 1}],
            "success_url": "http://platform.test/",
        }
    )
    shop.server.pay(session.id, email="new@acme.test")
    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert isinstance(done.customer, stripe.Customer)
    assert done.customer.email == "new@acme.test"


def test_items_and_sessions_are_listed(shop: Shop) -> None:
    session = shop.checkout()
    items = shop.client.v1.checkout.sessions.line_items.list(session.id)
    assert [(item.quantity, item.amount_total) for item in items.data] == [(2, 2_000)]
    listed = shop.client.v1.checkout.sessions.list({"customer": shop.customer, "status": "open"})
    assert [each.id for each in listed.data] == [session.id]
