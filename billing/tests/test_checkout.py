"""Going to pay."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from django.utils import timezone

from billing.models import CheckoutAttempt
from billing.tests.support import SELECTION, Shop, account, account_of, journal, status, trial_over
from tests.support import Api, at_once, data, error, signed_in

OTHER = {"planId": "pro", "interval": "yearly"}


class TestPaying:
    def test_from_trial_to_paid(self, shop: Shop, alice: Api, tenant: Any) -> None:
        before = status(alice)
        assert (before["status"], before["access"], before["trial"]["daysLeft"]) == ("trialing", "full", 14)
        trial_over(tenant)
        assert status(alice)["access"] == "read_only"
        shop.buys(alice)
        after = status(alice)
        assert (after["status"], after["access"], after["plan"]["id"], after["plan"]["interval"]) == (
            "active",
            "full",
            "pro",
            "monthly",
        )
        assert (after["seats"]["purchased"], after["seats"]["used"], after["payment"]["last4"]) == (2, 2, "4242")
        assert journal(tenant) == [
            "billing.checkout_started",
            "billing.subscription_started",
            "billing.invoice_paid",
        ]
        assert data(alice.get("/tenants/me"))["plan"] == "pro"

    def test_what_is_left_of_the_trial_stays_free(self, shop: Shop, alice: Api, tenant: Any) -> None:
        shop.buys(alice)
        found = status(alice)
        assert (found["status"], found["stripeStatus"], found["trial"]["active"]) == ("trialing", "trialing", True)
        assert abs(account_of(tenant).stripe_trial_ends_at - account_of(tenant).trial_ends_at) < timedelta(seconds=1)  # type: ignore[operator]
        shop.passes(days=15)
        assert status(alice)["status"] == "active"

    def test_the_session_says_who_it_is_for(self, shop: Shop, alice: Api, tenant: Any) -> None:
        body = {**SELECTION, "quantity": 7, "successPath": "/welcome?from=billing", "cancelPath": "/plans"}
        session = data(alice.post("/billing/checkout", body))
        (made,) = [one for one in shop.server.exchanges if one.path == "/v1/checkout/sessions"]
        form = dict(parse_qsl(made.form))
        assert form["client_reference_id"] == form["metadata[tenant_id]"] == str(tenant.id)
        assert form["subscription_data[metadata][tenant_id]"] == str(tenant.id)
        assert form["subscription_data[billing_mode][type]"] == "flexible"
        assert form["line_items[0][quantity]"] == "7"
        back = urlsplit(form["success_url"])
        assert back.path == "/welcome"
        assert parse_qs(back.query) == {"from": ["billing"], "session_id": ["{CHECKOUT_SESSION_ID}"]}
        assert form["cancel_url"].endswith("/plans")
        assert set(session) == {"url", "sessionId", "expiresAt"}
        (customer,) = shop.customers()
        assert (customer["metadata"]["tenant_id"], customer["email"]) == (str(tenant.id), "admin@acme.test")

    def test_coming_back_before_stripe_has_told_us(self, shop: Shop, alice: Api) -> None:
        shop.buys(alice, tell=False)
        assert status(alice)["plan"]["interval"] is None
        assert data(alice.post("/billing/sync"))["status"] == "trialing"
        assert status(alice)["plan"]["interval"] == "monthly"
        shop.tell()
        assert status(alice)["plan"]["interval"] == "monthly"


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({"planId": "gold", "interval": "monthly"}, "planId", "unknown_plan"),
            ({"planId": "enterprise", "interval": "monthly"}, "planId", "plan_not_purchasable"),
            ({"planId": "pro", "interval": "weekly"}, "interval", "unknown_interval"),
            ({**SELECTION, "quantity": 501}, "quantity", "quantity_not_allowed"),
            ({"planId": "starter", "interval": "monthly", "quantity": 3}, "quantity", "quantity_not_allowed"),
            ({**SELECTION, "successPath": "https://evil.test/"}, "successPath", "return_path_invalid"),
            ({**SELECTION, "cancelPath": "//evil.test"}, "cancelPath", "return_path_invalid"),
            ({**SELECTION, "cancelPath": "/\\evil.test"}, "cancelPath", "return_path_invalid"),
            ({**SELECTION, "cancelPath": "javascript:alert(1)"}, "cancelPath", "return_path_invalid"),
        ],
    )
    def test_what_cannot_be_bought(self, shop: Shop, alice: Api, body: Any, field: str, code: str) -> None:
        answer = alice.post("/billing/checkout", body)
        assert error(answer) == (400, code)
        assert [one["field"] for one in answer.json()["error"]["details"]] == [field]
        assert shop.calls("POST /v1/customers") == 0

    def test_fewer_seats_than_are_used(self, shop: Shop, alice: Api) -> None:
        answer = alice.post("/billing/checkout", {**SELECTION, "quantity": 1})
        assert error(answer) == (409, "quantity_below_used_seats")
        assert answer.json()["error"]["context"] == {"seats": 1, "used": 2}

    @pytest.mark.parametrize("state", ["trialing", "active", "past_due"])
    def test_whoever_has_a_subscription_is_sent_to_the_portal(
        self, shop: Shop, alice: Api, tenant: Any, state: str
    ) -> None:
        if state != "trialing":
            trial_over(tenant)
        shop.buys(alice)
        if state == "past_due":
            shop.server.change_card(account_of(tenant).customer_id or "", "4000000000000341")
            shop.passes(days=32)
        assert status(alice)["stripeStatus"] == state
        answer = alice.post("/billing/checkout", OTHER)
        assert error(answer) == (409, "already_subscribed")
        assert answer.json()["error"]["context"] == {"status": state, "manage": "/api/v1/billing/portal"}

    def test_after_the_end_one_can_buy_again_without_another_trial(self, shop: Shop, alice: Api, tenant: Any) -> None:
        shop.buys(alice)
        alice.post("/billing/cancel", {"mode": "now"})
        shop.tell()
        assert status(alice)["status"] == "canceled"
        shop.buys(alice)
        assert (status(alice)["status"], status(alice)["access"]) == ("active", "full")
        assert shop.calls("POST /v1/customers") == 1

    def test_whom_it_is_not_for(self, shop: Shop, bob: Api) -> None:
        assert error(bob.post("/billing/checkout", SELECTION)) == (403, "permission_denied")


class TestTwice:
    def test_the_same_again_is_the_same_page_for_whoever_asks(self, shop: Shop, alice: Api, tenant: Any) -> None:
        carol = _another_administrator(tenant)
        first = data(alice.post("/billing/checkout", SELECTION))
        assert data(carol.post("/billing/checkout", SELECTION)) == first
        assert shop.calls("POST /v1/checkout/sessions") == 1

    def test_another_selection_takes_its_place(self, shop: Shop, alice: Api) -> None:
        first = data(alice.post("/billing/checkout", SELECTION))
        second = data(alice.post("/billing/checkout", OTHER))
        assert first["sessionId"] != second["sessionId"]
        sessions = shop.server.client().v1.checkout.sessions
        assert sessions.retrieve(first["sessionId"]).status == "expired"
        assert sessions.retrieve(second["sessionId"]).status == "open"
        assert sorted(CheckoutAttempt.objects.values_list("status", flat=True)) == ["expired", "open"]

    def test_one_that_was_paid_for_meanwhile_is_no_second_one(self, shop: Shop, alice: Api) -> None:
        """Between our look and Stripe's answer: the look says that there is nothing yet."""
        session = data(alice.post("/billing/checkout", SELECTION))["sessionId"]
        paid: list[str] = []

        def pays_now(exchange: Any) -> None:
            if not paid and (exchange.method, exchange.path) == ("GET", f"/v1/checkout/sessions/{session}"):
                paid.append(shop.server.pay(session))

        shop.server.on_exchange.append(pays_now)
        answer = alice.post("/billing/checkout", OTHER)
        assert paid
        assert error(answer) == (409, "checkout_completed")
        assert status(alice)["stripeStatus"] == "trialing"
        assert len(shop.subscriptions()) == 1

    @pytest.mark.commits
    def test_two_administrators_press_at_the_same_moment(self, shop: Shop, alice: Api, tenant: Any) -> None:
        carol = _another_administrator(tenant)
        for body in (SELECTION, OTHER, SELECTION):
            pressed = at_once(4, lambda n, body=body: data((alice, carol)[n % 2].post("/billing/checkout", body)))  # type: ignore[misc]
            assert pressed.most_at_once > 1
            assert len({one["sessionId"] for one in pressed.results}) == 1
        assert len(shop.customers()) == 1
        assert CheckoutAttempt.objects.filter(status="open").count() == 1

    def test_one_that_has_run_out_is_not_handed_out(self, shop: Shop, alice: Api) -> None:
        first = data(alice.post("/billing/checkout", SELECTION))
        CheckoutAttempt.objects.update(expires_at=timezone.now() + timedelta(minutes=5))
        assert data(alice.post("/billing/checkout", SELECTION))["sessionId"] != first["sessionId"]


