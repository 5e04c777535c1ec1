"""Other quantities and prices: at once with their prorations, or later by a schedule."""

from typing import Any

import pytest
import stripe

from billing.local_stripe.tests.shop import DAY, NOW, Shop

pytestmark = pytest.mark.no_django

# A month that begins on the 21st of September has 30 days.
HALF = 15 * DAY


def item_of(subscription: stripe.Subscription) -> stripe.SubscriptionItem:
    return subscription.items.data[0]


def test_more_seats_are_paid_with_the_next_invoice(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.advance(days=15)
    item = shop.client.v1.subscription_items.update(item_of(subscription).id, {"quantity": 4})
    assert item.quantity == 4
    assert len(shop.client.v1.invoices.list({"customer": shop.customer}).data) == 1
    preview = shop.client.v1.invoices.create_preview({"subscription": subscription.id})
    assert [line.amount for line in preview.lines.data] == [-1_000, 2_000, 4_000]
    shop.server.advance(days=15)
    invoice = shop.latest_invoice(subscription.id)
    assert (invoice.total, invoice.status) == (5_000, "paid")


def test_more_seats_are_paid_at_once_when_that_is_wished(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.advance(days=15)
    change: Any = {"id": item_of(subscription).id, "quantity": 4}
    preview = shop.client.v1.invoices.create_preview(
        {
            "subscription": subscription.id,
            "subscription_details": {"items": [change], "proration_behavior": "always_invoice"},
        }
    )
    assert preview.amount_due == 1_000
    shop.client.v1.subscriptions.update(
        subscription.id,
        {"items": [change], "proration_behavior": "always_invoice"},
    )
    invoice = shop.latest_invoice(subscription.id)
    assert (invoice.amount_paid, invoice.billing_reason) == (1_000, "subscription_update")


def test_without_prorations_the_change_costs_nothing_until_the_renewal(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.advance(days=15)
    shop.client.v1.subscription_items.update(item_of(subscription).id, {"quantity": 1, "proration_behavior": "none"})
    shop.server.advance(days=15)
    assert shop.latest_invoice(subscription.id).total == 1_000


def test_a_change_during_the_trial_is_free(shop: Shop) -> None:
    subscription = shop.subscribe(trial_days=14)
    change: Any = {"id": item_of(subscription).id, "price": shop.yearly, "quantity": 3}
    shop.client.v1.subscriptions.update(subscription.id, {"items": [change]})
    changed = shop.subscription(subscription.id)
    assert (changed.status, item_of(changed).current_period_end) == ("trialing", NOW + 14 * DAY)
    shop.server.advance(days=14)
    assert shop.latest_invoice(subscription.id).total == 30_000


def test_another_interval_begins_a_period_and_is_paid_at_once(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.advance(days=15)
    shop.client.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item_of(subscription).id, "price": shop.yearly}]}
    )
    changed = shop.subscription(subscription.id)
    assert item_of(changed).current_period_start == changed.billing_cycle_anchor == NOW + HALF
    assert item_of(changed).current_period_end == NOW + HALF + 365 * DAY
    # A month of 20.00 was half used, and a year for two costs 200.00.
    assert shop.latest_invoice(subscription.id).total == 20_000 - 1_000


def test_what_is_given_back_is_kept_as_credit(shop: Shop) -> None:
    subscription = shop.subscribe(line_items=[{"price": shop.yearly, "quantity": 2}])
    shop.client.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item_of(subscription).id, "price": shop.monthly}]}
    )
    invoice = shop.latest_invoice(subscription.id)
    assert (invoice.total, invoice.amount_due, invoice.ending_balance) == (2_000 - 20_000, 0, -18_000)
    assert shop.client.v1.customers.retrieve(shop.customer).balance == -18_000
    shop.server.advance(days=31)
    renewal = shop.latest_invoice(subscription.id)
    assert (renewal.total, renewal.amount_due, renewal.starting_balance) == (2_000, 0, -18_000)
    assert shop.client.v1.customers.retrieve(shop.customer).balance == -16_000


def test_credit_pays_for_a_new_subscription(shop: Shop) -> None:
    shop.client.v1.customers.update(shop.customer, {"balance": -5_000})
    subscription = shop.subscribe()
    assert subscription.status == "active"
    invoice = shop.latest_invoice(subscription.id)
    assert (invoice.status, invoice.amount_due, invoice.attempt_count) == ("paid", 0, 0)
    assert len(shop.server.events("invoice.paid")) == 1
    assert shop.client.v1.customers.retrieve(shop.customer).balance == -3_000


