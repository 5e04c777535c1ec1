"""Every page of the lens, for whoever may only look."""

import json
import re
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import get_script_prefix

from accounts.models import User
from accounts.staff.lens.site import site
from accounts.staff.lens.tests.world import (
    SECRET,
    addresses,
    keys_of,
    marker,
    models,
    place_of,
    quoted,
    site_addresses,
    text_of,
)
from accounts.staff.models import StaffAct, StaffUser
from accounts.staff.services import session_open
from accounts.staff.tests.support import browser_of
from platform_site.binding import bind, bound_tenant, connection
from platform_site.ids import uuid7
from platform_site.journal.models import JournalEntry
from tenancy.models import Tenant
from tenancy.org_settings.models import OrgSetting


def counts(tenant: Tenant) -> dict[str, int]:
    """Rows of every table of the tenant, but for what the tenant is told about exports."""
    with bind(tenant.ref):
        return {model._meta.label: model._default_manager.count() for model in [*models()] if model is not JournalEntry}


def test_every_kind_of_page_of_every_model_is_there_and_shows_the_tenants_own(
    browser: Client, furnished: Tenant
) -> None:
    before = counts(furnished)
    seen: dict[str, set[str]] = {}
    for model in models():
        for kind, address in addresses(furnished, model):
            answer = browser.get(address)
            assert answer.status_code == 200, (address, answer.status_code)
            text = text_of(answer)
            assert SECRET not in text, address
            if marker(furnished) in text.lower():
                seen.setdefault(kind, set()).add(model._meta.label)
    assert counts(furnished) == before
    # A page that shows nothing proves nothing.
    for kind in ("list", "detail", "csv", "json"):
        missing = {model._meta.label for model in models()} - seen[kind]
        assert missing == set(), kind
    assert {"accounts.User", "registry.Entity"} <= seen["search"]


def test_the_pages_of_the_site_itself(browser: Client, furnished: Tenant) -> None:
    for address in site_addresses(furnished):
        answer = browser.get(address)
        assert answer.status_code == 200, address
    found = browser.get(f"/admin/t/acme/search/?s={marker(furnished)}&extended=1").content.decode()
    assert "/admin/t/acme/accounts/user/" in found


def test_nothing_can_be_added_changed_or_deleted_by_a_form(browser: Client, furnished: Tenant) -> None:
    before = counts(furnished)
    for model in models():
        place, key = place_of(model, "acme"), quoted(keys_of(furnished, model)[0])
        assert browser.get(f"{place}add/").status_code == 403
        assert browser.get(f"{place}{key}/delete/").status_code == 403
        for address in (f"{place}add/", f"{place}{key}/change/", f"{place}{key}/delete/", place):
            assert browser.post(address, {"action": "delete_selected", "post": "yes"}).status_code == 403, address
    assert counts(furnished) == before


def test_ids_of_nobody_and_of_others_are_not_found(browser: Client, both: tuple[Tenant, Tenant]) -> None:
    furnished, other_tenant = both
    for model in models():
        mine, theirs = set(keys_of(furnished, model)), keys_of(other_tenant, model)
        place = place_of(model, "acme")
        for key in [*[key for key in theirs if key not in mine][:1], uuid7(), "nonsense"]:
            for page in ("change/", "history/"):
                assert browser.get(f"{place}{quoted(key)}/{page}").status_code == 404, (place, key)


def test_no_column_can_be_asked_for_that_is_no_filter(browser: Client, furnished: Tenant) -> None:
    for model, lookup in (
        ("accounts/user", "password__startswith"),
        ("accounts/user", "email__contains"),
        ("accounts/session", "current_hash__isnull"),
        ("chat/message", "content__contains"),
        ("notifications/smtpserver", "sealed_password__isnull"),
        ("accounts/linktoken", "user__password__startswith"),
    ):
        assert browser.get(f"/admin/t/acme/{model}/", {lookup: "1"}).status_code == 400, lookup
        assert browser.get(f"/admin/t/acme/{model}/export.csv", {lookup: "1"}).status_code == 400, lookup


def test_no_secret_is_among_the_columns() -> None:
    secret = re.compile(r"password$|hash|sealed|secret|key_id|payload|recovery|counter|search_text|pre_image")
    for admin in site._registry.values():
        for name in {*admin.list_display, *admin.fields, *admin.export_more}:
            assert not secret.search(name), (admin, name)


