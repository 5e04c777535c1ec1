"""Acting on events by several workers, and after one of them died."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from billing.models import StripeEvent
from billing.services.events import STRIPE_EVENT, event_process, event_replay
from billing.tests.support import Shop, deliver, events_by_status, journal, notified, status, trial_over
from platform_site.ids import uuid7
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api, at_once, finishes_before_kill, scaled


@pytest.mark.commits
class TestAtOnce:
    def test_one_event_in_two_hands_has_one_effect(self, shop: Shop, alice: Api, tenant: Any) -> None:
        trial_over(tenant)
        shop.buys(alice, tell=False)
        (told,) = shop.server.events("customer.subscription.created")
        deliver(told)
        looks = shop.calls("GET /v1/subscriptions")
        done = at_once(4, lambda _: event_process(uuid7(), {"event": told["id"]}))
        assert done.most_at_once > 1
        assert shop.calls("GET /v1/subscriptions") == looks + 1
        assert StripeEvent.objects.get(id=told["id"]).attempts == 1
        assert journal(tenant).count("billing.subscription_started") == 1

    def test_all_events_of_a_purchase_at_once_are_told_once(self, shop: Shop, alice: Api, tenant: Any) -> None:
        trial_over(tenant)
        shop.buys(alice, tell=False)
        for one in shop.news():
            deliver(one)
        ids = list(StripeEvent.objects.filter(status="received").values_list("id", flat=True))
        assert len(ids) >= 4
        at_once(len(ids), lambda n: event_process(uuid7(), {"event": ids[n]}))
        assert set(StripeEvent.objects.filter(id__in=ids).values_list("status", flat=True)) == {"processed"}
        keys = journal(tenant)
        assert keys.count("billing.subscription_started") == keys.count("billing.invoice_paid") == 1
        assert status(alice)["status"] == "active"


@pytest.mark.commits
def test_a_worker_that_dies_leaves_the_event_to_the_next(shop: Shop, alice: Api, tenant: Any, committed: str) -> None:
    """Killed with -9 before each of its statements; before each ninth when there is little time."""
    trial_over(tenant)
    shop.buys(alice, tell=False)
    (told,) = shop.server.events("customer.subscription.created")
    deliver(told)
    work = f"""
    from django.conf import settings
    settings.BILLING_CONFIGURED = True
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = {shop.server.key!r}, {shop.server.url!r}
    from platform_site.outbox import dispatcher
    from django.utils import timezone
    from datetime import timedelta
    while dispatcher.run_once(now=timezone.now() + timedelta(hours=24)):
        pass
    """
    statement, kills = 0, 0
    while not finishes_before_kill(work, statement=statement, database=committed):
        kills += 1
        statement += scaled(9, 1)
        assert kills < 200
        # Its lease is over, and each death is the first.
        OutboxRow.objects.update(available_at=timezone.now() - timedelta(minutes=1), claim=None, attempts=0)
    assert kills >= 3
    assert StripeEvent.objects.get(id=told["id"]).status == "processed"
    assert journal(tenant).count("billing.subscription_started") == 1
    assert not OutboxRow.objects.filter(reaction=STRIPE_EVENT).exists()


def test_an_event_can_be_acted_on_again(shop: Shop, alice: Api, tenant: Any) -> None:
    trial_over(tenant)
    shop.buys(alice)
    told = notified(tenant)
    for event_id in StripeEvent.objects.filter(status="processed").values_list("id", flat=True):
        event_replay(event_id=event_id)
    dispatcher.drain()
    assert notified(tenant) == told
    assert events_by_status().get("received") is None
    assert connection.in_atomic_block
