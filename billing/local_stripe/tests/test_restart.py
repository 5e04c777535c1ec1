"""Everything outlives the server when a file is named."""

from pathlib import Path

import pytest
import stripe

from billing.local_stripe.server import LocalStripe, running
from billing.local_stripe.store import Store
from billing.local_stripe.tests.shop import Shop

pytestmark = pytest.mark.no_django


def test_objects_the_clock_and_deliveries_go_on_where_they_were(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    hook = "http://127.0.0.1:1/hook"
    with running(LocalStripe(key="sk_test_local_x", state=state, webhook_url=hook, webhook_secret="whsec_1")) as first:
        shop = Shop.open(first)
        subscription = shop.subscribe(trial_days=14)
        first.advance(days=10)
        made = shop.client.v1.customers.create({"name": "once"}, {"idempotency_key": "k"})
        before = first.now()
        events = first.events()
    with running(LocalStripe(key="sk_test_local_x", state=state, webhook_url=hook, webhook_secret="whsec_2")) as second:
        client = second.client()
        assert 0 <= second.now() - before < 60
        assert second.events() == events
        again = client.v1.customers.create({"name": "once"}, {"idempotency_key": "k"})
        assert again.id == made.id
        endpoints = client.v1.webhook_endpoints.list().data
        assert [each.url for each in endpoints] == [hook]
        assert any(each["state"] == "waiting" for each in second.store.all("_delivery"))
        second.advance(days=4)
        assert client.v1.subscriptions.retrieve(subscription.id).status == "active"
        # Numbers and the order of lists go on as well.
        assert [str(each.number)[-4:] for each in client.v1.invoices.list().data] == ["0002", "0001"]
        assert client.v1.customers.list().data[0].id == made.id


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    with running(LocalStripe(state=state)):
        assert state.stat().st_mode & 0o777 == 0o600


def test_the_first_configuration_is_made_once(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    for _ in range(2):
        with running(LocalStripe(state=state)) as server:
            assert len(server.client().v1.billing_portal.configurations.list().data) == 1


def test_a_failed_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite3")
    with store.transaction():
        store.add("thing", "a", {"id": "a", "value": 1})
        store.add("thing", "b", {"id": "b", "value": 2})

    def fail() -> None:
        with store.transaction():
            store.touch("thing", "b")["value"] = 3
            store.remove("thing", "a")
            store.add("thing", "c", {"id": "c"})
            raise stripe.StripeError("no")

    with pytest.raises(stripe.StripeError):
        fail()
    for each in (store, Store(tmp_path / "state.sqlite3")):
        assert each.all("thing") == [{"id": "a", "value": 1}, {"id": "b", "value": 2}]
        each.close()


def test_objects_are_changed_in_transactions_only() -> None:
    with pytest.raises(RuntimeError, match="transaction only"):
        Store().add("thing", "a", {})
