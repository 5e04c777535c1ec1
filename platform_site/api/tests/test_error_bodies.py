"""The error envelope and problem+json say the same."""

from typing import Any

import pytest

from platform_site.api.exceptions import render_error
from platform_site.errors import CONFLICT, FieldError, PlatformError, error_codes
from tests.support import Api

PROBLEM = "application/problem+json"

FAILURES = {
    "unknown path": ("GET", "/nowhere", None),
    "no token": ("GET", "/auth/me", None),
    "wrong method": ("DELETE", "/auth/me", None),
    "unknown parameter": ("GET", "/health?x=1", None),
    "malformed JSON": ("POST", "/auth/login", b'{"email": '),
    "missing fields": ("POST", "/auth/login", {}),
    "unknown field": ("POST", "/auth/login", {"e_mail": "x"}),
    "wrong password": ("POST", "/auth/login", {"email": "a@b.test", "password": "x", "tenantSlug": "nobody"}),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_both_bodies_carry_the_same(api: Api, failure: tuple[str, str, Any]) -> None:
    method, path, body = failure
    plain = api.call(method, path, body)
    problem = api.call(method, path, body, accept=PROBLEM)

    assert plain["Content-Type"] == "application/json"
    assert problem["Content-Type"] == PROBLEM
    assert plain.status_code == problem.status_code
    envelope, told = plain.json(), problem.json()
    assert set(envelope) == {"success", "error"}
    assert envelope["success"] is False
    error = envelope["error"]
    assert told == {
        "type": f"urn:problem:{error['code']}",
        "title": error_codes.get(error["code"]).message,
        "status": plain.status_code,
        "detail": error["message"],
        "instance": f"/api/v1{path.partition('?')[0]}",
        "code": error["code"],
        "errors": error["details"],
        "context": error["context"],
        "requestId": problem["X-Request-Id"],
    }
    assert error["requestId"] == plain["X-Request-Id"]
    assert error_codes.get(error["code"]).status == plain.status_code


def test_field_errors_name_field_code_and_message(api: Api) -> None:
    error = api.post("/auth/login", {"email": 5, "tenantSlug": "acme", "password": ""}).json()["error"]
    assert error["code"] == "validation_failed"
    assert error["details"] == [
        {"field": "email", "code": "not_text", "message": "This must be a text."},
        {"field": "password", "code": "blank", "message": "This field may not be blank."},
    ]


@pytest.mark.no_django
def test_context_and_details_are_kept_by_both(rf: Any) -> None:
    error = PlatformError(CONFLICT, "Taken.", details=[FieldError("slug", "conflict", "x")], context={"by": 5})
    plain, kind = render_error(error, rf.get("/x"))
    problem, problem_kind = render_error(error, rf.get("/x", headers={"Accept": f"{PROBLEM}, */*"}))
    assert (kind, problem_kind) == ("application/json", PROBLEM)
    assert plain["error"]["context"] == problem["context"] == {"by": 5}
    assert plain["error"]["details"] == problem["errors"] == [{"field": "slug", "code": "conflict", "message": "x"}]