def test_an_export_is_written_down_here_and_there(browser: Client, viewer: StaffUser, furnished: Tenant) -> None:
    text_of(browser.get("/admin/t/acme/accounts/user/export.csv?status__exact=active"))
    act = StaffAct.objects.get(action="list.exported")
    assert (act.staff_id, act.tenant_id) == (viewer.pk, furnished.id)
    with bind(furnished.ref):
        entry = JournalEntry.objects.get(key="staff.acted")
    assert entry.data["type"] == "accounts.user"
    assert (entry.data["filter"], entry.impersonator) == ("status__exact=active", viewer.email)


def test_what_was_searched_for_is_not_written_down(browser: Client, furnished: Tenant) -> None:
    text_of(browser.get("/admin/t/acme/accounts/user/export.csv?q=ada@secret.test&status__exact=active"))
    assert StaffAct.objects.get(action="list.exported").data["filter"] == "q=***&status__exact=active"


def test_formulas_in_an_export_are_texts(browser: Client, furnished: Tenant) -> None:
    with bind(furnished.ref):
        User.objects.filter(email__startswith=marker(furnished)).update(
            first_name='=HYPERLINK("http://x")', last_name=""
        )
    csv = text_of(browser.get("/admin/t/acme/accounts/user/export.csv"))
    assert "'=HYPERLINK" in csv
    assert ',"=HYPERLINK' not in csv
    rows = browser.get("/admin/t/acme/accounts/user/export.json")
    assert any(row["name"].startswith("=HYPERLINK") for row in json.loads(text_of(rows)))


@pytest.mark.parametrize("status", ["provisioning", "deleted"])
def test_a_tenant_that_is_not_there_yet_or_any_more_is_not_found(browser: Client, tenant: Tenant, status: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status=status)
    assert browser.get("/admin/t/acme/").status_code == 404
    assert browser.get("/admin/t/nobody/").status_code == 404


@pytest.mark.parametrize("status", ["suspended", "pending_deletion"])
def test_a_tenant_that_is_suspended_can_be_looked_at(browser: Client, tenant: Tenant, status: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status=status)
    assert browser.get("/admin/t/acme/accounts/user/").status_code == 200


def test_whoever_is_no_staff_is_sent_to_the_sign_in_and_learns_nothing(database: None) -> None:
    stranger = Client()
    for slug in ("acme", "nobody"):
        answer = stranger.get(f"/admin/t/{slug}/accounts/user/?q=x")
        assert (answer.status_code, answer["Location"]) == (
            302,
            f"/admin/login/?next=/admin/t/{slug}/accounts/user/%3Fq%3Dx",
        )
    outsider = StaffUser.objects.create_user("x@platform.test", "x@platform.test", "p", is_staff=False)
    assert browser_of(outsider).get("/admin/t/acme/").status_code == 302


def test_an_address_without_its_last_slash_leads_to_the_one_with_it(browser: Client, tenant: Tenant) -> None:
    answer = browser.get("/admin/t/acme")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/t/acme/")


def test_the_public_admin_is_as_it_was_afterwards(browser: Client, furnished: Tenant) -> None:
    browser.get("/admin/t/acme/accounts/user/")
    page = browser.get("/admin/").content.decode()
    assert "/admin/t/acme/" not in page
    assert connection.schema_name == "public"
    assert (get_script_prefix(), bound_tenant()) == ("/", None)


def test_the_site_is_nobodys_where_no_tenant_is_in_place(viewer: StaffUser, tenant: Tenant) -> None:
    request: Any = RequestFactory().get("/admin/")
    request.user = viewer
    assert not site.has_permission(request)
    request.lens_tenant = tenant.ref
    assert not site.has_permission(request)
    with bind(tenant.ref):
        assert site.has_permission(request)


def test_a_page_is_made_of_what_its_policy_allows(browser: Client, tenant: Tenant) -> None:
    answer = browser.get("/admin/t/acme/accounts/user/")
    assert "'unsafe-eval'" in answer["Content-Security-Policy"]


def test_what_looks_like_the_api_behind_the_prefix_is_none(helper: StaffUser, tenant: Tenant) -> None:
    session_open(staff=helper, tenant_id=tenant.id, reason="x")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(helper)
    assert strict.get("/admin/t/acme/api/v1/users").status_code == 404
    # Refused for want of the form's token, which the API does not ask for.
    assert strict.post("/admin/t/acme/api/v1/users").status_code == 403


def test_a_setting_that_is_sealed_or_that_nobody_knows_any_more_only_says_that_it_is_set(
    browser: Client, furnished: Tenant
) -> None:
    with bind(furnished.ref):
        OrgSetting.objects.create(key="gone.setting", value="leftover")
    for key in ("a.sealed.one", "gone.setting"):
        page = browser.get(f"{place_of(OrgSetting, 'acme')}{quoted(key)}/change/").content.decode()
        assert "(set, not shown)" in page
        assert "leftover" not in page
