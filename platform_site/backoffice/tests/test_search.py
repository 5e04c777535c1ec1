"""The search: a person by address, a tenant by whatever there is, and no address in the audit."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.access_tokens import verify_access_token
from accounts.directory.services import directory_rebuild_bound
from accounts.models import LinkToken, User
from accounts.services.invitations import user_invite
from accounts.services.session_records import identity_of
from accounts.staff.models import StaffAct
from accounts.staff.roles import StaffRole
from accounts.staff.tests.support import browser_of, staff_of
from billing.models import BillingAccount
from platform_site.backoffice import searching
from platform_site.binding import bind
from tenancy.models import Tenant
from tests.support import Api

PATH = "/admin/find/"


@pytest.fixture
def support(database: None) -> Client:
    return browser_of(staff_of(StaffRole.SUPPORT))


@pytest.fixture(autouse=True)
def listed(tenant: Tenant, other_tenant: Tenant) -> None:
    relist(tenant, other_tenant)


def relist(*tenants: Tenant) -> None:
    for one in tenants:
        with bind(one.ref):
            directory_rebuild_bound()


def found(browser: Client, term: str) -> Any:
    return browser.post(PATH, {"term": term}).context["found"]


def people(browser: Client, term: str) -> list[tuple[str, str, str]]:
    return [(one.tenant.slug, one.email, one.status) for one in found(browser, term).people]


def tenants(browser: Client, term: str) -> list[str]:
    return [one.slug for one in found(browser, term).tenants]


def test_a_person_is_found_by_the_whole_address(support: Client) -> None:
    assert people(support, " Admin@ACME.test ") == [("acme", "admin@acme.test", "active")]
    assert people(support, "dmin@acme.test") == []
    assert people(support, "nobody@acme.test") == []


def test_the_same_address_is_found_in_every_tenant(support: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    with bind(other_tenant.ref):
        User.objects.create(
            email="Admin@acme.test", email_key="admin@acme.test", profile_id=3, status=User.Status.INACTIVE
        )
    relist(other_tenant)
    assert sorted(people(support, "admin@acme.test")) == [
        ("acme", "admin@acme.test", "active"),
        ("globex", "Admin@acme.test", "inactive"),
    ]


def test_results_lead_to_the_tenant_and_to_the_person_in_the_lens(support: Client, tenant: Tenant, alice: Api) -> None:
    page = support.post(PATH, {"term": "admin@acme.test"}).content.decode()
    assert f'href="/admin/t/acme/accounts/user/{alice.user.id}/change/"' in page
    assert f'href="/admin/tenancy/tenant/{tenant.id}/change/"' in page


def invite(tenant: Tenant, alice: Api) -> LinkToken:
    with bind(tenant.ref):
        user = user_invite(actor=identity_of(verify_access_token(alice.token)), email="nina@acme.test")
        directory_rebuild_bound()
        return LinkToken.objects.get(user=user)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "open"),
        ({"expires_at": timezone.now() - timedelta(minutes=1)}, "expired"),
        ({"superseded_at": timezone.now()}, "replaced"),
    ],
)
def test_an_invitation_is_shown_with_its_state(
    support: Client, tenant: Tenant, alice: Api, change: dict[str, Any], state: str
) -> None:
    link = invite(tenant, alice)
    with bind(tenant.ref):
        LinkToken.objects.filter(pk=link.pk).update(**change)
    (person,) = found(support, "nina@acme.test").people
    assert (person.status, person.invitation.state) == ("pending", state)
    page = support.post(PATH, {"term": "nina@acme.test"}).content.decode()
    assert f"Invitation {state}" in page
    assert f"/do/invitation-resent/?person={person.user_id}" in page
    viewers = browser_of(staff_of(StaffRole.VIEWER)).post(PATH, {"term": "nina@acme.test"}).content.decode()
    assert "invitation-resent" not in viewers


@pytest.mark.parametrize("by", ["slug", "start", "name", "id", "schema", "customer"])
def test_a_tenant_is_found_by_what_somebody_has_at_hand(support: Client, tenant: Tenant, by: str) -> None:
    BillingAccount.objects.create(tenant=tenant, customer_id="cus_Acme1")
    Tenant.objects.filter(pk=tenant.pk).update(name="The Anvil Works")
    terms = {
        "slug": "ACME", "start": "acm", "name": "anvil", "id": str(tenant.id), "schema": tenant.schema_name,
        "customer": "cus_Acme1",
    }  # fmt: skip
    assert tenants(support, terms[by]) == ["acme"]


def test_what_is_meant_exactly_comes_first(support: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(slug="acm", name="Zed")
    assert tenants(support, "acm") == ["acm", "acme"]


@pytest.mark.parametrize("term", ["", "   ", "nothing like that", "%", "a\x00b", "x" * 5000, "'; --", "@", "a@" * 200])
def test_odd_words_find_nothing_and_break_nothing(support: Client, term: str) -> None:
    answer = support.post(PATH, {"term": term})
    assert answer.status_code == 200
    assert (answer.context["found"].people, answer.context["found"].tenants) == ([], [])


def test_no_address_is_in_the_audit(support: Client) -> None:
    support.post(PATH, {"term": "Admin@acme.test"})
    support.post(PATH, {"term": "acme"})
    acts = list(StaffAct.objects.order_by("id").values("action", "path", "data"))
    assert acts == [
        {"action": "person.searched", "path": "", "data": {"for": "A***@acme.test", "found": 1}},
        {"action": "", "path": PATH, "data": {}},
        {"action": "tenant.searched", "path": "", "data": {"for": "acme", "found": 1}},
        {"action": "", "path": PATH, "data": {}},
    ]


def test_two_addresses_at_once_are_both_masked(support: Client) -> None:
    support.post(PATH, {"term": "admin@acme.test, user@acme.test"})
    assert StaffAct.objects.get(action="person.searched").data["for"] == "a***@acme.test"


def test_a_search_in_the_address_finds_nothing(support: Client) -> None:
    page = support.get(PATH, {"term": "admin@acme.test"})
    assert page.context["found"].people == []
    assert "admin@acme.test" not in page.content.decode()


def test_only_tenants_that_the_directory_names_are_looked_into(
    support: Client, tenant: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = searching._person

    def noting(one: Tenant, *rest: Any) -> Any:
        looked.append(one.slug)
        return real(one, *rest)

    monkeypatch.setattr(searching, "_person", noting)
    people(support, "admin@globex.test")
    assert looked == ["globex"]
    with bind(tenant.ref):
        User.objects.create(email="admin@globex.test", email_key="admin@globex.test", profile_id=3, status="active")
    relist(tenant)
    looked.clear()
    monkeypatch.setattr(searching, "MOST_PEOPLE", 1)
    both = found(support, "admin@globex.test")
    assert (len(looked), both.more_people) == (1, True)


def test_the_directory_is_a_hint_and_the_tenant_has_the_word(support: Client, tenant: Tenant) -> None:
    with bind(tenant.ref):
        User.objects.filter(email_key="user@acme.test").update(email="new@acme.test", email_key="new@acme.test")
    assert people(support, "user@acme.test") == []


def test_a_tenant_that_cannot_be_read_is_named_all_the_same(support: Client, tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(schema_name="t_gone")
    (person,) = found(support, "admin@acme.test").people
    assert (person.tenant.slug, person.problem) == ("acme", "The tenant could not be read: ProgrammingError.")
    Tenant.objects.filter(pk=tenant.pk).update(status="deleted")
    (person,) = found(support, "admin@acme.test").people
    assert person.problem == "The tenant is deleted."
