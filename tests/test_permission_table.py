"""Every route, every method, as nobody, with the right and the wrong role, and from another tenant.

A route that is not in the table fails the suite: adding an endpoint means saying
here who may call it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from platform_site.api.permissions import Public, access_of
from platform_site.api.views import ApiView
from tests.support import COMPANY, PASSWORD, Api

ANYBODY, SIGNED_IN = "anybody", "signed in"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Row:
    """``status`` is what the lowest role that may call gets with ``body``."""

    method: str
    route: str
    who: str
    status: int
    path: str = ""
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.path or self.route


SIGN_IN = {"email": "user@acme.test", "password": PASSWORD, "tenantSlug": COMPANY}
REGISTER = {
    "companyName": "Initech",
    "slug": "initech",
    "adminEmail": "a@initech.test",
    "adminPassword": "secure-password",
}

TABLE = [
    Row("POST", "/auth/login", ANYBODY, 200, body=SIGN_IN),
    Row("POST", "/auth/refresh", ANYBODY, 401, body={"refreshToken": "x"}),
    # Refused inside the view: an expired token must be able to sign out.
    Row("POST", "/auth/logout", SIGNED_IN, 200),
    Row("POST", "/auth/logout-all", SIGNED_IN, 200),
    Row("POST", "/auth/verify-email/:token", ANYBODY, 400, "/auth/verify-email/x"),
    Row("GET", "/auth/verify-email/:token", ANYBODY, 400, "/auth/verify-email/x"),
    Row("GET", "/auth/me", SIGNED_IN, 200),
    Row("GET", "/users/me", SIGNED_IN, 200),
    Row("POST", "/tenants/register", ANYBODY, 201, body=REGISTER),
    Row("GET", "/tenants/me", SIGNED_IN, 200),
    Row("GET", "/tenants/by-slug/:slug", ANYBODY, 200, "/tenants/by-slug/acme"),
    Row("GET", "/tenants/check-slug/:slug", ANYBODY, 200, "/tenants/check-slug/acme"),
    Row("GET", "/health", ANYBODY, 200),
    Row("GET", "/health/system", ANYBODY, 200),
    Row("GET", "/health/services", SIGNED_IN, 200),
    Row("GET", "/health/live", ANYBODY, 200),
    Row("GET", "/health/ready", ANYBODY, 200),
]
IDS = [f"{row.method} {row.route}" for row in TABLE]


def routes(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[tuple[str, type[ApiView]]]:
    """(path with :parameters, view class) of everything below /api/v1."""
    import re

    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        text = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, text)
        elif isinstance(pattern, URLPattern) and text.startswith("api/v1/"):
            view = getattr(pattern.callback, "cls", None)
            assert view is not None, f"{text} is not an ApiView"
            yield re.sub(r"<\w+:(\w+)>", r":\1", text.removeprefix("api/v1")), view


def test_every_route_and_method_is_in_the_table() -> None:
    there = {(method, path) for path, view in routes() for method in METHODS if hasattr(view, method.lower())}
    assert there == {(row.method, row.route) for row in TABLE}


def test_every_method_of_every_view_declares_who_may_call_it() -> None:
    for path, view in routes():
        for method in METHODS:
            if hasattr(view, method.lower()):
                assert access_of(view, method) is not None, f"{method} {path}"


def test_the_table_and_the_views_agree_on_what_is_public() -> None:
    views = dict(routes())
    for row in TABLE:
        if row.route != "/auth/logout":
            assert isinstance(access_of(views[row.route], row.method), Public) == (row.who == ANYBODY), row


@pytest.mark.parametrize("row", TABLE, ids=IDS)
def test_nobody(row: Row, api: Api) -> None:
    status = api.call(row.method, row.url, row.body).status_code
    assert status == (row.status if row.who == ANYBODY else 401)


@pytest.mark.parametrize("row", TABLE, ids=IDS)
def test_the_lowest_role_that_may(row: Row, bob: Api) -> None:
    assert bob.call(row.method, row.url, row.body).status_code == row.status


@pytest.mark.parametrize("row", TABLE, ids=IDS)
def test_an_admin_of_another_tenant_sees_nothing_of_this_one(row: Row, mallory: Api, alice: Api) -> None:
    response = mallory.call(row.method, row.url, row.body)
    assert response.status_code == row.status
    if row.who == SIGNED_IN:
        assert b"acme" not in response.content
        assert str(alice.user.uuid).encode() not in response.content


@pytest.mark.parametrize("row", TABLE, ids=IDS)
def test_a_session_that_has_ended_is_nobody(row: Row, bob: Api) -> None:
    bob.post("/auth/logout")
    status = bob.call(row.method, row.url, row.body).status_code
    # Signing out twice is fine: the second time there is nothing left to end.
    assert status == (401 if row.who == SIGNED_IN and row.route != "/auth/logout" else row.status)


@pytest.mark.parametrize("row", TABLE, ids=IDS)
def test_a_method_that_is_not_there_is_answered_with_those_that_are(row: Row, api: Api) -> None:
    view = dict(routes())[row.route]
    missing = next(method for method in METHODS if not hasattr(view, method.lower()))
    response = api.call(missing, row.url)
    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")
    assert row.method in response["Allow"]


class TestClosedByDefault:
    """A view that forgets to say who may call it is refused to everybody."""

    @pytest.fixture(autouse=True)
    def _forgetful(self, settings: Any) -> None:
        settings.ROOT_URLCONF = "tests.forgetful_urls"

    def test_nobody_gets_in(self, api: Api) -> None:
        assert api.get("/forgetful").status_code in {401, 403}

    def test_an_administrator_does_not_either(self, alice: Api) -> None:
        response = alice.get("/forgetful")
        assert (response.status_code, response.json()["error"]["code"]) == (403, "permission_denied")

    def test_a_head_needs_what_a_get_needs(self, alice: Api, bob: Api) -> None:
        assert alice.call("HEAD", "/needs-by-method").status_code == 200
        assert bob.call("HEAD", "/needs-by-method").status_code == 403
        assert bob.call("POST", "/needs-by-method").status_code == 200

    def test_a_permission_is_enforced(self, alice: Api, bob: Api) -> None:
        assert alice.get("/needs-a-permission").status_code == 200
        refused = bob.get("/needs-a-permission")
        assert (refused.status_code, refused.json()["error"]["context"]) == (403, {"permission": "users.invite"})

    def test_a_crash_is_json_and_tells_nothing(self, alice: Api) -> None:
        response = alice.get("/crashes")
        assert response.status_code == 500
        assert response.json()["error"]["code"] == "internal_error"
        assert b"hunter2" not in response.content

    def test_a_dead_database_is_503(self, alice: Api) -> None:
        response = alice.get("/database-away")
        assert (response.status_code, response.json()["error"]["code"]) == (503, "service_unavailable")
        assert response["Retry-After"] == "5"
