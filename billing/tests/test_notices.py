"""What an event tells besides how things are: once for each thing it is about, however often it comes."""

from typing import Any

import pytest

from billing.tests.support import Shop, account_of, event, journal, notified, trial_over
from tests.support import Api


@pytest.fixture
def paying(shop: Shop, alice: Api, tenant: Any) -> Shop:
    trial_over(tenant)
    shop.buys(alice)
    return shop


def twice(shop: Shop, tenant: Any, kind: str, **about: Any) -> None:
    """Two events of Stripe's about the same thing."""
    customer = account_of(tenant).customer_id
    for number in range(2):
        one = event(kind, customer=customer, **about)
        shop.tell([{**one, "id": f"evt_{kind}_{about['id']}_{number}"}])


@pytest.mark.parametrize(
    ("kind", "about", "key"),
    [
        (
            "invoice.upcoming",
            {"object": "invoice", "id": "upcoming_1", "amount_due": 2400, "currency": "usd"},
            "renewal_coming",
        ),
        ("invoice.payment_action_required", {"object": "invoice", "id": "in_9"}, "payment_action_required"),
        ("customer.source.expiring", {"object": "card", "id": "card_1", "last4": "4242"}, "card_expiring"),
        ("charge.refunded", {"object": "charge", "id": "ch_1"}, "charge_disputed"),
        ("charge.dispute.created", {"object": "dispute", "id": "dp_1"}, "charge_disputed"),
    ],
)
def test_each_is_written_down_once(paying: Shop, tenant: Any, kind: str, about: dict[str, Any], key: str) -> None:
    twice(paying, tenant, kind, **about)
    assert journal(tenant).count(f"billing.{key}") == 1
    twice(paying, tenant, kind, **{**about, "id": f"{about['id']}b"})
    # The renewal is told by its period, everything else by what it is about.
    assert journal(tenant).count(f"billing.{key}") == (1 if kind == "invoice.upcoming" else 2)


def test_a_renewal_that_will_not_be_is_not_announced_and_one_that_will_be_after_all_is(
    paying: Shop, alice: Api, tenant: Any
) -> None:
    alice.post("/billing/cancel")
    twice(paying, tenant, "invoice.upcoming", object="invoice", id="upcoming_1", amount_due=2400, currency="usd")
    assert "billing.renewal_coming" not in journal(tenant)
    alice.post("/billing/resume")
    twice(paying, tenant, "invoice.upcoming", object="invoice", id="upcoming_2", amount_due=2400, currency="usd")
    assert notified(tenant).count("billing.renewal_coming") == 1


def test_stripe_s_own_trial_is_announced_once_and_not_when_it_was_cancelled(
    shop: Shop, alice: Api, tenant: Any
) -> None:
    shop.buys(alice)
    shop.passes(days=12)
    assert journal(tenant).count("billing.trial_ending") == 1
    twice(shop, tenant, "customer.subscription.trial_will_end", object="subscription", id="sub_1")
    assert journal(tenant).count("billing.trial_ending") == 1


def test_an_invoice_that_stripe_cannot_finish_is_for_staff_alone(
    paying: Shop, tenant: Any, caplog: pytest.LogCaptureFixture
) -> None:
    before = journal(tenant)
    twice(paying, tenant, "invoice.finalization_failed", object="invoice", id="in_1")
    assert journal(tenant) == before
    assert "billing.invoice_not_finalized" in caplog.text
