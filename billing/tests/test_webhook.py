"""What Stripe tells us: what is genuine, what is kept, and what is done about it when Stripe cannot be asked."""

import time
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone

from billing.models import StripeEvent
from billing.tests.support import SECRET, deliver, event, signature
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api, at_once, data, error

BODY = orjson.dumps({**event(), "data": {"object": {"id": "cus_1", "object": "customer", "name": "Zoë 株式会社"}}})


@pytest.fixture(autouse=True)
def _configured(stripe_away: None, database: None) -> None:
    """Billing is set up; Stripe does not answer."""


def post(body: bytes, header: str | None) -> Any:
    headers = {} if header is None else {"stripe_signature": header}
    return Api().call("POST", "/billing/webhook", body, **headers)


def waiting() -> int:
    return OutboxRow.objects.filter(reaction="billing.stripe_event").count()


class TestSignature:
    def test_a_genuine_event_is_kept_and_will_be_acted_on(self) -> None:
        assert data(post(BODY, signature(BODY))) == {"received": True, "duplicate": False}
        row = StripeEvent.objects.get()
        assert (row.id, row.type, row.status, row.customer_id) == ("evt_1", "customer.updated", "received", "cus_1")
        assert row.payload["data"]["object"]["name"] == "Zoë 株式会社"
        assert waiting() == 1

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "nonsense",
            "t=1,v1=00",
            "t=x,v1=00",
            "v1=00",
            "t=99999999999999999999,v1=zz",
        ],
    )
    def test_one_that_is_missing_or_no_signature_is_refused(self, header: str | None) -> None:
        assert error(post(BODY, header)) == (400, "webhook_signature_invalid")
        assert not StripeEvent.objects.exists()

    def test_another_secret_s_is_refused(self) -> None:
        assert error(post(BODY, signature(BODY, secret="whsec_another"))) == (400, "webhook_signature_invalid")

    def test_one_of_six_minutes_ago_is_refused(self) -> None:
        assert error(post(BODY, signature(BODY, at=time.time() - 360))) == (400, "webhook_signature_invalid")
        assert post(BODY, signature(BODY, at=time.time() - 240)).status_code == 200

    def test_a_body_with_one_space_more_is_refused(self) -> None:
        assert error(post(BODY + b" ", signature(BODY))) == (400, "webhook_signature_invalid")

    def test_bytes_that_are_no_text_are_refused(self) -> None:
        assert error(post(b"\xff\xfe" + BODY, signature(BODY))) == (400, "webhook_signature_invalid")

    def test_two_secrets_are_live_while_one_takes_the_other_s_place(self, settings: Any) -> None:
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", SECRET]
        assert post(BODY, signature(BODY)).status_code == 200
        other = orjson.dumps(event(number=2))
        assert post(other, signature(other, secret="whsec_new")).status_code == 200

    def test_without_a_secret_there_is_no_way_in(self, settings: Any) -> None:
        settings.STRIPE_WEBHOOK_SECRETS = []
        assert error(post(BODY, signature(BODY))) == (503, "billing_not_configured")


class TestBody:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"nonsense",
            b"{}",
            b'{"id":"evt_1"}',
            b'{"id":"evt_1","type":"x","created":1,"data":{"object":"x"}}',
        ],
    )
    def test_one_that_is_no_event_is_refused(self, body: bytes) -> None:
        assert error(deliver(body)) == (400, "webhook_body_invalid")
        assert not StripeEvent.objects.exists()

    def test_one_of_more_than_256_kib_is_refused(self) -> None:
        body = orjson.dumps({**event(), "filler": "x" * (256 * 1024)})
        assert error(deliver(body)) == (413, "payload_too_large")

    def test_an_event_of_another_mode_is_kept_and_ignored(self) -> None:
        assert deliver({**event(), "livemode": True}).status_code == 200
        row = StripeEvent.objects.get()
        assert (row.status, row.last_error, waiting()) == ("ignored", "other_mode", 0)

    def test_a_type_that_we_know_nothing_to_do_about_is_kept_and_ignored(self) -> None:
        assert deliver(event("radar.early_fraud_warning.created")).status_code == 200
        assert (StripeEvent.objects.get().status, waiting()) == ("ignored", 0)

    def test_a_thin_event_is_taken_too(self) -> None:
        thin = {
            "id": "evt_thin",
            "object": "v2.core.event",
            "type": "v1.customer.subscription.updated",
            "livemode": False,
            "created": "2026-11-28T09:00:00.000Z",
            "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
        }
        assert deliver(thin).status_code == 200
        row = StripeEvent.objects.get()
        assert (row.status, row.object_id, waiting()) == ("received", "sub_1", 1)


class TestTwice:
    def test_the_same_event_again_is_answered_the_same_and_kept_once(self) -> None:
        assert data(deliver(event()))["duplicate"] is False
        assert data(deliver(event()))["duplicate"] is True
        assert (StripeEvent.objects.count(), waiting()) == (1, 1)

    @pytest.mark.commits
    def test_eight_at_once_are_one(self, committed: str) -> None:
        done = at_once(8, lambda _: data(deliver(event()))["duplicate"])
        assert done.most_at_once > 1
        assert sorted(done.results) == [False, *[True] * 7]
        assert (StripeEvent.objects.count(), waiting()) == (1, 1)


class TestStripeAway:
    def test_an_event_waits_and_says_why(self) -> None:
        deliver(event())
        dispatcher.drain()
        row = StripeEvent.objects.get()
        assert (row.status, row.last_error, row.attempts) == ("failed", "billing_provider_error", 1)
        left = OutboxRow.objects.get(reaction="billing.stripe_event")
        assert left.available_at > timezone.now()
        dispatcher.run_once(now=timezone.now() + timedelta(hours=1))
        assert StripeEvent.objects.get().attempts == 2
