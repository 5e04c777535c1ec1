"""What follows from what Stripe says. Without a database: any order, any combination."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import BillingAccount
from billing.plans import catalogue
from billing.state import LEGACY, STANDING, access_of, choose, status_of, take_over, take_schedule

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)
STATUSES = [*STANDING, "incomplete", "incomplete_expired", "canceled"]


def unix(moment: datetime) -> int:
    return int(moment.timestamp())


def subscription(status: str = "active", **changes: Any) -> dict[str, Any]:
    price = {
        "id": "price_1",
        "lookup_key": changes.pop("lookup_key", "pro_monthly"),
        "currency": "usd",
        "unit_amount": 1200,
        "recurring": {"interval": "month"},
    }
    item = {
        "id": "si_1",
        "quantity": changes.pop("quantity", 3),
        "price": price,
        "current_period_start": unix(NOW - 10 * DAY),
        "current_period_end": unix(NOW + 20 * DAY),
    }
    return {
        "id": "sub_1",
        "object": "subscription",
        "status": status,
        "created": unix(NOW - 10 * DAY),
        "livemode": False,
        "items": {"data": [item]},
        "latest_invoice": {"id": "in_1", "status": "paid", "created": unix(NOW - DAY)},
        **changes,
    }


def account(**values: Any) -> BillingAccount:
    trial = {"trial_started_at": NOW - 30 * DAY, "trial_ends_at": NOW - 16 * DAY}
    return BillingAccount(tenant_id=uuid4(), **{**trial, **values})


def taken(found: dict[str, Any] | None, *, now: datetime = NOW, into: BillingAccount | None = None) -> BillingAccount:
    row = into or account()
    take_over(row, found, catalogue(), now)
    return row


def level(row: BillingAccount, now: datetime = NOW) -> str:
    return access_of(row).level(now)


class TestStatus:
    def test_everything_of_the_item_is_taken_over(self) -> None:
        row = taken(subscription())
        bought = (row.plan_id, row.interval, row.seats_purchased, row.unit_amount, row.item_id)
        assert bought == ("pro", "monthly", 3, 1200, "si_1")
        assert (row.period_start, row.period_end) == (NOW - 10 * DAY, NOW + 20 * DAY)

    def test_a_price_that_the_catalogue_does_not_know_stays_good(self) -> None:
        row = taken(subscription(lookup_key="pro_2019"))
        assert (row.plan_id, row.interval, level(row)) == (LEGACY, "monthly", "full")

    @pytest.mark.parametrize(
        ("status", "shown"),
        [
            ("active", "active"),
            ("trialing", "trialing"),
            ("past_due", "past_due"),
            ("unpaid", "unpaid"),
            ("paused", "paused"),
            ("canceled", "canceled"),
            ("incomplete", "incomplete"),
            ("incomplete_expired", "none"),
        ],
    )
    def test_each_of_stripe_s_words_has_one_of_ours(self, status: str, shown: str) -> None:
        assert status_of(taken(subscription(status)), NOW) == shown

    def test_a_trial_that_ends_now_has_ended(self) -> None:
        row = account(trial_ends_at=NOW)
        assert (status_of(row, NOW - timedelta(microseconds=1)), status_of(row, NOW)) == ("trialing", "none")

    def test_free_of_charge_is_said_until_it_ends(self) -> None:
        row = taken(subscription("canceled", ended_at=unix(NOW - DAY)), into=account(is_comped=True))
        assert (status_of(row, NOW), level(row, NOW + 1000 * DAY)) == ("comped", "full")
        row.comped_until = NOW + DAY
        assert (status_of(row, NOW + DAY), level(row), level(row, NOW + DAY)) == ("canceled", "full", "read_only")


class TestAccess:
    def test_grace_is_seven_days_from_the_first_failure_and_begins_once(self) -> None:
        row = taken(subscription("past_due", latest_invoice={"id": "in_2", "status": "open", "created": unix(NOW)}))
        assert row.past_due_since == NOW
        taken(subscription("past_due"), now=NOW + 5 * DAY, into=row)
        assert row.past_due_since == NOW
        levels = [level(row, NOW + days * DAY) for days in (6.99, 7, 36.99, 37)]
        assert levels == ["full", "read_only", "read_only", "blocked"]
        assert access_of(row).reason == "payment_past_due"

    def test_a_payment_that_comes_in_ends_the_grace(self) -> None:
        row = taken(subscription("past_due"))
        taken(subscription("active"), into=row)
        assert (row.past_due_since, level(row, NOW + 100 * DAY)) == (None, "full")

    def test_an_unpaid_one_goes_on_where_past_due_was(self) -> None:
        invoice = {"id": "in_2", "status": "open", "created": unix(NOW - 14 * DAY)}
        row = taken(subscription("past_due", latest_invoice=invoice), now=NOW - 14 * DAY)
        taken(subscription("unpaid", latest_invoice=invoice), into=row)
        assert (row.past_due_since, level(row)) == (NOW - 14 * DAY, "read_only")

    def test_a_cancellation_has_no_grace(self) -> None:
        row = taken(subscription(cancel_at=unix(NOW + DAY), cancel_at_period_end=True))
        assert (level(row), level(row, NOW + DAY), access_of(row).reason) == (
            "full",
            "read_only",
            "subscription_canceled",
        )
        taken(subscription("canceled", ended_at=unix(NOW)), into=row)
        assert level(row) == "read_only"

    def test_a_trial_has_none_either(self) -> None:
        row = account(trial_ends_at=NOW)
        assert (level(row), access_of(row).reason) == ("read_only", "trial_expired")

    def test_a_first_payment_that_is_open_leaves_the_trial_as_it_is(self) -> None:
        assert level(taken(subscription("incomplete"), into=account(trial_ends_at=NOW + DAY))) == "full"
        assert level(taken(subscription("incomplete"))) == "read_only"

    def test_what_staff_grant_counts_for_all(self) -> None:
        for status in ("past_due", "unpaid", "paused", "canceled"):
            row = taken(subscription(status, ended_at=unix(NOW)), into=account(grace_until=NOW + 90 * DAY))
            assert (level(row, NOW + 89 * DAY), level(row, NOW + 90 * DAY)) == ("full", "read_only"), status

    def test_an_end_that_lies_in_the_future_is_now(self) -> None:
        row = taken(subscription("canceled", ended_at=unix(NOW + 40 * DAY)))
        assert (row.lapsed_at, level(row)) == (NOW, "read_only")

    def test_a_customer_without_a_subscription_is_in_the_trial_again(self) -> None:
        row = taken(None, into=taken(subscription()))
        assert (row.subscription_id, row.plan_id, status_of(row, NOW)) == ("", "", "none")


class TestChoosing:
    def test_the_newest_that_stands_counts_and_the_others_are_told(self) -> None:
        old = subscription("active", id="sub_old", created=1)
        new = subscription("trialing", id="sub_new", created=2)
        tried = subscription("incomplete", id="sub_tried", created=3)
        over = subscription("canceled", id="sub_over", created=4)
        found, others = choose([old, over, tried, new])
        assert (found and found["id"], others) == ("sub_new", ["sub_old"])

    def test_without_one_that_stands_the_one_that_is_being_bought_counts(self) -> None:
        found, others = choose(
            [subscription("canceled", id="a", created=2), subscription("incomplete", id="b", created=1)]
        )
        assert (found and found["id"], others) == ("b", [])

    def test_of_none_there_is_none(self) -> None:
        assert choose([]) == (None, [])


@given(st.permutations(STATUSES), st.lists(st.sampled_from(STATUSES), max_size=6))
def test_the_order_in_which_they_are_listed_never_matters(order: list[str], before: list[str]) -> None:
    """Whatever was looked at before, and in whatever order: the last look decides about everything but "since when"."""
    listed = [subscription(status, id=f"sub_{status}", created=STATUSES.index(status)) for status in order]
    row = account()
    for status in before:
        taken(subscription(status), into=row)
    found, others = choose(listed)
    assert found is not None
    taken(dict(found), into=row)
    fresh = taken(dict(found))
    same = ("subscription_id", "stripe_status", "plan_id", "seats_purchased", "cancel_at", "latest_invoice_id")
    assert [getattr(row, name) for name in same] == [getattr(fresh, name) for name in same]
    assert found["id"] == "sub_unpaid"
    assert set(others) == {"sub_active", "sub_trialing", "sub_past_due", "sub_paused"}
    assert status_of(row, NOW) == status_of(fresh, NOW)


def test_what_a_schedule_will_change_is_taken_over() -> None:
    row = taken(subscription())
    price = {"id": "price_2", "lookup_key": "starter_monthly", "recurring": {"interval": "month"}}
    take_schedule(
        row,
        {
            "status": "active",
            "current_phase": {"start_date": unix(NOW - 10 * DAY), "end_date": unix(NOW + 20 * DAY)},
            "phases": [
                {"start_date": unix(NOW - 10 * DAY), "items": [{"price": {"id": "price_1"}, "quantity": 3}]},
                {"start_date": unix(NOW + 20 * DAY), "items": [{"price": price, "quantity": 1}]},
            ],
        },
        catalogue(),
    )
    assert (row.pending_plan_id, row.pending_interval, row.pending_seats) == ("starter", "monthly", 1)
    assert row.pending_at == NOW + 20 * DAY
    take_schedule(row, None, catalogue())
    assert row.pending_plan_id == ""
    assert row.pending_at is None