def test_a_change_that_is_declined_makes_it_past_due_or_is_not_done(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.change_card(shop.customer, "4000000000000341")
    id = item_of(subscription).id
    with pytest.raises(stripe.CardError):
        shop.client.v1.subscription_items.update(
            id,
            {"quantity": 9, "proration_behavior": "always_invoice", "payment_behavior": "error_if_incomplete"},
        )
    assert shop.client.v1.subscription_items.retrieve(id).quantity == 2
    shop.client.v1.subscription_items.update(id, {"quantity": 9, "proration_behavior": "always_invoice"})
    assert shop.subscription(subscription.id).status == "past_due"


def test_items_are_added_and_removed(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.client.v1.subscriptions.update(subscription.id, {"items": [{"price": shop.team, "quantity": 1}]})
    listed = shop.client.v1.subscription_items.list({"subscription": subscription.id})
    assert {item.price.id for item in listed.data} == {shop.monthly, shop.team}
    shop.client.v1.subscriptions.update(subscription.id, {"items": [{"id": item_of(subscription).id, "deleted": True}]})
    assert [item.price.id for item in shop.subscription(subscription.id).items.data] == [shop.team]


def test_a_preview_of_a_beginning_costs_nobody_anything(shop: Shop) -> None:
    before = shop.last_event()
    preview = shop.client.v1.invoices.create_preview(
        {
            "customer": shop.customer,
            "subscription_details": {"items": [{"price": shop.yearly, "quantity": 3}]},
        }
    )
    assert preview.amount_due == 30_000
    assert shop.types(after=before) == []


# -- schedules -------------------------------------------------------------------------------------


def planned(shop: Shop, subscription: stripe.Subscription, price: str, quantity: int) -> stripe.SubscriptionSchedule:
    """The usual downgrade: the present phase to its end, then the other price."""
    schedule = shop.client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    present = schedule.phases[0]
    return shop.client.v1.subscription_schedules.update(
        schedule.id,
        {
            "end_behavior": "release",
            "phases": [
                {
                    "items": [{"price": shop.team, "quantity": 2}],
                    "start_date": present.start_date,
                    "end_date": present.end_date,
                },
                {"items": [{"price": price, "quantity": quantity}], "proration_behavior": "none"},
            ],
        },
    )


def test_a_downgrade_takes_effect_with_the_renewal(shop: Shop) -> None:
    subscription = shop.subscribe(line_items=[{"price": shop.team, "quantity": 2}])
    schedule = planned(shop, subscription, shop.monthly, 1)
    assert (schedule.status, len(schedule.phases)) == ("active", 2)
    assert shop.subscription(subscription.id).schedule == schedule.id
    shop.server.advance(days=29)
    assert item_of(shop.subscription(subscription.id)).price.id == shop.team
    shop.server.advance(days=1)
    changed = shop.subscription(subscription.id)
    assert (item_of(changed).price.id, item_of(changed).quantity) == (shop.monthly, 1)
    # Nothing is prorated: the period was used to its end.
    assert shop.latest_invoice(subscription.id).total == 1_000
    # The last phase ends after a month, and with it the schedule; the subscription goes on.
    shop.server.advance(days=31)
    assert shop.client.v1.subscription_schedules.retrieve(schedule.id).status == "released"
    goes_on = shop.subscription(subscription.id)
    assert (goes_on.status, goes_on.schedule) == ("active", None)
    assert shop.server.events("subscription_schedule.released")


def test_a_year_that_becomes_a_month_is_counted_from_its_end(shop: Shop) -> None:
    subscription = shop.subscribe(line_items=[{"price": shop.yearly, "quantity": 2}])
    schedule = shop.client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    end = schedule.phases[0].end_date
    shop.client.v1.subscription_schedules.update(
        schedule.id,
        {
            "phases": [
                {
                    "items": [{"price": shop.yearly, "quantity": 2}],
                    "start_date": schedule.phases[0].start_date,
                    "end_date": end,
                },
                {"items": [{"price": shop.monthly, "quantity": 2}], "duration": {"interval": "month"}},
            ]
        },
    )
    shop.server.advance_to(end)
    changed = shop.subscription(subscription.id)
    assert item_of(changed).current_period_start == end
    assert item_of(changed).current_period_end == end + 30 * DAY
    assert shop.latest_invoice(subscription.id).total == 2_000


def test_a_released_schedule_changes_nothing(shop: Shop) -> None:
    subscription = shop.subscribe(line_items=[{"price": shop.team, "quantity": 2}])
    schedule = planned(shop, subscription, shop.monthly, 1)
    assert shop.client.v1.subscription_schedules.release(schedule.id).status == "released"
    shop.server.advance(days=31)
    assert item_of(shop.subscription(subscription.id)).price.id == shop.team
    with pytest.raises(stripe.InvalidRequestError, match="`released` status"):
        shop.client.v1.subscription_schedules.release(schedule.id)
    listed = shop.client.v1.subscription_schedules.list({"customer": shop.customer})
    assert [each.id for each in listed.data] == [schedule.id]


def test_the_end_of_a_scheduled_one_is_the_matter_of_its_schedule(shop: Shop) -> None:
    subscription = shop.subscribe(line_items=[{"price": shop.team, "quantity": 2}])
    schedule = planned(shop, subscription, shop.monthly, 1)
    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError, match="already attached to a schedule"):
        shop.client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    # At once is always possible, and ends the schedule too.
    shop.client.v1.subscriptions.cancel(subscription.id)
    assert shop.client.v1.subscription_schedules.retrieve(schedule.id).status == "canceled"


def test_seats_that_are_added_beside_a_schedule_stay_till_its_next_phase(shop: Shop) -> None:
    subscription = shop.subscribe(line_items=[{"price": shop.team, "quantity": 2}])
    schedule = planned(shop, subscription, shop.monthly, 1)
    shop.client.v1.subscription_items.update(item_of(subscription).id, {"quantity": 5})
    assert shop.client.v1.subscription_schedules.retrieve(schedule.id).phases[0].items[0].quantity == 5
    shop.server.advance(days=30)
    assert item_of(shop.subscription(subscription.id)).quantity == 1


def test_a_schedule_can_end_the_subscription(shop: Shop) -> None:
    subscription = shop.subscribe()
    schedule = shop.client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    shop.client.v1.subscription_schedules.update(schedule.id, {"end_behavior": "cancel"})
    shop.server.advance(days=30)
    assert shop.subscription(subscription.id).status == "canceled"
    assert shop.client.v1.subscription_schedules.retrieve(schedule.id).status == "completed"
