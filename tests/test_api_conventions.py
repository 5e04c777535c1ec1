"""What holds for every path below /api/: JSON always, one envelope, problem+json on request."""

from typing import Any

import pytest

from tests.support import Api


@pytest.mark.parametrize(
    "path", ["/nothing", "/", "/auth", "/users/me/more", "/../secret", "/auth/me/%00", "/users/2%0Ak"]
)
def test_an_unknown_path_is_json(api: Api, path: str) -> None:
    response = api.get(path)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"
    assert response.json()["error"]["code"] == "not_found"


def test_so_it_is_outside_of_v1(api: Api) -> None:
    response = api.client.get("/api/v2/users")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


def test_and_with_debug_on(api: Api, settings: Any) -> None:
    settings.DEBUG = True
    assert api.get("/nothing").json()["error"]["code"] == "not_found"


def test_problem_json_says_the_same(api: Api) -> None:
    plain = api.post("/auth/login", {"email": 5})
    problem = api.post("/auth/login", {"email": 5}, accept="application/problem+json")
    assert problem["Content-Type"] == "application/problem+json"
    error, body = plain.json()["error"], problem.json()
    assert body["status"] == problem.status_code == plain.status_code == 400
    assert (body["code"], body["errors"], body["context"]) == (error["code"], error["details"], error["context"])
    assert body["instance"] == "/api/v1/auth/login"
    assert body["requestId"] == problem["X-Request-Id"]


def test_an_unknown_parameter_is_refused(api: Api) -> None:
    response = api.get("/tenants/check-slug/free?verbose=1")
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["details"][0]["field"]) == (400, "unknown_parameter", "verbose")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b'{"email": "a", "email": "b"}', 400, "malformed_json"),
        (b'{"email": "\\ud800"}', 400, "malformed_json"),
        (b'{"email": NaN}', 400, "malformed_json"),
        (b'{"email": ' + b"[" * 30 + b"]" * 30 + b"}", 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b'{"email": "\xff"}', 400, "malformed_json"),
        (b"", 400, "validation_failed"),
        (b"null", 400, "validation_failed"),
        (b'{"a": "' + b"x" * 1_100_000 + b'"}', 413, "payload_too_large"),
    ],
)
def test_a_body_that_cannot_be_read(api: Api, body: bytes, status: int, code: str) -> None:
    response = api.call("POST", "/auth/login", body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "TRACE"])
def test_other_methods_never_crash(alice: Api, method: str) -> None:
    assert alice.call(method, "/auth/me").status_code < 500


def test_cors_answers_only_the_origins_that_are_allowed(api: Api, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.test"]
    asked = {"access_control_request_method": "POST", "access_control_request_headers": "authorization"}
    allowed = api.call("OPTIONS", "/auth/login", origin="https://app.example.test", **asked)
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example.test"
    refused = api.call("OPTIONS", "/auth/login", origin="https://evil.example.test", **asked)
    assert "Access-Control-Allow-Origin" not in refused
    assert (
        "X-Request-Id"
        in api.post("/auth/login", origin="https://app.example.test")["Access-Control-Expose-Headers"].title()
    )
