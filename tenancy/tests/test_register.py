"""``POST /tenants/register`` and the look-ups beside it."""

from typing import Any
from unittest.mock import ANY

import pytest
from django.db import connection

from accounts.models import LinkToken, Session, User
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tests.support import Api, at_once, finishes_before_kill, scaled

# The contract's own body.
BODY = {
    "companyName": "Acme Corp",
    "slug": "acme-corp",
    "adminEmail": "admin@acme.com",
    "adminPassword": "secure-password",
    "adminFirstName": "John",
    "adminLastName": "Doe",
}


def schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%%'")
        return {name for (name,) in cursor.fetchall()}


def test_the_contracts_example_works(api: Api) -> None:
    response = api.post("/tenants/register", BODY)
    assert response.status_code == 201
    data = response.json()["data"]
    assert data == {
        "tenant": {
            "id": ANY,
            "name": "Acme Corp",
            "slug": "acme-corp",
            "status": "active",
            "plan": "trial",
            "timezone": "UTC",
            "locale": "en",
            "logoUrl": None,
            "createdAt": ANY,
        },
        "user": ANY,
        "emailVerificationRequired": False,
        "accessToken": ANY,
        "refreshToken": ANY,
        "expiresIn": 600,
    }
    assert data["user"]["role"] == "tenant_admin"
    assert data["user"]["userId"] == 1
    admin = Api(token=data["accessToken"])
    assert admin.get("/auth/me").json()["data"] == {
        **data["user"],
        "lastSignInAt": ANY,
        "impersonatedBy": None,
    }
    assert admin.get("/tenants/me").json()["data"] == data["tenant"]
    signed_in = api.post(
        "/auth/login", {"email": "admin@acme.com", "password": "secure-password", "tenantSlug": "acme-corp"}
    )
    assert signed_in.status_code == 200


def test_it_leaves_a_whole_tenant(api: Api) -> None:
    api.post("/tenants/register", BODY)
    tenant = Tenant.objects.get(slug="acme-corp")
    assert tenant.schema_name.startswith("t_")
    assert "acme" not in tenant.schema_name
    with bind(tenant.ref):
        assert set(JournalEntry.objects.values_list("key", flat=True)) == {
            "tenancy.tenant_registered",
            "accounts.user_registered",
        }
        assert (User.objects.count(), Session.objects.count(), LinkToken.objects.count()) == (1, 1, 1)
    # The mail with the link, and the row in the directory.
    assert OutboxRow.objects.filter(tenant_id=tenant.id).count() == 2


def test_no_tokens_when_the_address_must_be_verified_first(api: Api, settings: Any) -> None:
    settings.REQUIRE_VERIFIED_EMAIL = True
    data = api.post("/tenants/register", BODY).json()["data"]
    assert data["emailVerificationRequired"] is True
    assert "accessToken" not in data


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"slug": "acme"}, 409, "slug_taken", "slug"),
        ({"slug": "ACME"}, 409, "slug_taken", "slug"),
        ({"slug": "ab"}, 400, "slug_invalid", "slug"),
        ({"slug": "a--b"}, 400, "slug_invalid", "slug"),
        ({"slug": "-abc"}, 400, "slug_invalid", "slug"),
        ({"slug": "12345"}, 400, "slug_invalid", "slug"),
        ({"slug": "xn--abc"}, 400, "slug_invalid", "slug"),
        ({"slug": "a b c"}, 400, "slug_invalid", "slug"),
        ({"slug": "ünïcode"}, 400, "slug_invalid", "slug"),
        ({"slug": 'a"; drop schema public'}, 400, "slug_invalid", "slug"),
        ({"slug": "admin"}, 400, "slug_reserved", "slug"),
        ({"slug": "apis"}, 400, "slug_reserved", "slug"),
        ({"adminPassword": "short"}, 400, "password_too_short", "adminPassword"),
        ({"adminPassword": "password123"}, 400, "password_common", "adminPassword"),
        ({"adminPassword": "acme-corp1"}, 400, "password_contains_context", "adminPassword"),
        ({"adminEmail": "no address"}, 400, "validation_failed", "adminEmail"),
        ({"companyName": "   "}, 400, "validation_failed", "companyName"),
        ({"companyName": "a\u0000b"}, 400, "malformed_json", None),
        ({"isSuperuser": True}, 400, "validation_failed", "isSuperuser"),
    ],
)
def test_bad_input_is_named(api: Api, change: dict[str, object], status: int, code: str, field: str | None) -> None:
    before = schemas()
    response = api.post("/tenants/register", {**BODY, **change})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code)
    assert [detail["field"] for detail in error["details"]] == ([field] if field else [])
    assert schemas() == before


