"""The home page: what it says, and that it costs the same whatever there is."""

from accounts.staff.roles import StaffRole
from accounts.staff.tests.support import browser_of, staff_of
from tenancy.models import Tenant


def test_pages_answer(tenant: Tenant) -> None:
    browser = browser_of(staff_of(StaffRole.SUPERUSER))
    for path in [
        "/admin/",
        "/admin/find/",
        "/admin/tenancy/tenant/",
        f"/admin/tenancy/tenant/{tenant.id}/change/",
        "/admin/outbox/outboxrow/",
        "/admin/staff/staffact/",
        "/admin/staff/staffsession/",
        "/admin/staff/staffuser/",
        f"/admin/tenancy/tenant/{tenant.id}/do/tenant-suspended/",
    ]:
        answer = browser.get(path)
        assert answer.status_code == 200, path
    for term in ["admin@acme.test", "acm", "cus_1", str(tenant.id)]:
        answer = browser.post("/admin/find/", {"term": term})
        assert answer.status_code == 200, path
