"""``/auth/me/preferences``."""

from typing import Any

import pytest

from accounts.models import User
from accounts.preferences import effective, preference, preferences
from platform_site.binding import bind
from platform_site.catalog import DuplicateEntry
from tenancy.models import Tenant
from tests.support import Api, at_once, scaled, signed_in

PATH = "/auth/me/preferences"
DEFAULTS = {"theme": "system", "density": "comfortable", "weekStart": "monday"}


def stored(tenant: Tenant, client: Api) -> Any:
    with bind(tenant.ref):
        return User.objects.get(pk=client.user.pk).preferences


def test_it_begins_with_the_defaults(bob: Api, tenant: Tenant) -> None:
    assert bob.get(PATH).json()["data"] == DEFAULTS
    assert stored(tenant, bob) == {}


def test_nobody_is_asked_to_sign_in(api: Api) -> None:
    for method in ("GET", "PATCH", "PUT"):
        response = api.call(method, PATH, {"theme": "dark"})
        assert (response.status_code, response.json()["error"]["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_it_is_merged_key_by_key(bob: Api, method: str) -> None:
    bob.call(method, PATH, {"theme": "dark", "board": {"columns": [1, None, "x"], "deep": {"a": None}}})
    both = bob.call(method, PATH, {"weekStart": "sunday", "board_2": 5})
    expected = {
        **DEFAULTS,
        "theme": "dark",
        "weekStart": "sunday",
        # Keys and values belong to the client: nothing in them is renamed or removed.
        "board": {"columns": [1, None, "x"], "deep": {"a": None}},
        "board_2": 5,
    }
    assert both.json()["data"] == expected
    assert bob.get(PATH).json()["data"] == expected


@pytest.mark.parametrize("value", [1e20, -1e20, 1.7e308, 2**63 - 1, -(2**63)])
def test_a_large_number_can_be_kept_and_the_rest_changed_afterwards(bob: Api, value: float) -> None:
    assert bob.call("PATCH", PATH, b'{"v": {"deep": [%s]}}' % str(value).encode()).status_code == 200
    assert bob.call("PATCH", PATH, {"other": 1}).status_code == 200
    assert bob.get(PATH).json()["data"]["v"] == {"deep": [pytest.approx(value, rel=1e-15)]}


def test_null_removes_a_key(bob: Api, tenant: Tenant) -> None:
    bob.call("PATCH", PATH, {"theme": "dark", "mine": 1, "other": 2})
    response = bob.call("PATCH", PATH, {"theme": None, "mine": None, "never.there": None})
    assert response.json()["data"] == {**DEFAULTS, "other": 2}
    assert stored(tenant, bob) == {"other": 2}


@pytest.mark.parametrize("value", [True, False, 0, -1, 1.5, "", "text", "ünï", [], {}, [[1]], {"a": {"b": [None]}}])
def test_any_json_is_a_value(bob: Api, value: object) -> None:
    bob.call("PATCH", PATH, {"v": value})
    got = bob.get(PATH).json()["data"]["v"]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"theme": "purple"}, "theme"),
        ({"theme": 1}, "theme"),
        ({"theme": True}, "theme"),
        ({"theme": ["dark"]}, "theme"),
        ({"density": {"a": 1}}, "density"),
        ({"weekStart": "Monday"}, "weekStart"),
        ({"": 1}, ""),
        ({".hidden": 1}, ".hidden"),
        ({"-x": 1}, "-x"),
        ({"_x": 1}, "_x"),
        ({"a b": 1}, "a b"),
        ({"ä": 1}, "ä"),
        ({"a\n": 1}, "a\n"),
        ({"a" * 65: 1}, "a" * 65),
        ({"a/b": None}, "a/b"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(bob: Api, tenant: Tenant, body: dict[str, Any], field: str) -> None:
    response = bob.call("PATCH", PATH, {"good": 1, **body})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "validation_failed")
    assert [detail["field"] for detail in error["details"]] == [field]
    assert stored(tenant, bob) == {}


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'"x"', b"[[1, 2]]"])
def test_a_body_is_an_object(bob: Api, body: bytes) -> None:
    response = bob.call("PATCH", PATH, body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "validation_failed")


def test_the_longest_key_is_taken(bob: Api) -> None:
    assert bob.call("PATCH", PATH, {"a" * 64: 1, "0._-": 2}).status_code == 200


def test_there_are_a_hundred_keys_at_most(bob: Api) -> None:
    assert bob.call("PATCH", PATH, {f"k{number}": 1 for number in range(100)}).status_code == 200
    more = bob.call("PATCH", PATH, {"one.more": 1})
    error = more.json()["error"]
    assert (more.status_code, error["code"]) == (400, "preferences_too_large")
    assert error["context"] == {"maxKeys": 100, "maxBytes": 16384}
    assert bob.call("PATCH", PATH, {"one.more": 1, "k0": None}).status_code == 200


def test_there_are_sixteen_kibibytes_at_most(bob: Api, tenant: Tenant) -> None:
    # {"v":"…"} is eight more.
    assert bob.call("PATCH", PATH, {"v": "x" * (16384 - 8)}).status_code == 200
    for body in ({"v": "x" * (16384 - 7)}, {"w": 1}, {"v": "ü" * 8200}):
        response = bob.call("PATCH", PATH, body)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "preferences_too_large")
    assert stored(tenant, bob) == {"v": "x" * (16384 - 8)}


def test_everybody_has_their_own(alice: Api, bob: Api, mallory: Api) -> None:
    bob.call("PATCH", PATH, {"theme": "dark", "mine": 1})
    for client in (alice, mallory):
        assert client.get(PATH).json()["data"] == DEFAULTS


def test_a_choice_that_is_none_any_more_does_not_count() -> None:
    assert effective({"theme": "sepia", "mine": 1}) == {**DEFAULTS, "mine": 1}


def test_a_preference_is_declared_once_and_with_a_key_that_can_be_sent() -> None:
    with pytest.raises(DuplicateEntry):
        preference("theme", "a")
    for key, choices in (("no key", ("a",)), ("noChoices", ())):
        with pytest.raises(ValueError, match="cannot be"):
            preference(key, *choices)
    assert "no key" not in preferences


@pytest.mark.commits
def test_changes_of_different_keys_at_once_all_survive(tenant: Tenant) -> None:
    count = scaled(8, 40)
    clients = [signed_in(tenant, "user@acme.test") for _ in range(8)]

    def change(number: int) -> int:
        return clients[number % 8].call("PATCH", PATH, {f"k{number}": number}).status_code

    done = at_once(count, change)
    assert done.results == [200] * count
    assert done.most_at_once > 1
    assert stored(tenant, clients[0]) == {f"k{number}": number for number in range(count)}
