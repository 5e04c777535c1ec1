"""Pages have sessions and forms; the API has neither and does not pay for them."""

import pytest
from django.core import checks
from django.test import Client

from platform_site.pages.middleware import STRICT_POLICY


def test_an_api_request_reads_no_session() -> None:
    # pytest-django would refuse the query that looks the session up.
    browser = Client()
    browser.cookies["sessionid"] = "x" * 32
    answer = browser.get("/api/v1/health/live")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer
    assert not hasattr(answer.wsgi_request, "session")


def test_an_api_request_needs_no_form_token() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies["csrftoken"] = "x" * 32
    assert browser.post("/api/v1/nope").status_code == 404
    assert browser.post("/api").status_code == 404


def test_an_api_answer_is_nobodys_frame() -> None:
    assert Client().get("/api/v1/health/live")["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused() -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/admin/login/", {"username": "a", "password": "b"}).status_code == 403


def test_the_admins_own_checks_find_what_they_look_for() -> None:
    assert [message for message in checks.run_checks() if "admin." in str(message.id)] == []


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/admin/login/", "/api/docs"])
def test_foreign_pages_may_load_from_here_only(address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert policy != STRICT_POLICY
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "*" not in policy