def test_five_an_hour_from_one_address(api: Api) -> None:
    codes = [api.post("/tenants/register", {**BODY, "slug": f"company-{n}"}).status_code for n in range(6)]
    assert codes == [201] * 5 + [429]


def test_the_same_address_may_own_several_tenants(api: Api) -> None:
    assert api.post("/tenants/register", BODY).status_code == 201
    assert api.post("/tenants/register", {**BODY, "slug": "acme-second"}).status_code == 201


@pytest.mark.commits
def test_fifty_registrations_of_one_slug_give_one_tenant(database: None) -> None:
    before = len(schemas())
    clients = [Api() for _ in range(50)]
    tried = at_once(50, lambda n: clients[n].post("/tenants/register", BODY).status_code)
    assert tried.most_at_once > 5
    assert sorted(tried.results) == [201] + [409] * 49
    assert len(schemas()) == before + 1


SIGN_UP = """
    from tenancy.registration import tenant_register
    tenant_register(
        company_name="Killed",
        slug="killed-corp",
        admin_email="a@killed.test",
        admin_password="secure-password",
    )
"""


@pytest.mark.commits
@pytest.mark.timeout(900)
def test_kill_9_at_each_step_leaves_no_orphan_and_the_slug_free(database: None, committed: str) -> None:
    from tenancy.provisioning.reaper import reap

    before, step = schemas(), 0
    while not finishes_before_kill(SIGN_UP, statement=step, database=committed):
        step += scaled(5, 1)
        reap()
        assert schemas() == before
        assert not Tenant.objects.filter(slug="killed-corp").exists()
    assert step >= 20
    # The one that got to its end is there; the killed ones before it left the slug to it.
    assert len(schemas()) == len(before) + 1
    assert Tenant.objects.filter(slug="killed-corp", status="active").exists()


class TestLookUps:
    def test_a_sign_in_page_learns_the_name_and_no_more(self, api: Api, tenant: Tenant) -> None:
        response = api.get("/tenants/by-slug/Acme")
        assert response.json()["data"] == {
            "name": "Acme Corp",
            "slug": "acme",
            "logoUrl": None,
            "colors": {},
            "ssoEnabled": False,
            "loginEnabled": True,
        }
        assert response["Cache-Control"] == "public, max-age=60"

    @pytest.mark.parametrize("slug", ["no-such", "a b", "%00", "x" * 500])
    def test_an_unknown_slug_is_not_found(self, api: Api, slug: str) -> None:
        assert api.get(f"/tenants/by-slug/{slug}").status_code == 404

    @pytest.mark.parametrize(
        ("slug", "available", "reason"),
        [
            ("free-name", True, None),
            ("acme", False, "taken"),
            ("ACME", False, "taken"),
            ("admin", False, "reserved"),
            ("api", False, "reserved"),
            ("a", False, "invalid"),
            ("%00", False, "invalid"),
            ("x" * 300, False, "invalid"),
        ],
    )
    def test_check_slug_always_answers(
        self, api: Api, database: None, slug: str, available: bool, reason: str | None
    ) -> None:
        response = api.get(f"/tenants/check-slug/{slug}")
        data = response.json()["data"]
        assert (response.status_code, data["available"], data["reason"]) == (200, available, reason)

    def test_suggestions_are_free(self, api: Api, tenant: Tenant) -> None:
        suggestions = api.get("/tenants/check-slug/acme").json()["data"]["suggestions"]
        assert len(suggestions) == 3
        for slug in suggestions:
            assert api.get(f"/tenants/check-slug/{slug}").json()["data"]["available"] is True

    def test_a_suspended_tenants_page_says_no(self, api: Api, tenant: Tenant) -> None:
        Tenant.objects.filter(pk=tenant.pk).update(status="suspended")
        assert api.get("/tenants/by-slug/acme").json()["data"]["loginEnabled"] is False

    def test_everybody_in_a_tenant_sees_it(self, bob: Api, mallory: Api) -> None:
        assert bob.get("/tenants/me").json()["data"]["slug"] == "acme"
        assert mallory.get("/tenants/me").json()["data"]["slug"] == "globex"
