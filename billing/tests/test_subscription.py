"""The life of a subscription: what is done to it here, and what happens to it over there."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.models import BillingChange
from billing.services.keeping_up import keep_up, stale_look
from billing.services.staff import comp, grace_end, grace_extend
from billing.services.syncing import account_sync
from billing.tests.support import (
    SELECTION,
    Shop,
    account,
    account_of,
    deliver,
    event,
    events_by_status,
    journal,
    notified,
    status,
    trial_over,
)
from platform_site.errors import PlatformError
from tenancy.services import tenant_reactivate, tenant_suspend
from tests.support import Api, data, error

DECLINES = "4000000000000341"


@pytest.fixture
def paying(shop: Shop, alice: Api, tenant: Any) -> Shop:
    """The company has a Pro subscription that is paid for, of two seats."""
    trial_over(tenant)
    shop.buys(alice)
    assert status(alice)["status"] == "active"
    return shop


class TestCancel:
    def test_with_the_period_and_back_and_again_until_it_passes(self, paying: Shop, alice: Api, tenant: Any) -> None:
        ends = status(alice)["period"]["end"]
        answer = data(alice.post("/billing/cancel", {"feedback": "too_expensive", "reason": "Next year again."}))
        assert answer["cancellation"] == {"scheduled": True, "effectiveAt": ends, "canResume": True}
        assert (answer["status"], answer["access"]) == ("active", "full")
        assert paying.subscriptions()[0]["cancellation_details"]["feedback"] == "too_expensive"
        answer = data(alice.post("/billing/resume"))
        assert answer["cancellation"] == {"scheduled": False, "effectiveAt": None, "canResume": False}
        assert error(alice.post("/billing/resume")) == (409, "not_resumable")
        alice.post("/billing/cancel")
        paying.passes(days=32)
        after = status(alice)
        assert (after["status"], after["access"], after["accessReason"]) == (
            "canceled",
            "read_only",
            "subscription_canceled",
        )
        assert error(alice.post("/billing/resume")) == (409, "not_resumable")
        assert [one for one in journal(tenant) if "cancel" in one or "ended" in one] == [
            "billing.cancellation_scheduled",
            "billing.cancellation_withdrawn",
            "billing.cancellation_scheduled",
            "billing.subscription_ended",
        ]

    def test_again_is_no_second_one(self, paying: Shop, alice: Api) -> None:
        first = data(alice.post("/billing/cancel"))
        assert data(alice.post("/billing/cancel"))["cancellation"] == first["cancellation"]

    def test_now_twice_is_fine_although_stripe_knows_nothing_more_of_it(self, paying: Shop, alice: Api) -> None:
        body = {"mode": "now"}
        assert data(alice.post("/billing/cancel", body))["status"] == "canceled"
        assert data(alice.post("/billing/cancel", body))["status"] == "canceled"

    def test_one_that_somebody_else_ended_a_moment_ago_is_ended(self, paying: Shop, alice: Api, tenant: Any) -> None:
        """Between our look and our call."""
        subscription = account_of(tenant).subscription_id
        seen: list[str] = []

        def ends_now(exchange: Any) -> None:
            if not seen and (exchange.method, exchange.path) == ("GET", "/v1/subscriptions"):
                seen.append(subscription)
                paying.server.client().v1.subscriptions.cancel(subscription)

        paying.server.on_exchange.append(ends_now)
        assert data(alice.post("/billing/cancel", {"mode": "now"}))["status"] == "canceled"
        assert seen

    def test_one_that_is_not_paid_for_ends_at_once(self, paying: Shop, alice: Api, tenant: Any) -> None:
        paying.server.change_card(account_of(tenant).customer_id or "", DECLINES)
        paying.passes(days=32)
        assert status(alice)["status"] == "past_due"
        assert data(alice.post("/billing/cancel"))["status"] == "canceled"

    def test_a_trial_of_our_own_ends_now_and_only_now(self, shop: Shop, alice: Api) -> None:
        assert data(alice.post("/billing/cancel"))["status"] == "trialing"
        after = data(alice.post("/billing/cancel", {"mode": "now"}))
        assert (after["status"], after["access"], after["accessReason"]) == ("none", "read_only", "trial_expired")
        assert error(alice.post("/billing/cancel", {"mode": "now"})) == (409, "no_active_subscription")

    def test_words_that_are_none_are_refused(self, paying: Shop, alice: Api) -> None:
        answer = alice.post("/billing/cancel", {"mode": "tomorrow", "feedback": "boring"})
        assert {one["field"] for one in answer.json()["error"]["details"]} == {"mode", "feedback"}
        assert answer.status_code == 400


class TestPastDue:
    def test_from_a_card_that_declines_to_one_that_pays(self, paying: Shop, alice: Api, tenant: Any) -> None:
        customer = account_of(tenant).customer_id or ""
        paying.server.change_card(customer, DECLINES)
        paying.passes(days=32)
        late = status(alice)
        assert (late["status"], late["access"]) == ("past_due", "full")
        assert late["payment"]["invoiceUrl"].startswith("http")
        since = late["payment"]["pastDueSince"]
        paying.passes(days=4)
        assert status(alice)["payment"]["pastDueSince"] == since
        # Seven days later, as far as we are concerned.
        account(tenant, past_due_since=timezone.now() - timedelta(days=7, minutes=1))
        assert error(alice.post("/users", {"email": "x@acme.test", "role": "user"})) == (402, "payment_past_due")
        assert alice.get("/users").status_code == 200
        paying.server.pay_invoice(account_of(tenant).latest_invoice_id, "4242424242424242")
        paying.tell()
        found = status(alice)
        assert (found["status"], found["access"], found["payment"]["pastDueSince"]) == ("active", "full", None)
        assert notified(tenant).count("billing.payment_failed") == 1
        assert notified(tenant).count("billing.payment_recovered") == 1

    def test_a_card_that_fails_when_stripe_s_trial_ends(self, shop: Shop, alice: Api, tenant: Any) -> None:
        shop.buys(alice, card=DECLINES)
        shop.passes(days=15)
        found = status(alice)
        assert (found["status"], found["access"], found["trial"]["active"]) == ("past_due", "full", False)

    def test_a_payment_that_the_bank_wants_confirmed_is_told_once(self, paying: Shop, alice: Api, tenant: Any) -> None:
        paying.server.change_card(account_of(tenant).customer_id or "", "4000002500003155")
        paying.passes(days=32)
        events = paying.server.events("invoice.payment_action_required")
        assert events
        paying.tell([{**one, "id": f"{one['id']}again"} for one in events])
        assert notified(tenant).count("billing.payment_action_required") == 1


class TestOrder:
    def test_whichever_way_they_come_the_end_is_the_same(self, shop: Shop, alice: Api, tenant: Any) -> None:
        """Four events in all twenty-four orders, each of them twice."""
        from itertools import permutations

        trial_over(tenant)
        shop.buys(alice, tell=False)
        kinds = (
            "customer.subscription.created",
            "customer.updated",
            "invoice.paid",
            "checkout.session.completed",
        )
        four = [next(one for one in shop.server.events(kind)) for kind in kinds]
        ends = set()
        for turn, order in enumerate(permutations(four)):
            doubled = [{**one, "id": f"evt_{turn}_{kinds.index(one['type'])}"} for one in order for _ in range(2)]
            shop.tell(doubled)
            row = account_of(tenant)
            ends.add((row.stripe_status, row.plan_id, row.seats_purchased, row.latest_invoice_status, row.period_end))
        assert len(ends) == 1
        assert events_by_status() == {"processed": 24 * 4}
        told = notified(tenant)
        assert sorted(told) == sorted(set(told)) == ["billing.invoice_paid", "billing.subscription_started"]

    def test_an_event_of_an_old_version_only_says_where_to_look(self, paying: Shop, alice: Api, tenant: Any) -> None:
        row = account_of(tenant)
        old = event("customer.subscription.updated", number=77, id=row.subscription_id, object="subscription")
        old["api_version"] = "2017-08-15"
        old["data"]["object"].update(customer=row.customer_id, status="canceled", current_period_end=1)
        paying.tell([old])
        assert status(alice)["status"] == "active"

    def test_a_thin_event_leads_to_the_same_look(self, paying: Shop, alice: Api, tenant: Any) -> None:
        row = account_of(tenant)
        paying.server.client().v1.subscriptions.cancel(row.subscription_id)
        thin = {
            "id": "evt_thin",
            "object": "v2.core.event",
            "type": "v1.customer.subscription.deleted",
            "livemode": False,
            "created": "2026-11-28T09:00:00.000Z",
            "related_object": {"id": row.subscription_id, "type": "subscription", "url": "/v1/subscriptions/x"},
        }
        paying.tell([thin])
        assert status(alice)["status"] == "canceled"


class TestWhoseItIs:
    def test_an_event_that_is_faster_than_our_answer_finds_its_tenant(
        self, shop: Shop, alice: Api, tenant: Any
    ) -> None:
        shop.buys(alice, tell=False)
        account(tenant, customer_id=None)
        shop.tell()
        assert status(alice)["stripeStatus"] == "trialing"

    def test_a_stranger_s_is_kept_and_answered_with_200(self, shop: Shop, tenant: Any) -> None:
        customers = shop.server.client().v1.customers
        stranger = customers.create(params={"email": "admin@acme.test"})
        customers.update(stranger.id, params={"name": "Somebody"})
        shop.tell()
        assert events_by_status()["unmatched"] == 1
        assert account(tenant).customer_id is None

    def test_a_customer_who_says_to_be_ours_does_not_take_another_s_place(
        self, paying: Shop, alice: Api, tenant: Any
    ) -> None:
        before = account_of(tenant).customer_id
        customers = paying.server.client().v1.customers
        says_so = customers.create(params={"metadata": {"tenant_id": str(tenant.id)}})
        customers.update(says_so.id, params={"name": "Acme"})
        paying.tell()
        assert account_of(tenant).customer_id == before
        assert events_by_status()["unmatched"] == 1

    def test_a_second_subscription_is_told_and_the_newest_counts(self, paying: Shop, alice: Api, tenant: Any) -> None:
        row = account_of(tenant)
        paying.server.advance(seconds=2)
        second = paying.server.client().v1.subscriptions.create(
            params={
                "customer": row.customer_id or "",
                "items": [{"price": row.price_id, "quantity": 9}],
                "default_payment_method": paying.subscriptions()[0]["default_payment_method"],
            }
        )
        paying.tell()
        found = status(alice)
        assert (account_of(tenant).subscription_id, found["seats"]["purchased"], found["duplicate"]) == (
            second.id,
            9,
            True,
        )
        assert journal(tenant).count("billing.second_subscription") == 1

    def test_a_customer_who_was_deleted_leaves_nothing_behind(self, paying: Shop, alice: Api, tenant: Any) -> None:
        paying.server.client().v1.customers.delete(account_of(tenant).customer_id or "")
        paying.tell()
        assert (status(alice)["status"], account_of(tenant).customer_id) == ("none", None)


class TestChange:
    def test_more_takes_effect_at_once_and_is_charged(self, paying: Shop, alice: Api, tenant: Any) -> None:
        body = {**SELECTION, "quantity": 5}
        preview = data(alice.post("/billing/change-plan", {**body, "preview": True}))
        assert (preview["preview"], preview["currency"]) == (True, "usd")
        assert preview["amountDue"] > 0
        assert status(alice)["seats"]["purchased"] == 2
        done = data(alice.post("/billing/change-plan", body))
        assert (done["status"]["seats"]["purchased"], done["amountDue"]) == (5, None)
        assert error(alice.post("/billing/change-plan", body)) == (409, "same_plan")
        assert "billing.seats_changed" in journal(tenant)

    def test_in_a_trial_any_change_takes_effect_at_once_and_nothing_is_charged(self, shop: Shop, alice: Api) -> None:
        shop.buys(alice)
        for seats in (5, 3):
            body = {**SELECTION, "quantity": seats}
            preview = data(alice.post("/billing/change-plan", {**body, "preview": True}))
            assert (preview["amountDue"], preview["currency"]) == (0, "usd")
            done = data(alice.post("/billing/change-plan", body))["status"]
            assert (done["status"], done["seats"]["purchased"], done["pendingChange"]) == ("trialing", seats, None)

    def test_less_takes_effect_with_the_next_period(self, paying: Shop, alice: Api, tenant: Any) -> None:
        alice.post("/billing/change-plan", {**SELECTION, "quantity": 5})
        ends = status(alice)["period"]["end"]
        done = data(alice.post("/billing/change-plan", {**SELECTION, "quantity": 3}))
        assert done["status"]["pendingChange"] == {
            "planId": "pro",
            "interval": "monthly",
            "quantity": 3,
            "effectiveAt": ends,
        }
        assert (done["effectiveAt"], done["status"]["seats"]["purchased"]) == (ends, 5)
        paying.passes(days=32)
        assert (status(alice)["seats"]["purchased"], status(alice)["pendingChange"]) == (3, None)

    def test_what_was_put_off_can_be_changed_again_and_cancelled(self, paying: Shop, alice: Api) -> None:
        alice.post("/billing/change-plan", {**SELECTION, "quantity": 5})
        alice.post("/billing/change-plan", {**SELECTION, "quantity": 3})
        again = data(alice.post("/billing/change-plan", {**SELECTION, "quantity": 4}))
        assert again["status"]["pendingChange"]["quantity"] == 4
        ended = data(alice.post("/billing/cancel"))
        assert (ended["pendingChange"], ended["cancellation"]["scheduled"]) == (None, True)
        paying.passes(days=32)
        assert status(alice)["status"] == "canceled"

    def test_a_card_that_declines_leaves_all_as_it_was(self, paying: Shop, alice: Api, tenant: Any) -> None:
        paying.server.change_card(account_of(tenant).customer_id or "", DECLINES)
        assert error(alice.post("/billing/change-plan", {**SELECTION, "quantity": 50})) == (402, "payment_declined")
        assert status(alice)["seats"]["purchased"] == 2

    def test_there_has_to_be_one(self, shop: Shop, alice: Api) -> None:
        assert error(alice.post("/billing/change-plan", SELECTION)) == (409, "no_active_subscription")

    def test_fewer_seats_than_are_used_from_the_portal_lock_nobody_out(
        self, paying: Shop, alice: Api, tenant: Any
    ) -> None:
        item = account_of(tenant).item_id
        paying.server.client().v1.subscription_items.update(item, params={"quantity": 1})
        paying.tell()
        found = status(alice)
        assert (found["seats"]["overBy"], found["seats"]["available"], found["access"]) == (1, 0, "full")
        assert notified(tenant).count("billing.seats_short") == 1
        assert error(alice.post("/users", {"email": "x@acme.test", "role": "user"})) == (402, "seat_limit_reached")


class TestPortalAndInvoices:
    def test_the_portal_opens_for_who_has_bought(self, paying: Shop, alice: Api) -> None:
        opened = data(alice.post("/billing/portal", {"returnPath": "/billing?tab=plan", "flow": "subscription_cancel"}))
        assert opened["url"].startswith(paying.server.url)
        assert error(alice.post("/billing/portal", {"returnPath": "https://evil.test"})) == (400, "return_path_invalid")

    def test_what_cannot_be_done_now_leads_to_the_portal_s_first_page(self, paying: Shop, alice: Api) -> None:
        alice.post("/billing/cancel")
        opened = data(alice.post("/billing/portal", {"flow": "subscription_cancel"}))
        assert opened["url"].startswith(paying.server.url)

    def test_before_there_is_nothing_to_manage(self, shop: Shop, alice: Api) -> None:
        answer = alice.post("/billing/portal")
        assert error(answer) == (409, "no_billing_account")
        assert answer.json()["error"]["context"] == {"checkout": "/api/v1/billing/checkout"}

    def test_a_flow_about_a_subscription_needs_one(self, paying: Shop, alice: Api) -> None:
        alice.post("/billing/cancel", {"mode": "now"})
        assert error(alice.post("/billing/portal", {"flow": "subscription_update"})) == (409, "no_active_subscription")
        assert alice.post("/billing/portal", {"flow": "payment_method_update"}).status_code == 200

    def test_invoices_come_a_page_at_a_time(self, paying: Shop, alice: Api, mallory: Api, other_tenant: Any) -> None:
        paying.passes(days=32)
        paying.passes(days=32)
        first = alice.get("/billing/invoices?limit=2").json()
        assert (len(first["data"]), first["meta"]) == (2, {"hasMore": True})
        second = alice.get(f"/billing/invoices?limit=2&startingAfter={first['data'][-1]['id']}").json()
        assert (len(second["data"]), second["meta"]) == (1, {"hasMore": False})
        assert {one["status"] for one in first["data"]} == {"paid"}
        assert data(mallory.get("/billing/invoices")) == []
        assert error(alice.get("/billing/invoices?startingAfter=in_nobody")) == (400, "validation_failed")
        for wrong in ("x%2F..", ""):
            assert error(alice.get(f"/billing/invoices?startingAfter={wrong}")) == (400, "validation_failed")
        # Another customer's invoice is none that one could begin behind.
        trial_over(other_tenant)
        paying.buys(mallory)
        theirs = first["data"][0]["id"]
        assert data(mallory.get("/billing/invoices")) != []
        assert theirs not in mallory.get(f"/billing/invoices?startingAfter={theirs}").content.decode()


class TestStaff:
    def test_more_time_with_a_reason_and_one_at_a_time(self, paying: Shop, alice: Api, tenant: Any) -> None:
        account(tenant, stripe_status="past_due", past_due_since=timezone.now() - timedelta(days=10))
        assert status(alice)["access"] == "read_only"
        until = timezone.now() + timedelta(days=5)
        granted = {
            "tenant_id": tenant.id,
            "until": until,
            "reason": "They wait for their bank.",
            "by": "sam@platform.test",
        }
        grace_extend(**granted)
        assert status(alice)["access"] == "full"
        assert status(alice)["payment"]["graceEndsAt"][:16] == until.isoformat()[:16]
        with pytest.raises(PlatformError) as refused:
            grace_extend(**granted)
        assert refused.value.code.key == "grace_active"
        with pytest.raises(PlatformError):
            grace_extend(**{**granted, "reason": " "})
        grace_end(tenant_id=tenant.id, reason="Paid by cheque.", by="sam@platform.test")
        assert status(alice)["access"] == "read_only"
        changes = BillingChange.objects.filter(by="sam@platform.test").order_by("id").values_list("kind", flat=True)
        assert list(changes) == ["extended_grace", "ended_grace"]
        assert journal(tenant).count("billing.grace_extended") == 2

    def test_time_that_is_over_is_no_time(self, tenant: Any) -> None:
        with pytest.raises(PlatformError):
            grace_extend(tenant_id=tenant.id, until=timezone.now(), reason="x", by="x")

    def test_free_of_charge(self, shop: Shop, alice: Api, tenant: Any) -> None:
        trial_over(tenant)
        comp(tenant_id=tenant.id, is_comped=True, reason="A charity.", by="sam@platform.test")
        assert (status(alice)["status"], status(alice)["access"]) == ("comped", "full")
        comp(tenant_id=tenant.id, is_comped=False, reason="Not any more.", by="sam@platform.test")
        assert status(alice)["access"] == "read_only"


class TestByTheClock:
    def test_a_trial_that_ends_is_announced_once(self, shop: Shop, alice: Api, tenant: Any) -> None:
        account(tenant, trial_ends_at=timezone.now() + timedelta(days=2))
        for _ in range(2):
            keep_up(now=timezone.now())
        assert notified(tenant) == ["billing.trial_ending"]

    def test_everybody_gets_an_account_and_who_was_here_before_begins_now(
        self, shop: Shop, tenant: Any, other_tenant: Any
    ) -> None:
        type(tenant).objects.filter(id=tenant.id).update(created_at=timezone.now() - timedelta(days=400))
        keep_up(now=timezone.now())
        for row in (account_of(tenant), account_of(other_tenant)):
            assert timedelta(days=13) < row.trial_ends_at - timezone.now() <= timedelta(days=14)  # type: ignore[operator]

    def test_a_suspended_tenant_is_not_charged_again_and_one_that_comes_back_is(
        self, paying: Shop, alice: Api, tenant: Any
    ) -> None:
        tenant_suspend(tenant_id=tenant.id, reason="Abuse")
        keep_up(now=timezone.now())
        assert paying.subscriptions()[0]["cancel_at_period_end"] is True
        paying.tell()
        tenant.refresh_from_db()
        assert tenant.status == "suspended"
        tenant_reactivate(tenant_id=tenant.id)
        keep_up(now=timezone.now())
        assert paying.subscriptions()[0]["cancel_at_period_end"] is False
        assert status(alice)["cancellation"]["scheduled"] is False

    @pytest.mark.parametrize(("tenant_is", "left"), [("suspended", "active"), ("pending_deletion", "canceled")])
    def test_a_change_that_waits_is_no_hindrance(
        self, paying: Shop, alice: Api, tenant: Any, tenant_is: str, left: str
    ) -> None:
        alice.post("/billing/change-plan", {**SELECTION, "quantity": 5})
        alice.post("/billing/change-plan", {**SELECTION, "quantity": 3})
        type(tenant).objects.filter(id=tenant.id).update(status=tenant_is)
        keep_up(now=timezone.now())
        (subscription,) = paying.subscriptions()
        assert (subscription["status"], bool(subscription["cancel_at"])) == (left, tenant_is == "suspended")
        assert account_of(tenant).pending_plan_id == ""

    def test_what_a_deleted_tenant_pays_for_ends_and_nothing_brings_it_back(
        self, paying: Shop, alice: Api, tenant: Any
    ) -> None:
        type(tenant).objects.filter(id=tenant.id).update(status="pending_deletion")
        keep_up(now=timezone.now())
        assert paying.subscriptions()[0]["status"] == "canceled"
        paying.tell()
        tenant.refresh_from_db()
        assert tenant.status == "pending_deletion"

    def test_what_no_event_told_is_found_by_looking(self, paying: Shop, alice: Api, tenant: Any) -> None:
        paying.server.client().v1.subscriptions.cancel(account_of(tenant).subscription_id)
        later = timezone.now() + timedelta(days=1, minutes=1)
        assert stale_look(now=later) == 1
        assert status(alice)["status"] == "canceled"

    def test_a_stripe_that_is_away_keeps_nothing_else_from_being_done(
        self, stripe_away: None, tenant: Any, other_tenant: Any
    ) -> None:
        account(tenant, customer_id="cus_1", synced_at=timezone.now() - timedelta(days=3))
        account(other_tenant, trial_ends_at=timezone.now() + timedelta(days=2))
        keep_up(now=timezone.now())
        assert notified(other_tenant) == ["billing.trial_ending"]


def test_a_look_without_a_customer_asks_nobody(stripe_away: None, tenant: Any) -> None:
    assert account_sync(tenant_id=tenant.id).customer_id is None


def test_of_an_event_that_fails_the_next_try_finds_the_same(paying: Shop, alice: Api, tenant: Any) -> None:
    from platform_site.outbox import dispatcher

    paying.server.client().v1.subscriptions.cancel(account_of(tenant).subscription_id)
    paying.server.fault(status=500, times=2)
    (told,) = paying.server.events("customer.subscription.deleted")
    deliver(told)
    dispatcher.drain()
    assert status(alice)["status"] == "active"
    dispatcher.run_once(now=timezone.now() + timedelta(hours=1))
    assert status(alice)["status"] == "canceled"
    assert events_by_status()["processed"] >= 1
