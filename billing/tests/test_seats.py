"""Seats follow the people who use them, where the tenant wants that."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.models import BillingChange
from billing.services.seats import SYNC_SEATS
from billing.tasks import reconcile_seats
from billing.tests.support import SELECTION, Shop, account_of, status, trial_over
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api, data, error


@pytest.fixture
def paying(shop: Shop, alice: Api, tenant: Any) -> Shop:
    """A Pro subscription of the two seats that are used."""
    trial_over(tenant)
    shop.buys(alice)
    return shop


def invite(alice: Api, count: int, word: str = "p") -> list[int]:
    return [alice.post("/users", {"email": f"{word}{n}@acme.test", "role": "user"}).status_code for n in range(count)]


def wants(alice: Api, key: str, value: Any) -> None:
    assert alice.call("PUT", f"/org-settings/{key}", {"value": value}).status_code == 200


def in_two_minutes() -> None:
    dispatcher.drain()
    while dispatcher.run_once(now=timezone.now() + timedelta(minutes=2)):
        pass


def changes() -> int:
    return BillingChange.objects.filter(kind="changed_seats").count()


def test_ten_invitations_are_one_change(paying: Shop, alice: Api) -> None:
    wants(alice, "seats.when_full", "exceed")
    assert invite(alice, 10) == [201] * 10
    dispatcher.drain()
    assert OutboxRow.objects.filter(reaction=SYNC_SEATS).count() == 1
    assert paying.calls(f"POST /v1/subscription_items/{paying.subscriptions()[0]['items']['data'][0]['id']}") == 0
    in_two_minutes()
    assert status(alice)["seats"] == {
        "mode": "per_seat",
        "purchased": 12,
        "used": 12,
        "pending": 10,
        "available": 0,
        "overBy": 0,
    }
    assert changes() == 1


def test_without_the_setting_the_plan_is_full(paying: Shop, alice: Api) -> None:
    assert error(alice.post("/users", {"email": "x@acme.test", "role": "user"})) == (402, "seat_limit_reached")
    assert status(alice)["seats"]["available"] == 0


def test_who_is_invited_holds_a_seat_and_who_leaves_gives_it_back(paying: Shop, alice: Api, bob: Api) -> None:
    alice.post("/billing/change-plan", {**SELECTION, "quantity": 3})
    assert invite(alice, 2) == [201, 402]
    alice.call("DELETE", f"/users/{bob.user.uuid}")
    assert invite(alice, 1, "q") == [201]


def test_a_plan_that_includes_a_number_of_seats_ends_there(shop: Shop, alice: Api, tenant: Any) -> None:
    trial_over(tenant)
    shop.buys(alice, planId="starter")
    assert status(alice)["seats"]["mode"] == "included"
    wants(alice, "seats.when_full", "exceed")
    assert invite(alice, 4) == [201, 201, 201, 402]
    in_two_minutes()
    assert changes() == 0


def test_a_trial_has_room_for_everybody(shop: Shop, alice: Api) -> None:
    assert invite(alice, 8) == [201] * 8
    assert status(alice)["seats"]["mode"] == "unlimited"


def test_a_stripe_that_is_away_gets_it_later_and_once(paying: Shop, alice: Api) -> None:
    wants(alice, "seats.when_full", "exceed")
    invite(alice, 1)
    dispatcher.drain()
    paying.server.fault(path="POST /v1/subscription_items/", times=2, timing="after")
    dispatcher.run_once(now=timezone.now() + timedelta(minutes=2))
    assert changes() == 0
    dispatcher.run_once(now=timezone.now() + timedelta(hours=1))
    assert status(alice)["seats"]["purchased"] == 3
    items = [one for one in paying.server.exchanges if one.path.startswith("/v1/subscription_items/")]
    # Stripe did it at the first try, and our next look found it done.
    assert {one.status for one in items} <= {200}
    assert paying.subscriptions()[0]["items"]["data"][0]["quantity"] == 3


def test_at_night_it_is_looked_at_again(paying: Shop, alice: Api, tenant: Any) -> None:
    wants(alice, "seats.when_full", "exceed")
    invite(alice, 2)
    OutboxRow.objects.all().delete()
    reconcile_seats()
    assert status(alice)["seats"]["purchased"] == 4
    reconcile_seats()
    assert changes() == 1


def test_seats_that_nobody_uses_are_given_back_right_before_the_renewal_and_only_then(
    paying: Shop, alice: Api, tenant: Any
) -> None:
    data(alice.post("/billing/change-plan", {**SELECTION, "quantity": 9}))
    wants(alice, "billing.release_seats_at_renewal", True)
    reconcile_seats()
    assert status(alice)["seats"]["purchased"] == 9
    # The period ends in an hour, as Stripe sees it.
    ends = account_of(tenant).period_end
    assert ends is not None
    paying.server.advance_to(int((ends - timedelta(hours=1)).timestamp()))
    with _time_of(paying):
        reconcile_seats()
    assert status(alice)["seats"]["purchased"] == 2


def _time_of(shop: Shop) -> Any:
    """Our clock is where Stripe's is."""
    from datetime import UTC, datetime
    from unittest.mock import patch

    return patch("billing.services.seats.timezone.now", return_value=datetime.fromtimestamp(shop.server.now(), UTC))


def test_a_number_that_is_about_to_change_is_left_alone(paying: Shop, alice: Api) -> None:
    wants(alice, "seats.when_full", "exceed")
    alice.post("/billing/cancel")
    invite(alice, 1)
    in_two_minutes()
    assert changes() == 0