class TestLostAnswers:
    @pytest.mark.parametrize("path", ["POST /v1/customers$", "POST /v1/checkout/sessions$"])
    def test_what_stripe_did_without_our_hearing_is_not_done_twice(
        self, shop: Shop, alice: Api, tenant: Any, path: str
    ) -> None:
        carol = _another_administrator(tenant)
        carol.call("PATCH", "/auth/me/profile", {"locale": "de"})
        shop.server.fault(path=path, times=2, timing="after")
        assert error(alice.post("/billing/checkout", SELECTION)) == (502, "billing_provider_error")
        # Another administrator, with another language, says the same to Stripe.
        assert carol.post("/billing/checkout", SELECTION).status_code == 200
        assert len(shop.customers()) == 1
        assert len(shop.server.store.all("checkout.session")) == 1

    @pytest.mark.parametrize("failure", [500, 429])
    def test_a_stripe_that_fails_is_said_to_fail(self, shop: Shop, alice: Api, failure: int) -> None:
        shop.server.fault(status=failure, times=20)
        assert status(alice)["status"] == "trialing"
        for path in ("/billing/checkout", "/billing/change-plan"):
            code = error(alice.post(path, SELECTION))
            assert code in ((502, "billing_provider_error"), (409, "no_active_subscription")), path


def test_a_signed_in_person_of_another_tenant_has_another_customer(
    shop: Shop, alice: Api, mallory: Api, other_tenant: Any
) -> None:
    shop.buys(alice)
    shop.buys(mallory, interval="yearly")
    assert (status(alice)["plan"]["interval"], status(mallory)["plan"]["interval"]) == ("monthly", "yearly")
    assert len(shop.customers()) == 2


def test_a_trial_that_is_nearly_over_is_not_handed_on(shop: Shop, alice: Api, tenant: Any) -> None:
    """Stripe takes no trial of under two days; it is charged at once then."""
    account(tenant, trial_ends_at=timezone.now() + timedelta(days=1))
    shop.buys(alice)
    assert status(alice)["status"] == "active"


def _another_administrator(tenant: Any) -> Api:
    from accounts.models import User
    from accounts.roles import Role
    from accounts.services.passwords import password_hash
    from accounts.services.people import user_create
    from platform_site.binding import bind
    from tests.support import PASSWORD

    with bind(tenant.ref):
        if not User.objects.filter(email_key="carol@acme.test").exists():
            user_create(email="carol@acme.test", role=Role.TENANT_ADMIN, password=password_hash(PASSWORD))
    return signed_in(tenant, "carol@acme.test")
