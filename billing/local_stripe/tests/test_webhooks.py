"""Endpoints and deliveries, to a real receiver over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import stripe

from billing.local_stripe import delivering
from billing.local_stripe.server import LocalStripe, running
from billing.local_stripe.tests.shop import NOW, Shop

pytestmark = pytest.mark.no_django


class Receiver:
    """Keeps what it is sent, and answers with the statuses that it was given, then with 200."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, str]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((body, self.headers["Stripe-Signature"]))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?from=stripe"

    def events(self, client: stripe.StripeClient, secret: str) -> list[stripe.Event]:
        return [client.construct_event(body, signature, secret) for body, signature in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,))
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


@contextmanager
def delivering_to(receiver: Receiver, **arguments: Any) -> Iterator[LocalStripe]:
    with running(LocalStripe(webhook_url=receiver.url, **arguments)) as server:
        yield server


def test_events_arrive_signed_and_in_their_order(receiver: Receiver) -> None:
    """Also when the clock was moved: the receiver's clock is the real one."""
    with delivering_to(receiver, now=NOW) as server:
        shop = Shop.open(server)
        shop.subscribe(trial_days=14)
        server.advance(days=40)
        assert server.wait_until_delivered()
        events = receiver.events(shop.client, server.webhook_secret)
        # The first configuration of the portal was made before there was an endpoint.
        assert [event.id for event in events] == [event["id"] for event in server.events()][1:]
        assert {event.api_version for event in events} == {stripe.api_version}
        assert all(event["pending_webhooks"] == 0 for event in server.events())


def test_another_secret_does_not_fit(receiver: Receiver) -> None:
    with delivering_to(receiver) as server:
        server.client().v1.customers.create({"name": "Ünïcode"})
        assert server.wait_until_delivered()
        with pytest.raises(stripe.SignatureVerificationError):
            receiver.events(server.client(), "whsec_other")


def test_what_is_refused_is_sent_again_and_the_others_do_not_wait(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "PAUSES", (0.3, 0.3))
    receiver.statuses = [500, 200, 302]
    with delivering_to(receiver) as server:
        client = server.client()
        for name in ("first", "second", "third"):
            client.v1.customers.create({"name": name})
        assert server.wait_until_delivered()
        names = [event.data.object["name"] for event in receiver.events(client, server.webhook_secret)]
        assert names[:3] == ["first", "second", "third"]
        assert sorted(names[3:]) == ["first", "third"]


def test_it_is_given_up_in_the_end_and_can_be_sent_by_hand(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "PAUSES", (0.05,))
    receiver.statuses = [500, 500]
    with delivering_to(receiver) as server:
        server.client().v1.customers.create({"name": "unlucky"})
        assert server.wait_until_delivered()
        assert [each["state"] for each in server.store.all("_delivery")] == ["given up"]
        with server.store.transaction():
            server.deliveries.resend(server.events()[-1]["id"])
        assert server.wait_until_delivered()
        assert [each["state"] for each in server.store.all("_delivery")] == ["delivered"]
        assert len(receiver.received) == 3


def test_nobody_answers_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "PAUSES", ())
    with running(LocalStripe(webhook_url="http://127.0.0.1:1/hook")) as server:
        server.client().v1.customers.create({"name": "x"})
        assert server.wait_until_delivered()
        assert "ConnectionRefusedError" in server.store.all("_delivery")[0]["answer"]


def test_an_endpoint_gets_the_types_that_it_wants(receiver: Receiver) -> None:
    with running(LocalStripe(now=NOW)) as server:
        shop = Shop.open(server)
        endpoint = shop.client.v1.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["invoice.paid"], "api_version": "2026-10-28.endive"}
        )
        assert endpoint.secret is not None
        shop.subscribe()
        assert server.wait_until_delivered()
        events = receiver.events(shop.client, endpoint.secret)
        assert [event.type for event in events] == ["invoice.paid"]
        shop.client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
        shop.subscribe()
        assert server.wait_until_delivered()
        assert len(receiver.received) == 1


def test_endpoints_are_made_listed_changed_and_removed(shop: Shop) -> None:
    endpoints = shop.client.v1.webhook_endpoints
    made = endpoints.create({"url": "https://platform.test/hook", "enabled_events": ["*"]})
    assert str(made.secret).startswith("whsec_")
    found = endpoints.retrieve(made.id)
    assert (found.status, found.url) == ("enabled", "https://platform.test/hook")
    assert not hasattr(found, "secret")
    changed = endpoints.update(made.id, {"enabled_events": ["invoice.paid"], "url": "https://platform.test/other"})
    assert (changed.enabled_events, changed.url) == (["invoice.paid"], "https://platform.test/other")
    assert [each.id for each in endpoints.list().data] == [made.id]
    assert endpoints.delete(made.id).deleted is True
    assert endpoints.list().data == []
    with pytest.raises(stripe.InvalidRequestError) as caught:
        endpoints.delete(made.id)
    assert caught.value.http_status == 404


def test_an_endpoint_needs_a_real_address(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid URL"):
        shop.client.v1.webhook_endpoints.create({"url": "platform.test/hook", "enabled_events": ["*"]})


def test_a_test_hands_events_in_itself(shop: Shop) -> None:
    shop.client.v1.customers.update(shop.customer, {"name": "Other"})
    event = shop.server.events("customer.updated")[-1]
    body, headers = shop.server.signed(event)
    read = shop.client.construct_event(body, headers["Stripe-Signature"], shop.server.webhook_secret)
    assert (read.id, read.type) == (event["id"], "customer.updated")


def test_events_are_listed_by_type_and_read(shop: Shop) -> None:
    shop.client.v1.customers.update(shop.customer, {"name": "Other"})
    events = shop.client.v1.events
    assert [each.type for each in events.list({"type": "customer.*"}).data] == ["customer.updated", "customer.created"]
    assert [each.type for each in events.list({"types": ["price.created", "customer.created"], "limit": 2}).data] == [
        "customer.created",
        "price.created",
    ]
    last = events.list({"limit": 1}).data[0]
    previous = events.retrieve(last.id).data.previous_attributes
    assert previous is not None
    assert dict(previous.to_dict()) == {"name": "Acme"}
