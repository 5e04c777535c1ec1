"""What the passing of time makes of a subscription."""

from collections.abc import Iterator

import pytest
import stripe

from billing.local_stripe.judge import judged
from billing.local_stripe.server import LocalStripe, running
from billing.local_stripe.tests.shop import DAY, NOW, Shop
from billing.local_stripe.world import Behaviour

pytestmark = pytest.mark.no_django

DECLINES = "4000000000000341"


def moment_of(shop: Shop, type: str) -> list[float]:
    """Days from the beginning at which events of this type were made."""
    return [(event["created"] - NOW) / DAY for event in shop.server.events(type)]


def test_a_trial_with_a_card_becomes_active_and_renews(shop: Shop) -> None:
    subscription = shop.subscribe(trial_days=14)
    shop.server.advance(days=13)
    assert shop.subscription(subscription.id).status == "trialing"
    shop.server.advance(days=1)
    active = shop.subscription(subscription.id)
    assert active.status == "active"
    assert active.items.data[0].current_period_start == NOW + 14 * DAY
    invoice = shop.latest_invoice(subscription.id)
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 2_000, "subscription_cycle")
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == subscription.id
    shop.server.advance(days=62)
    assert len(shop.client.v1.invoices.list({"customer": shop.customer}).data) == 4
    assert moment_of(shop, "customer.subscription.trial_will_end") == [11]
    # The trial ends on the 5th of October, so that the next month begins after 31 days. That is told a week before.
    assert moment_of(shop, "invoice.upcoming")[0] == 14 + 31 - 7


def test_a_short_trial_is_told_at_once(shop: Shop) -> None:
    shop.subscribe(trial_days=2)
    assert moment_of(shop, "customer.subscription.trial_will_end") == [0]


def test_a_trial_with_a_bad_card_is_past_due_then_over(shop: Shop) -> None:
    subscription = shop.subscribe(DECLINES, trial_days=14)
    shop.server.advance(days=14)
    assert shop.subscription(subscription.id).status == "past_due"
    invoice = shop.latest_invoice(subscription.id)
    assert (invoice.status, invoice.attempt_count, invoice.amount_remaining) == ("open", 1, 2_000)
    assert invoice.next_payment_attempt == NOW + 17 * DAY
    shop.server.advance(days=14)
    ended = shop.subscription(subscription.id)
    assert ended.status == "canceled"
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.reason == "payment_failed"
    assert moment_of(shop, "invoice.payment_failed") == [14, 17, 20, 23, 27]
    assert shop.latest_invoice(subscription.id).next_payment_attempt is None


def test_by_another_setting_it_stays_as_unpaid_until_it_is_paid() -> None:
    behaviour = Behaviour(after_retries="unpaid")
    with running(LocalStripe(now=NOW, delivers=False, behaviour=behaviour)) as server, judged(server):
        shop = Shop.open(server)
        subscription = shop.subscribe(DECLINES, trial_days=14)
        server.advance(days=14 + 13)
        assert shop.subscription(subscription.id).status == "unpaid"
        open_one = shop.latest_invoice(subscription.id)
        # Renewals go on as drafts that nobody is asked to pay.
        server.advance(days=31)
        assert shop.latest_invoice(subscription.id).status == "draft"
        assert shop.subscription(subscription.id).status == "unpaid"
        server.change_card(shop.customer, "4242424242424242")
        shop.client.v1.invoices.pay(open_one.id)
        assert shop.subscription(subscription.id).status == "unpaid"
        shop.client.v1.invoices.pay(shop.latest_invoice(subscription.id).id)
        assert shop.subscription(subscription.id).status == "active"


