"""What works in a workspace that was not paid for."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.tests.support import account, trial_over
from events.catalog import EVENTS_WRITE
from tests.support import Api, data, error

INVITED = {"email": "new@acme.test", "role": "user"}


@pytest.fixture(autouse=True)
def _configured(stripe_away: None) -> None:
    """Billing is set up."""


class TestReadOnly:
    @pytest.fixture(autouse=True)
    def _over(self, tenant: Any) -> None:
        trial_over(tenant)

    def test_lists_can_be_read_and_nothing_can_be_written(self, alice: Api) -> None:
        for path in ("/users", "/notifications", "/chat/channels", "/entity-registry/list", "/org-settings"):
            assert alice.get(path).status_code == 200, path
        assert error(alice.post("/users", INVITED)) == (402, "trial_expired")
        assert error(alice.post("/chat/channels/group", {"name": "x", "memberIds": []})) == (402, "trial_expired")

    def test_the_refusal_says_where_to_pay(self, alice: Api) -> None:
        context = alice.post("/users", INVITED).json()["error"]["context"]
        assert context["access"] == "read_only"
        assert context["manageUrl"].endswith("/billing")

    def test_who_may_not_do_it_anyway_hears_that_first(self, bob: Api) -> None:
        assert error(bob.post("/users", INVITED)) == (403, "permission_denied")

    def test_signing_in_and_out_and_billing_go_on(self, alice: Api, api: Api) -> None:
        signed = api.post(
            "/auth/login", {"email": "admin@acme.test", "password": "correct horse battery", "tenantSlug": "acme"}
        )
        assert signed.status_code == 200
        for path in ("/auth/me", "/users/me", "/permissions/me", "/tenants/me", "/me/unread-counts", "/billing/status"):
            assert alice.get(path).status_code == 200, path
        assert alice.call("PATCH", "/auth/me/preferences", {"theme": "dark"}).status_code == 200
        assert alice.post("/auth/logout", {}).status_code in (200, 204)

    def test_reading_notifications_and_leaving_go_on(self, alice: Api) -> None:
        assert alice.post("/notifications/mark-all-read").status_code == 200
        assert alice.post("/chat/read-all").status_code == 200

    def test_people_can_be_deactivated_but_not_let_in(self, alice: Api, bob: Api) -> None:
        assert alice.call("DELETE", f"/users/{bob.user.uuid}").status_code == 200
        assert error(alice.post(f"/users/{bob.user.uuid}/activate")) == (402, "trial_expired")

    def test_a_tenant_beside_it_is_not_concerned(self, mallory: Api) -> None:
        assert mallory.post("/users", {"email": "new@globex.test", "role": "user"}).status_code == 201

    def test_it_takes_no_query(self, alice: Api, settings: Any) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as made:
                assert alice.get("/auth/me").status_code == 200
            return len(made)

        queries()
        with_billing = queries()
        settings.BILLING_CONFIGURED = False
        assert with_billing == queries()


class TestBlocked:
    @pytest.fixture(autouse=True)
    def _over(self, tenant: Any) -> None:
        trial_over(tenant, days=31)

    def test_only_signing_in_billing_and_export_are_left(self, alice: Api) -> None:
        for path in ("/users", "/notifications", "/chat/channels", "/entity-registry/list"):
            assert error(alice.get(path)) == (402, "trial_expired"), path
        assert error(alice.post("/notifications/mark-all-read")) == (402, "trial_expired")
        for path in ("/auth/me", "/tenants/me", "/billing/status", "/billing/plans", "/permissions/me"):
            assert alice.get(path).status_code == 200, path
        assert data(alice.get("/billing/status"))["access"] == "blocked"

    def test_a_record_can_be_taken_along(self, alice: Api, settings: Any) -> None:
        settings.BILLING_CONFIGURED = False
        made = data(
            alice.post(
                "/entity-registry/register",
                {"name": "Jane", "entityClass": "person", "app": "sales", "entityType": "lead", "entityId": 1},
            ),
            201,
        )
        settings.BILLING_CONFIGURED = True
        assert alice.get(f"/entity-registry/{made['canonicalId']}/export").status_code == 200
        assert alice.get(f"/entity-registry/{made['canonicalId']}").status_code == 402


def test_the_levels_change_at_their_moments_without_anybody_doing_anything(tenant: Any, alice: Api) -> None:
    ends = timezone.now() + timedelta(hours=1)
    access = account(tenant, trial_ends_at=ends).tenant.ref.access
    moment = timedelta(microseconds=1)
    assert (access.level(ends - moment), access.level(ends)) == ("full", "read_only")
    blocked = ends + timedelta(days=30)
    assert (access.level(blocked - moment), access.level(blocked)) == ("read_only", "blocked")


def test_everybody_hears_of_a_change_at_once(tenant: Any, alice: Api, bob: Api) -> None:
    assert alice.get("/auth/me").status_code == 200
    trial_over(tenant)
    assert error(alice.post("/users", INVITED)) == (402, "trial_expired")
    account(tenant, trial_ends_at=timezone.now() + timedelta(days=3))
    assert alice.post("/users", INVITED).status_code == 201


def test_without_billing_nothing_is_refused(tenant: Any, alice: Api, settings: Any) -> None:
    trial_over(tenant, days=100)
    settings.BILLING_CONFIGURED = False
    assert alice.post("/users", INVITED).status_code == 201


def test_an_api_key_is_refused_like_a_person(tenant: Any, alice: Api) -> None:
    made = data(alice.post("/api-keys", {"name": "CRM", "permissions": [EVENTS_WRITE.number]}), 201)
    trial_over(tenant)
    key = Api(made["key"])
    happened = {"canonicalId": str(tenant.id), "app": "sales", "category": "engagement", "action": "opened"}
    assert error(key.post("/platform-events", happened)) == (402, "trial_expired")
    assert error(Api("ak_nobody").post("/platform-events", happened)) == (401, "api_key_invalid")
