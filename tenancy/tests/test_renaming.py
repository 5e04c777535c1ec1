"""Another slug: the former one leads to the tenant for a while and is nobody else's."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from platform_site.binding import bind
from platform_site.errors import CONFLICT, PlatformError
from platform_site.journal.models import JournalEntry
from tenancy import errors, registration
from tenancy.models import FormerSlug, Tenant
from tenancy.registration import tenant_register
from tenancy.renaming import tenant_rename
from tenancy.slugs import slug_check
from tests.rows import row_counts
from tests.support import PASSWORD, Api, at_once, data, error


def rename(tenant: Tenant, slug: str, **given: Any) -> Tenant:
    return tenant_rename(tenant_id=tenant.id, slug=slug, **given)


def sign_in(api: Api, slug: str, password: str = PASSWORD) -> Any:
    return api.post("/auth/login", {"email": "admin@acme.test", "password": password, "tenantSlug": slug})


def refused_slug(tenant: Tenant, slug: str) -> str:
    with pytest.raises(PlatformError) as refused:
        rename(tenant, slug)
    return refused.value.code.key


def time_is_over() -> None:
    FormerSlug.objects.update(until=timezone.now() - timedelta(seconds=1))


def test_people_stay_signed_in_and_see_the_new_slug_at_once(alice: Api, tenant: Tenant) -> None:
    assert alice.get("/tenants/me").json()["data"]["slug"] == "acme"
    rename(tenant, " Apex ", name="Apex Inc")
    me = data(alice.get("/tenants/me"))
    assert (me["slug"], me["name"]) == ("apex", "Apex Inc")


def test_session_records_with_the_old_slug_are_forgotten(
    alice: Api, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.get("/tenants/me")
    forgotten: list[Any] = []
    monkeypatch.setattr("tenancy.renaming.forget_tenant", forgotten.append)
    rename(tenant, "apex")
    assert forgotten == [tenant.id]


def test_both_slugs_work_for_signing_in_until_the_time_is_over(api: Api, tenant: Tenant) -> None:
    rename(tenant, "apex")
    assert data(sign_in(api, "apex"))["tenant"]["slug"] == "apex"
    assert data(sign_in(api, "acme"))["tenant"]["slug"] == "apex"
    assert data(api.get("/tenants/by-slug/acme"))["slug"] == "apex"
    time_is_over()
    assert error(sign_in(api, "acme")) == (401, "invalid_credentials")
    assert api.get("/tenants/by-slug/acme").status_code == 404


def test_the_former_slug_is_no_second_allowance_of_attempts(api: Api, tenant: Tenant) -> None:
    rename(tenant, "apex")
    answers = [sign_in(Api(), ("apex", "acme")[turn % 2], "wrong-password").status_code for turn in range(40)]
    alone = [sign_in(Api(), "nobody-here", "wrong-password").status_code for _ in range(40)]
    assert answers.count(401) == alone.count(401) < 40


def test_a_forgotten_password_is_asked_for_under_the_former_slug(api: Api, tenant: Tenant) -> None:
    from django.core import mail

    from platform_site.outbox.dispatcher import drain

    rename(tenant, "apex")
    assert api.post("/auth/password/forgot", {"email": "admin@acme.test", "tenantSlug": "acme"}).status_code == 202
    drain()
    assert [message.to for message in mail.outbox] == [["admin@acme.test"]]


def test_nobody_else_gets_the_former_slug_and_the_tenant_may_have_it_back(tenant: Tenant, other_tenant: Tenant) -> None:
    rename(tenant, "apex")
    assert slug_check("acme").reason == "taken"
    assert refused_slug(other_tenant, "acme") == "slug_taken"
    with pytest.raises(PlatformError) as refused:
        tenant_register(company_name="x", slug="acme", admin_email="a@new.test", admin_password=PASSWORD)
    assert refused.value.code is errors.SLUG_TAKEN
    assert rename(tenant, "acme").slug == "acme"
    assert list(FormerSlug.objects.values_list("slug", flat=True)) == ["apex"]
    time_is_over()
    assert rename(other_tenant, "apex").slug == "apex"


def test_suggestions_leave_former_slugs_out(tenant: Tenant) -> None:
    rename(tenant, "acme-team")
    rename(tenant, "acme")
    assert "acme-team" not in slug_check("acme").suggestions


@pytest.mark.parametrize(
    ("slug", "code"),
    [("globex", "slug_taken"), ("admin", "slug_reserved"), ("a", "slug_invalid"), ("no spaces", "slug_invalid")],
)
def test_a_slug_is_checked_as_at_sign_up(tenant: Tenant, slug: str, code: str) -> None:
    assert refused_slug(tenant, slug) == code
    assert Tenant.objects.get(pk=tenant.pk).slug == "acme"
    assert not FormerSlug.objects.exists()


def test_the_same_again_changes_nothing(tenant: Tenant) -> None:
    rename(tenant, "acme")
    with bind(tenant.ref):
        assert not JournalEntry.objects.filter(key="tenancy.tenant_renamed").exists()


def test_the_journal_tells_before_and_after(tenant: Tenant) -> None:
    rename(tenant, "apex", actor="staff@platform.test")
    with bind(tenant.ref):
        entry = JournalEntry.objects.get(key="tenancy.tenant_renamed")
    assert (entry.data["before"]["slug"], entry.data["after"]["slug"]) == ("acme", "apex")
    assert entry.data["by"] == "staff@platform.test"


@pytest.mark.parametrize("status", ["provisioning", "pending_deletion", "deleted"])
def test_only_one_that_is_there_to_stay_is_renamed(tenant: Tenant, status: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status=status)
    with pytest.raises(PlatformError) as refused:
        rename(tenant, "apex")
    assert refused.value.code is CONFLICT


@pytest.mark.commits
def test_two_who_want_one_slug(tenant: Tenant, other_tenant: Tenant) -> None:
    def take(number: int) -> str:
        try:
            return rename((tenant, other_tenant)[number], "apex").slug
        except PlatformError as refused:
            return refused.code.key

    assert sorted(at_once(2, take).results) == ["apex", "slug_taken"]


@pytest.mark.commits
def test_a_slug_given_up_while_a_sign_up_is_under_way_is_not_taken_by_it(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign-up has looked, then the tenant is renamed, then the sign-up writes."""
    monkeypatch.setattr(registration, "_refuse_taken", lambda slug: rename(tenant, "apex"))
    with pytest.raises(PlatformError) as refused:
        tenant_register(company_name="x", slug="acme", admin_email="a@new.test", admin_password=PASSWORD)
    assert refused.value.code is errors.SLUG_TAKEN
    assert not Tenant.objects.filter(slug="acme").exists()