def test_a_failed_renewal_recovers_with_a_new_card(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.change_card(shop.customer, DECLINES)
    shop.server.advance(days=31)
    assert shop.subscription(subscription.id).status == "past_due"
    assert shop.client.v1.customers.retrieve(shop.customer).delinquent is True
    shop.server.change_card(shop.customer, "4242424242424242")
    before = shop.last_event()
    shop.server.advance(days=4)
    assert shop.subscription(subscription.id).status == "active"
    assert shop.types(after=before) == [
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
        "customer.updated",
    ]
    updated = shop.server.events("customer.subscription.updated")[-1]
    assert updated["data"]["previous_attributes"] == {"status": "past_due"}


def test_a_card_that_asks_the_bank_once_is_confirmed_on_the_page_of_the_invoice(shop: Shop) -> None:
    subscription = shop.subscribe("4000002500003155", trial_days=14)
    shop.server.advance(days=14)
    assert shop.subscription(subscription.id).status == "past_due"
    assert moment_of(shop, "invoice.payment_action_required") == [14]
    invoice = shop.latest_invoice(subscription.id)
    assert invoice.hosted_invoice_url == f"{shop.server.url}/i/{invoice.id}"
    with pytest.raises(stripe.CardError) as caught:
        shop.client.v1.invoices.pay(invoice.id)
    assert caught.value.code == "invoice_payment_intent_requires_action"
    assert shop.server.pay_invoice(invoice.id, confirms=True)["status"] == "paid"
    shop.server.advance(days=31)
    assert shop.subscription(subscription.id).status == "active"


@pytest.mark.parametrize(
    ("without_card", "status", "event"),
    [
        ("cancel", "canceled", "customer.subscription.deleted"),
        ("pause", "paused", "customer.subscription.paused"),
        ("create_invoice", "past_due", "invoice.payment_failed"),
    ],
)
def test_a_trial_without_a_card_ends_as_it_was_told_to(shop: Shop, without_card: str, status: str, event: str) -> None:
    settings = {"end_behavior": {"missing_payment_method": without_card}}
    subscription = shop.subscribe(None, trial_days=14, subscription_data={"trial_settings": settings})
    shop.server.advance(days=14)
    assert shop.subscription(subscription.id).status == status
    assert moment_of(shop, event) == [14]


def test_a_paused_one_is_resumed_with_a_card(shop: Shop) -> None:
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    subscription = shop.subscribe(None, trial_days=14, subscription_data={"trial_settings": settings})
    shop.server.advance(days=20)
    with pytest.raises(stripe.CardError):
        shop.client.v1.subscriptions.resume(subscription.id)
    assert shop.subscription(subscription.id).status == "paused"
    shop.server.change_card(shop.customer, "4242424242424242")
    assert shop.client.v1.subscriptions.resume(subscription.id).status == "active"
    assert moment_of(shop, "customer.subscription.resumed") == [20]
    assert shop.latest_invoice(subscription.id).amount_paid == 2_000


def test_an_end_at_the_end_of_the_period_can_be_taken_back(shop: Shop) -> None:
    subscription = shop.subscribe()
    ends = subscription.items.data[0].current_period_end
    update = shop.client.v1.subscriptions.update
    scheduled = update(
        subscription.id, {"cancel_at_period_end": True, "cancellation_details": {"feedback": "too_expensive"}}
    )
    assert (scheduled.cancel_at_period_end, scheduled.cancel_at, scheduled.canceled_at) == (True, ends, NOW)
    assert scheduled.cancellation_details is not None
    assert scheduled.cancellation_details.feedback == "too_expensive"
    resumed = update(subscription.id, {"cancel_at_period_end": False})
    assert (resumed.cancel_at_period_end, resumed.cancel_at, resumed.canceled_at) == (False, None, None)
    shop.server.advance_to(ends)
    assert shop.subscription(subscription.id).status == "active"
    update(subscription.id, {"cancel_at_period_end": True})
    shop.server.advance(days=31)
    ended = shop.subscription(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", ended.cancel_at)
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription"):
        update(subscription.id, {"cancel_at_period_end": False})


def test_an_end_at_a_moment(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at": NOW + 5 * DAY})
    shop.server.advance(days=40)
    assert moment_of(shop, "customer.subscription.deleted") == [5]
    other = shop.subscribe()
    update = shop.client.v1.subscriptions.update(other.id, {"cancel_at": "min_period_end"})
    assert update.cancel_at == other.items.data[0].current_period_end
    assert shop.client.v1.subscriptions.update(other.id, {"cancel_at": ""}).cancel_at is None


def test_cancelled_at_once_and_only_once(shop: Shop) -> None:
    subscription = shop.subscribe()
    ended = shop.client.v1.subscriptions.cancel(subscription.id, {"cancellation_details": {"comment": "bye"}})
    assert (ended.status, ended.ended_at) == ("canceled", NOW)
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.comment == "bye"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.subscriptions.cancel(subscription.id)
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_a_first_invoice_that_is_not_paid_ends_it_after_23_hours(shop: Shop) -> None:
    shop.server.change_card(shop.customer, DECLINES)
    subscription = shop.client.v1.subscriptions.create({"customer": shop.customer, "items": [{"price": shop.monthly}]})
    assert subscription.status == "incomplete"
    shop.server.advance(hours=22)
    assert shop.subscription(subscription.id).status == "incomplete"
    shop.server.advance(hours=1)
    assert shop.subscription(subscription.id).status == "incomplete_expired"
    assert shop.latest_invoice(subscription.id).status == "void"


def test_a_first_invoice_that_is_paid_in_time_begins_it(shop: Shop) -> None:
    subscription = shop.client.v1.subscriptions.create(
        {"customer": shop.customer, "items": [{"price": shop.monthly}], "payment_behavior": "default_incomplete"}
    )
    assert subscription.status == "incomplete"
    invoice = shop.latest_invoice(subscription.id)
    assert (invoice.status, invoice.attempt_count) == ("open", 0)
    shop.server.pay_invoice(invoice.id, "4242424242424242")
    assert shop.subscription(subscription.id).status == "active"
    shop.server.advance(days=2)
    assert shop.subscription(subscription.id).status == "active"


def test_by_another_wish_nothing_is_left_of_a_failed_beginning(shop: Shop) -> None:
    shop.server.change_card(shop.customer, DECLINES)
    before = shop.last_event()
    with pytest.raises(stripe.CardError):
        shop.client.v1.subscriptions.create(
            {
                "customer": shop.customer,
                "items": [{"price": shop.monthly}],
                "payment_behavior": "error_if_incomplete",
            }
        )
    assert shop.client.v1.subscriptions.list({"customer": shop.customer, "status": "all"}).data == []
    assert shop.types(after=before) == []


def test_the_end_of_a_trial_is_moved(shop: Shop) -> None:
    subscription = shop.subscribe(trial_days=14)
    longer = shop.client.v1.subscriptions.update(subscription.id, {"trial_end": NOW + 30 * DAY})
    assert (longer.trial_end, longer.items.data[0].current_period_end) == (NOW + 30 * DAY, NOW + 30 * DAY)
    shop.server.advance(days=20)
    assert shop.subscription(subscription.id).status == "trialing"
    shop.client.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    ended = shop.subscription(subscription.id)
    assert (ended.status, ended.trial_end) == ("active", NOW + 20 * DAY)


def test_what_is_due_is_done_in_the_order_of_its_time(shop: Shop) -> None:
    """However far the clock is moved at once."""
    shop.subscribe(trial_days=14)
    shop.subscribe(DECLINES, trial_days=10)
    shop.server.advance(days=400)
    created = [event["created"] for event in shop.server.events()]
    assert created == sorted(created)
    assert shop.server.now() == NOW + 400 * DAY


def test_many_steps_lead_to_the_same_as_one() -> None:
    def run(steps: int) -> list[tuple[str, int]]:
        with running(LocalStripe(now=NOW, delivers=False)) as server:
            shop = Shop.open(server)
            shop.subscribe(trial_days=14)
            shop.subscribe(DECLINES, trial_days=10)
            for _ in range(steps):
                server.advance(days=120 / steps)
            return [(event["type"], event["created"]) for event in server.events()]

    assert run(1) == run(240)


@pytest.fixture
def drafting() -> Iterator[Shop]:
    """As Stripe does it: the invoice of a renewal is a draft for an hour."""
    with running(LocalStripe(now=NOW, delivers=False, behaviour=Behaviour(draft_for=3_600))) as server, judged(server):
        yield Shop.open(server)


def test_a_renewals_invoice_can_stay_a_draft_for_an_hour(drafting: Shop) -> None:
    subscription = drafting.subscribe(DECLINES, trial_days=14)
    drafting.server.advance(days=14)
    assert drafting.subscription(subscription.id).status == "active"
    assert drafting.latest_invoice(subscription.id).status == "draft"
    drafting.server.advance(hours=1)
    assert drafting.subscription(subscription.id).status == "past_due"
    assert drafting.latest_invoice(subscription.id).status == "open"


def test_the_clock_does_not_go_back(server: LocalStripe) -> None:
    with pytest.raises(ValueError, match="forward only"):
        server.advance_to(NOW - 1)
