"""Every route, every method, as everybody: the policy table, cell by cell.

A route that is not in the table fails the suite: adding an endpoint means saying
in ``tests/policy.py`` who may call it.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from platform_site.api.permissions import Needs, Public, SignedIn, access_of
from platform_site.api.views import ApiView
from tests.policy import ANYBODY, PERSONAS, SIGNED_IN, TABLE, Row, World
from tests.support import Api

SIGNED_OUT = "signed out"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# They look at the token themselves: one must work when it has expired, the others take a token in the body instead.
CHECKS_ITSELF = {"/auth/logout"}

# Whose keys belong to the client, or to a mail provider.
FREE_MAPS = {"/auth/me/preferences", "/email/webhooks/:provider", "/billing/webhook"}
SMUGGLED = {"role", "status", "tenant", "tenantId", "uuid", "id", "userId", "isSuperuser", "emailVerified"}
KNOWN = {
    "POST /users": {"role"},
    "PATCH /users/:ref": {"role", "status"},
    "PUT /users/:ref": {"role", "status"},
    "POST /chat/channels/direct": {"userId"},
    "PUT /action-items/:app/:key": {"role"},
    **{f"{method} /setup-hub/tasks/:task_code": {"status"} for method in ("PATCH", "PUT", "POST")},
}


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


def test_the_table_and_the_views_agree() -> None:
    views = dict(routes())
    for row in TABLE:
        if row.route in CHECKS_ITSELF:
            continue
        rule = access_of(views[row.route], row.method)
        if row.who == ANYBODY:
            assert isinstance(rule, Public), row.name
        elif row.who == SIGNED_IN:
            assert isinstance(rule, SignedIn), row.name
        else:
            assert isinstance(rule, Needs), row.name
            assert (rule.permission.key, rule.person) == (row.who, row.person), row.name


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_everybody_is_answered_as_the_table_says(row: Row, tenant: Any, other_tenant: Any) -> None:
    world = World(tenant, other_tenant, row)
    answers = {persona: _status(world, row, persona) for persona in (*PERSONAS, SIGNED_OUT)}
    # Somebody whose session has ended is nobody. Signing out twice is fine: there is nothing left to end.
    ended = 200 if row.route == "/auth/logout" else row.expected("nobody")
    assert answers == {**{persona: row.expected(persona) for persona in PERSONAS}, SIGNED_OUT: ended}


def _status(world: World, row: Row, persona: str) -> int:
    """What this persona is answered; what the request did is undone for the next, and what was counted forgotten."""
    mark = transaction.savepoint()
    try:
        with override_settings(REDIS_PREFIX=f"test-{uuid4().hex[:12]}"):
            client = world.client("admin" if persona == SIGNED_OUT else persona)
            if persona == SIGNED_OUT:
                client.post("/auth/logout")
            response = client.call(row.method, world.fill(row.url), world.fill(row.body))
        if persona == "foreign admin" and row.who != ANYBODY:
            assert b"acme" not in response.content
            for name in world.names.values():
                assert str(name).encode() not in response.content or isinstance(name, int)
        return int(response.status_code)
    finally:
        transaction.savepoint_rollback(mark)


WRITING = [row for row in TABLE if row.method != "GET" and row.route not in FREE_MAPS]


@pytest.mark.parametrize("row", WRITING, ids=[row.name for row in WRITING])
def test_what_nobody_may_set_is_refused_in_every_body(row: Row, tenant: Any, other_tenant: Any) -> None:
    world = World(tenant, other_tenant, row)
    client = world.client("admin")
    smuggled = SMUGGLED - KNOWN.get(row.name, set())
    body = {**world.fill(row.body), **dict.fromkeys(smuggled, "x")}
    response = client.call(row.method, world.fill(row.url), body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "validation_failed"), response.content
    assert {one["field"] for one in error["details"] if one["code"] == "unknown_field"} == smuggled


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_a_method_that_is_not_there_is_answered_with_those_that_are(row: Row, api: Api) -> None:
    view = dict(routes())[row.route]
    missing = next((method for method in METHODS if not hasattr(view, method.lower())), "TRACE")
    path = row.url.format(**dict.fromkeys(_names(row.url), 1), **_IDS)
    response = api.call(missing, path)
    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")
    assert row.method in response["Allow"]


def _names(path: str) -> list[str]:
    import re

    return [name for name in re.findall(r"{(\w+)}", path) if name not in _IDS]


_IDS = dict.fromkeys(
    (
        *("session", "api_key", "notification", "suppression", "channel", "message", "item"),
        *("entity", "other_entity", "entity_link", "merge"),
    ),
    "019aaf1e-5d2c-7a31-9c0e-000000000002",
)


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
