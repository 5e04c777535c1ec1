"""Without Stripe, and with one that does not answer, everything but paying works."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.presenting import present_status
from billing.selectors.status import billing_status
from billing.services.accounts import account_lock
from billing.tests.support import SELECTION, Shop, account
from platform_site.binding import bind
from tests.support import Api, data, error, signed_in

REGISTER = {
    "companyName": "Initech",
    "slug": "initech",
    "adminEmail": "a@initech.test",
    "adminPassword": "an unusual sentence",
}
CALLS = [
    ("POST", "/billing/checkout", SELECTION),
    ("POST", "/billing/portal", {}),
    ("POST", "/billing/cancel", {}),
    ("POST", "/billing/resume", {}),
    ("POST", "/billing/change-plan", SELECTION),
    ("POST", "/billing/sync", {}),
    ("GET", "/billing/invoices", None),
]


class TestNotSetUp:
    def test_signing_up_and_in_and_setting_up_work(self, api: Api) -> None:
        made = data(api.post("/tenants/register", REGISTER), 201)
        signed = api.post(
            "/auth/login", {"email": "a@initech.test", "password": REGISTER["adminPassword"], "tenantSlug": "initech"}
        )
        assert signed.status_code == 200
        admin = Api(made["accessToken"])
        hub = data(admin.get("/setup-hub"))
        assert "billing.choose_plan" not in {one["code"] for one in hub["tasks"]}
        assert data(admin.get("/me/action-items"))["partial"] is False
        found = data(admin.get("/billing/status"))
        assert (found["configured"], found["access"], found["plan"], found["status"]) == (False, "full", None, "none")
        assert data(admin.get("/billing/plans"))

    @pytest.mark.parametrize(("method", "path", "body"), CALLS)
    def test_what_needs_stripe_says_that_there_is_none(self, alice: Api, method: str, path: str, body: Any) -> None:
        answer = alice.call(method, path, body)
        assert error(answer) == (503, "billing_not_configured")
        assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("failure", [500, 429])
def test_signing_up_and_setting_up_work_with_a_stripe_that_fails(shop: Shop, api: Api, failure: int) -> None:
    shop.server.fault(status=failure, times=100)
    made = data(api.post("/tenants/register", REGISTER), 201)
    admin = Api(made["accessToken"])
    assert data(admin.post("/setup-hub/auto-check"))["errors"] == []
    assert data(admin.get("/billing/status"))["status"] == "trialing"
    assert data(admin.get("/me/action-items"))["partial"] is False
    assert error(admin.post("/billing/checkout", SELECTION)) == (502, "billing_provider_error")


class TestAway:
    @pytest.fixture(autouse=True)
    def _away(self, stripe_away: None) -> None:
        """Nobody answers."""

    def test_signing_up_and_in_and_setting_up_work(self, api: Api) -> None:
        made = data(api.post("/tenants/register", REGISTER), 201)
        admin = Api(made["accessToken"])
        hub = data(admin.get("/setup-hub"))
        assert "billing.choose_plan" in {one["code"] for one in hub["tasks"]}
        assert data(admin.post("/setup-hub/auto-check"))["errors"] == []
        assert data(admin.get("/billing/status"))["status"] == "trialing"
        assert data(admin.get("/me/action-items"))["partial"] is False

    def test_only_what_needs_an_answer_fails(self, alice: Api, tenant: Any) -> None:
        account(tenant, customer_id="cus_1", stripe_status="active", subscription_id="sub_1", plan_id="pro")
        for method, path, body in CALLS:
            assert error(alice.call(method, path, body)) == (502, "billing_provider_error"), path
        assert data(alice.get("/billing/status"))["status"] == "active"


def test_the_status_takes_the_same_queries_however_much_there_is(stripe_away: None, alice: Api, tenant: Any) -> None:
    def queries() -> int:
        with bind(tenant.ref), CaptureQueriesContext(connection) as made:
            present_status(billing_status(), manages=True)
        return len(made)

    # One of them sets the search path.
    assert queries() == 4
    account(tenant, customer_id="cus_1", stripe_status="active", subscription_id="sub_1", plan_id="pro")
    assert queries() == 3
    account(tenant, stripe_status="")
    for number in range(30):
        assert alice.post("/users", {"email": f"p{number}@acme.test", "role": "user"}).status_code == 201
    assert queries() == 3


def test_members_see_no_amounts(stripe_away: None, alice: Api, bob: Api, tenant: Any) -> None:
    account(
        tenant,
        customer_id="cus_1",
        stripe_status="past_due",
        plan_id="pro",
        interval="monthly",
        currency="usd",
        unit_amount=1200,
        card_last4="4242",
        invoice_url="https://invoice.stripe.com/i/1",
    )
    seen = data(alice.get("/billing/status"))
    assert (seen["plan"]["unitAmount"], seen["payment"]["last4"], seen["canManage"]) == (1200, "4242", True)
    seen = data(bob.get("/billing/status"))
    assert (seen["plan"]["unitAmount"], seen["payment"]["last4"], seen["payment"]["invoiceUrl"]) == (None, None, None)
    assert seen["canManage"] is False


@pytest.mark.commits
def test_an_account_is_made_once_by_many_at_once(stripe_away: None, tenant: Any) -> None:
    from django.db import transaction

    from billing.models import BillingAccount
    from tests.support import at_once

    def make(_: int) -> Any:
        with transaction.atomic():
            return account_lock(tenant_id=tenant.id).trial_ends_at

    made = at_once(8, make)
    assert made.most_at_once > 1
    assert len(set(made.results)) == 1
    assert BillingAccount.objects.filter(tenant_id=tenant.id).count() == 1


def test_a_new_tenant_has_its_trial_whether_or_not_anybody_looked(stripe_away: None, api: Api) -> None:
    from tenancy.models import Tenant

    made = data(api.post("/tenants/register", REGISTER), 201)
    tenant = Tenant.objects.get(id=made["tenant"]["id"])
    admin = signed_in(tenant, "a@initech.test")
    before = data(admin.get("/billing/status"))
    account(tenant)
    assert data(admin.get("/billing/status"))["trial"] == before["trial"]
    assert before["trial"]["daysLeft"] == 14