@pytest.mark.commits
def test_a_slug_given_up_while_another_is_renamed_is_not_taken_by_that_one(
    tenant: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = iter([True])

    def looked(slug: str, **_: Any) -> bool:
        if next(turns, False):
            rename(tenant, "apex")
        return False

    monkeypatch.setattr("tenancy.renaming.slug_is_taken", looked)
    assert refused_slug(other_tenant, "acme") == "slug_taken"


@pytest.mark.commits
@pytest.mark.timeout(120)
def test_the_command_and_its_exit_codes(manage: Any, tenant: Tenant) -> None:
    before = row_counts()
    dry = manage("tenant_rename", "acme", "--slug", "apex", "--json", "--dry-run")
    assert (dry.returncode, json.loads(dry.stdout)["slug"]) == (0, "apex")
    assert (row_counts(), Tenant.objects.get(pk=tenant.pk).slug) == (before, "acme")
    assert manage("tenant_rename", "acme", "--slug", "globex").returncode == 1
    assert manage("tenant_rename", "acme").returncode == 2
    assert manage("tenant_rename", "nobody", "--slug", "apex").returncode == 2
    done = manage("tenant_rename", "acme", "--slug", "apex", "--name", "Apex")
    assert (done.returncode, done.stdout) == (0, "The tenant is called 'Apex' and found as apex.\n")
