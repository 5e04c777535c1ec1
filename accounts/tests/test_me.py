"""``GET /auth/me`` and ``/users/me``."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support import Api


def test_both_paths_give_the_same_bytes(alice: Api) -> None:
    assert alice.get("/auth/me").content == alice.get("/users/me").content


def test_a_trailing_slash_works_as_well(alice: Api) -> None:
    assert alice.get("/auth/me/").content == alice.get("/auth/me").content


def test_everybody_sees_themselves(alice: Api, bob: Api, mallory: Api) -> None:
    seen = [client.get("/auth/me").json()["data"] for client in (alice, bob, mallory)]
    assert [person["email"] for person in seen] == ["admin@acme.test", "user@acme.test", "admin@globex.test"]
    assert [person["userId"] for person in seen] == [1, 2, 1]
    assert seen[1]["profile"] == {"id": 3, "name": "Member"}


def test_nobody_is_asked_to_sign_in(api: Api) -> None:
    response = api.get("/auth/me")
    assert (response.status_code, response.json()["error"]["code"]) == (401, "not_authenticated")


def test_answers_to_signed_in_people_are_not_stored(alice: Api) -> None:
    assert alice.get("/auth/me")["Cache-Control"] == "no-store"


def test_a_warm_request_costs_one_query(alice: Api) -> None:
    alice.get("/auth/me")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert alice.get("/auth/me").status_code == 200
    statements = [query["sql"] for query in queries if not query["sql"].startswith("SET search_path")]
    assert len(statements) == 1, statements
    assert "FROM accounts_user" in statements[0]


@pytest.mark.parametrize("given", ["my-request-0001", "x", "bad id with spaces", "a" * 100])
def test_a_request_id_is_taken_when_it_can_be_one(alice: Api, given: str) -> None:
    answered = alice.get("/auth/me", x_request_id=given)["X-Request-Id"]
    assert (answered == given) == (given == "my-request-0001")
