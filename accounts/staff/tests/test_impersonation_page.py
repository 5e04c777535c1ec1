"""The page on which staff ask for a link to sign in as somebody."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.staff.models import Impersonation, StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.services import session_open
from accounts.staff.tests.support import browser_of
from accounts.tests.impersonating import REASON, exchanged, staff_member
from tests.support import Api, data


def address(somebody: Api) -> str:
    return f"/admin/impersonate/{somebody.tenant.id}/{somebody.user.uuid}/"


@pytest.fixture
def nora(bob: Api) -> StaffUser:
    nora = staff_member()
    session_open(staff=nora, tenant_id=bob.tenant.id, reason=REASON)
    return nora


def test_it_asks_for_a_reason_and_makes_nothing_yet(bob: Api, nora: StaffUser) -> None:
    page = browser_of(nora).get(address(bob))
    assert page.status_code == 200
    text = page.content.decode()
    assert "user@acme.test" in text
    # The reason of the staff session is what it most likely is.
    assert REASON in text
    assert not Impersonation.objects.exists()


def test_it_shows_a_link_once(bob: Api, nora: StaffUser, settings: Any) -> None:
    settings.FRONTEND_URL = "https://app.example.com"
    browser = browser_of(nora)
    page = browser.post(address(bob), {"reason": "Ticket 4712"})
    assert page.status_code == 200
    found = re.search(r'href="https://app\.example\.com/impersonate/([\w-]{43})"', page.content.decode())
    assert found is not None
    assert "no-store" in page["Cache-Control"]
    # Without one, a browser sends the form with an origin of "null", which is nobody's.
    assert page["Referrer-Policy"] == "same-origin"
    assert 'rel="noopener noreferrer"' in page.content.decode()
    assert exchanged(found[1])["user"]["id"] == str(bob.user.uuid)
    assert Impersonation.objects.get().reason == "Ticket 4712"
    assert found[1] not in browser.get(address(bob)).content.decode()


def test_without_a_frontend_it_leads_to_the_platforms_own_page(bob: Api, nora: StaffUser, settings: Any) -> None:
    settings.FRONTEND_URL, settings.PUBLIC_URL = "", "https://platform.example.com"
    page = browser_of(nora).post(address(bob), {"reason": REASON}).content.decode()
    assert "https://platform.example.com/impersonate/" in page


def test_no_reason_is_said_on_the_page(bob: Api, nora: StaffUser) -> None:
    page = browser_of(nora).post(address(bob), {"reason": "  "})
    assert (page.status_code, "Give a reason." in page.content.decode()) == (400, True)
    assert not Impersonation.objects.exists()


def test_without_a_session_it_says_so(bob: Api) -> None:
    browser = browser_of(staff_member())
    page = browser.get(address(bob)).content.decode()
    assert "Begin a session" in page
    assert "<textarea" not in page
    assert browser.post(address(bob), {"reason": REASON}).status_code == 403
    assert not Impersonation.objects.exists()


def test_it_says_what_is_in_the_way(alice: Api, bob: Api, nora: StaffUser) -> None:
    data(alice.call("PUT", "/org-settings/support.impersonation", {"value": False}))
    page = browser_of(nora).get(address(bob)).content.decode()
    assert "does not let support sign in" in page
    assert "<textarea" not in page


def test_it_is_for_support_and_above(bob: Api, nora: StaffUser) -> None:
    viewer = browser_of(staff_member("vera", StaffRole.VIEWER))
    assert [viewer.get(address(bob)).status_code, viewer.post(address(bob)).status_code] == [403, 403]
    stranger = Client().get(address(bob))
    assert (stranger.status_code, stranger["Location"].startswith("/admin/login/")) == (302, True)
    assert not Impersonation.objects.exists()


def test_a_form_of_somebody_elses_is_refused(bob: Api, nora: StaffUser) -> None:
    assert browser_of(nora, enforce_csrf_checks=True).post(address(bob), {"reason": REASON}).status_code == 403
    assert not Impersonation.objects.exists()


def test_who_is_not_there_is_not_found(bob: Api, mallory: Api, nora: StaffUser) -> None:
    browser = browser_of(nora)
    assert browser.get(f"/admin/impersonate/{bob.tenant.id}/{mallory.user.uuid}/").status_code == 404
    assert browser.get(f"/admin/impersonate/{bob.user.uuid}/{bob.user.uuid}/").status_code == 404
