"""Every request of staff to the admin is in the staff audit, by whom, where and with what result."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts.staff.models import StaffAct, StaffUser
from accounts.staff.request_log import StaffRequestLog
from accounts.staff.roles import StaffRole
from accounts.staff.services import session_open
from accounts.staff.tests.support import STAFF_PASSWORD, browser_of, staff_of


@pytest.fixture
def viewer(db: None) -> StaffUser:
    return staff_of(StaffRole.VIEWER)


def logged() -> list[tuple[str, str, str, int | None]]:
    return list(StaffAct.objects.order_by("id").values_list("staff_email", "method", "path", "status"))


def test_each_request_is_written_down_once(viewer: StaffUser) -> None:
    browser_of(viewer).get("/admin/", HTTP_X_REQUEST_ID="request-0001")
    assert logged() == [(viewer.email, "GET", "/admin/", 200)]
    act = StaffAct.objects.get()
    assert (act.staff_id, act.request_id, act.origin) == (viewer.pk, "request-0001", "127.0.0.1")


def test_what_was_refused_and_what_is_not_there_too(viewer: StaffUser) -> None:
    browser = browser_of(viewer)
    browser.get("/admin/staff/staffuser/")
    browser.get("/admin/nothing/here/")
    assert [row[2:] for row in logged()] == [("/admin/staff/staffuser/", 403), ("/admin/nothing/here/", 404)]


def test_what_stands_behind_the_question_mark_is_not_kept(viewer: StaffUser) -> None:
    browser_of(viewer).get("/admin/tenancy/tenant/", {"q": "somebody@secret.test"})
    assert [row[2] for row in logged()] == ["/admin/tenancy/tenant/"]


def test_signing_in_and_signing_out_belong_to_the_person(viewer: StaffUser) -> None:
    browser = Client()
    browser.post("/admin/login/", {"username": viewer.email, "password": STAFF_PASSWORD})
    browser.post("/admin/logout/")
    assert [row[:3] for row in logged()] == [
        (viewer.email, "POST", "/admin/login/"),
        (viewer.email, "POST", "/admin/logout/"),
    ]


def test_strangers_other_pages_and_files_are_not_in_it(viewer: StaffUser) -> None:
    Client().get("/admin/")
    browser = browser_of(viewer)
    browser.get("/")
    browser.get("/admin/jsi18n/")
    passed(viewer, "/static/admin/css/base.css")
    browser.get("/api/v1/health")
    assert logged() == []


def test_in_the_lens_the_tenant_and_the_session_go_along(viewer: StaffUser, tenant: Any) -> None:
    support = staff_of(StaffRole.SUPPORT)
    session = session_open(staff=support, tenant_id=tenant.id, reason="Ticket 7")
    answer = passed(support, f"/admin/t/{tenant.slug}/accounts/user/", lens_tenant=tenant.ref, staff_session=session)
    act = StaffAct.objects.get(method="GET")
    assert (act.tenant_id, act.session_id, act.status) == (tenant.id, session.id, answer.status_code)


def test_a_page_about_one_tenant_names_it(viewer: StaffUser, tenant: Any) -> None:
    passed(viewer, "/admin/tenancy/tenant/", about_tenant_id=tenant.id)
    assert StaffAct.objects.get(method="GET").tenant_id == tenant.id


def passed(staff: StaffUser, path: str, **attributes: Any) -> HttpResponse:
    """The answer of a view behind the log; whatever stands in front of the view sets these on the request."""

    def answer(request: HttpRequest) -> HttpResponse:
        for name, value in attributes.items():
            setattr(request, name, value)
        return HttpResponse(status=204)

    log: Callable[[HttpRequest], HttpResponse] = StaffRequestLog(answer)
    request = RequestFactory().get(path)
    request.user = staff
    return log(request)
