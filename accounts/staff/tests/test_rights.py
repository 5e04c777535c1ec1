"""Which role sees what of the admin: every page, every role."""

from collections.abc import Callable

import pytest
from django.contrib import admin

from accounts.staff.models import StaffAct
from accounts.staff.options import RoleAdmin
from accounts.staff.roles import StaffRole
from accounts.staff.services import session_open
from accounts.staff.tests.support import browser_of, staff_of
from platform_site.ids import uuid7
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant

VIEWER, SUPPORT, OPERATOR, SUPERUSER = StaffRole

# Each page, and the lowest role that gets it.
PAGES = {
    "/admin/": VIEWER,
    "/admin/find/": VIEWER,
    "/admin/tenancy/": VIEWER,
    "/admin/tenancy/tenant/": VIEWER,
    "/admin/tenancy/tenant/{tenant}/change/": VIEWER,
    "/admin/tenancy/tenant/{tenant}/do/invitation-resent/": SUPPORT,
    "/admin/tenancy/tenant/{tenant}/do/outbox-redriven/": SUPPORT,
    "/admin/tenancy/tenant/{tenant}/do/mail-tested/": SUPPORT,
    "/admin/tenancy/tenant/{tenant}/do/billing-grace-extended/": OPERATOR,
    "/admin/tenancy/tenant/{tenant}/do/billing-comped/": OPERATOR,
    "/admin/tenancy/tenant/{tenant}/do/tenant-suspended/": OPERATOR,
    "/admin/tenancy/tenant/{tenant}/do/tenant-reactivated/": OPERATOR,
    "/admin/outbox/outboxrow/": VIEWER,
    "/admin/outbox/outboxrow/{row}/change/": VIEWER,
    "/admin/outbox/outboxrow/retry/?rows={row}": SUPPORT,
    "/admin/staff/": VIEWER,
    "/admin/staff/staffact/": VIEWER,
    "/admin/staff/staffact/{act}/change/": VIEWER,
    "/admin/staff/staffsession/": VIEWER,
    "/admin/staff/staffsession/{session}/change/": VIEWER,
    "/admin/staff/staffuser/": SUPERUSER,
    "/admin/staff/staffuser/add/": SUPERUSER,
    "/admin/staff/staffuser/{staff}/change/": SUPERUSER,
    "/admin/staff/staffuser/{staff}/password/": SUPERUSER,
}
# Nobody adds, deletes or writes these, and nobody has Django's own history of them.
NOBODY = [
    "/admin/tenancy/tenant/add/",
    "/admin/tenancy/tenant/{tenant}/delete/",
    "/admin/tenancy/tenant/{tenant}/history/",
    "/admin/outbox/outboxrow/add/",
    "/admin/outbox/outboxrow/{row}/delete/",
    "/admin/staff/staffact/add/",
    "/admin/staff/staffact/{act}/delete/",
    "/admin/staff/staffsession/add/",
    "/admin/staff/staffsession/{session}/delete/",
    "/admin/staff/staffuser/{staff}/delete/",
    "/admin/staff/staffuser/{staff}/history/",
]


@pytest.fixture
def filled(tenant: Tenant) -> Callable[[str], str]:
    """Fills the ids of rows that are there into a path."""
    staff = staff_of(SUPPORT, "somebody")
    ids = {
        "tenant": tenant.id,
        "staff": staff.pk,
        "session": session_open(staff=staff, tenant_id=tenant.id, reason="Ticket 7").id,
        "act": StaffAct.objects.filter(action="session.opened").values_list("id", flat=True).get(),
        "row": OutboxRow.objects.create(
            tenant_id=tenant.id, entry_id=uuid7(), key="k", reaction="r", state="dead"
        ).id,
    }  # fmt: skip
    return lambda path: path.format(**ids)


@pytest.mark.parametrize("role", list(StaffRole))
def test_each_page_by_role(filled: Callable[[str], str], role: StaffRole) -> None:
    browser = browser_of(staff_of(role))
    found = {path: browser.get(filled(path)).status_code for path in PAGES}
    assert found == {path: 200 if role.reaches(needed) else 403 for path, needed in PAGES.items()}


def test_some_pages_are_nobodys(filled: Callable[[str], str]) -> None:
    browser = browser_of(staff_of(SUPERUSER))
    found = {path: browser.get(filled(path)).status_code for path in NOBODY}
    assert found == dict.fromkeys(NOBODY, 403)


def test_nothing_is_written_by_a_form_of_djangos(filled: Callable[[str], str]) -> None:
    browser = browser_of(staff_of(SUPERUSER))
    for path in (
        "tenancy/tenant/{tenant}",
        "outbox/outboxrow/{row}",
        "staff/staffact/{act}",
        "staff/staffsession/{session}",
    ):
        assert browser.post(filled(f"/admin/{path}/change/"), {"name": "Mine"}).status_code == 403, path


def test_an_account_that_is_switched_off_sees_nothing(filled: Callable[[str], str]) -> None:
    staff = staff_of(SUPERUSER)
    browser = browser_of(staff)
    assert browser.get("/admin/").status_code == 200
    staff.is_active = False
    staff.save()
    assert browser.get("/admin/").status_code == 302


def test_a_role_counts_from_the_next_request_on(filled: Callable[[str], str]) -> None:
    staff = staff_of(SUPERUSER)
    browser = browser_of(staff)
    assert browser.get("/admin/staff/staffuser/").status_code == 200
    staff.role = SUPPORT
    staff.save()
    assert browser.get("/admin/staff/staffuser/").status_code == 403


def test_everything_in_the_admin_goes_by_role() -> None:
    assert [model for model, shown in admin.site._registry.items() if not isinstance(shown, RoleAdmin)] == []


def test_pages_of_one_tenant_name_it_in_the_audit(filled: Callable[[str], str], tenant: Tenant) -> None:
    browser = browser_of(staff_of(OPERATOR))
    for path in ("change/", "do/tenant-suspended/"):
        browser.get(f"/admin/tenancy/tenant/{tenant.id}/{path}")
    found = StaffAct.objects.filter(method="GET").values_list("tenant_id", flat=True)
    assert list(found) == [tenant.id, tenant.id]


def test_what_a_role_may_not_do_is_not_offered(filled: Callable[[str], str], tenant: Tenant) -> None:
    for role, offered in ((VIEWER, []), (SUPPORT, ["mail-tested"]), (OPERATOR, ["mail-tested", "tenant-suspended"])):
        page = browser_of(staff_of(role)).get(f"/admin/tenancy/tenant/{tenant.id}/change/").content.decode()
        shown = [name for name in ("mail-tested", "tenant-suspended", "tenant-reactivated") if f"/do/{name}/" in page]
        assert shown == offered
