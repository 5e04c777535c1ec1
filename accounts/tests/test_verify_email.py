"""The mailed verification link: from the sign-up to a confirmed address."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import LinkToken, User
from accounts.services.links import link_create, link_token
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from tenancy.models import Tenant
from tests.support import Api


@pytest.fixture
def token(tenant: Tenant) -> str:
    from django.db import transaction

    with bind(tenant.ref), transaction.atomic():
        return str(link_token(link_create(user=User.objects.get(pk=1), kind=LinkToken.Kind.VERIFY_EMAIL)))


def test_the_link_verifies(api: Api, alice: Api, token: str, tenant: Tenant) -> None:
    assert alice.get("/auth/me").json()["data"]["emailVerified"] is False
    response = api.post(f"/auth/verify-email/{token}")
    assert response.status_code == 200
    assert response.json()["data"] == {"verified": True, "alreadyVerified": False}
    assert alice.get("/auth/me").json()["data"]["emailVerified"] is True
    with bind(tenant.ref):
        assert JournalEntry.objects.filter(key="accounts.email_verified").count() == 1


def test_again_is_fine_and_says_so(api: Api, token: str, tenant: Tenant) -> None:
    api.post(f"/auth/verify-email/{token}")
    assert api.post(f"/auth/verify-email/{token}").json()["data"] == {"verified": True, "alreadyVerified": True}
    with bind(tenant.ref):
        assert JournalEntry.objects.filter(key="accounts.email_verified").count() == 1


def test_a_get_verifies_too(api: Api, token: str) -> None:
    assert api.get(f"/auth/verify-email/{token}").json()["data"]["verified"] is True


def test_the_newest_link_wins(api: Api, token: str, tenant: Tenant) -> None:
    from django.db import transaction

    with bind(tenant.ref), transaction.atomic():
        newer = str(link_token(link_create(user=User.objects.get(pk=1), kind=LinkToken.Kind.VERIFY_EMAIL)))
    assert api.post(f"/auth/verify-email/{token}").json()["error"]["code"] == "link_token_invalid"
    assert api.post(f"/auth/verify-email/{newer}").status_code == 200


def test_a_late_link_is_gone(api: Api, token: str, tenant: Tenant) -> None:
    with bind(tenant.ref):
        LinkToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = api.post(f"/auth/verify-email/{token}")
    assert (response.status_code, response.json()["error"]["code"]) == (410, "link_token_expired")


def test_a_link_of_one_tenant_is_unknown_in_another(api: Api, token: str, tenant: Tenant, other_tenant: Tenant) -> None:
    moved = token.replace(tenant.id.hex, other_tenant.id.hex)
    assert api.post(f"/auth/verify-email/{moved}").json()["error"]["code"] == "link_token_invalid"


@pytest.mark.parametrize("text", ["x", "vfy_a.b.c", "rt_" + "0" * 32 + "." + "0" * 32 + "." + "A" * 43, "%00", "é"])
def test_what_is_no_link(api: Api, text: str) -> None:
    response = api.post(f"/auth/verify-email/{text}")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "link_token_invalid")


def test_a_changed_secret_is_refused(api: Api, token: str) -> None:
    assert api.post(f"/auth/verify-email/{token[:-3]}AAA").json()["error"]["code"] == "link_token_invalid"


def test_a_suspended_tenants_link_waits(api: Api, token: str, tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status="suspended")
    assert api.post(f"/auth/verify-email/{token}").json()["error"]["code"] == "tenant_suspended"
