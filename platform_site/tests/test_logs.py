"""Log lines carry request id, tenant and user, and never a secret."""

import io
import json
import logging
from typing import Any

import pytest
import structlog

from accounts.access_tokens import verify_access_token
from accounts.tests.impersonating import impersonating
from platform_site.logs import REDACTED, formatter, redact_text
from tests.support import COMPANY, PASSWORD, Api


@pytest.fixture
def lines() -> Any:
    """Everything that is logged during the test, as it would be written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter("json"))
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    yield lambda: stream.getvalue()
    root.setLevel(level)
    root.removeHandler(handler)


def test_a_request_leaves_one_line_that_says_who(alice: Api, lines: Any) -> None:
    alice.get("/auth/me", x_request_id="request-00001")
    (line,) = [json.loads(text) for text in lines().splitlines() if '"event": "request"' in text]
    assert line["request_id"] == "request-00001"
    assert line["tenant"] == str(alice.tenant.id)
    assert line["user"] == str(alice.user.uuid)
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/auth/me", 200)


def test_no_secret_is_in_any_line(api: Api, alice: Api, lines: Any) -> None:
    secrets = [alice.token, alice.tokens.refresh_token, PASSWORD, "wrong-canary-password"]
    alice.get("/auth/me")
    api.post("/auth/login", {"email": "admin@acme.test", "password": PASSWORD, "tenantSlug": COMPANY})
    api.post("/auth/login", {"email": "admin@acme.test", "password": secrets[3], "tenantSlug": COMPANY})
    api.post("/auth/refresh", {"refreshToken": alice.tokens.refresh_token})
    link = "vfy_" + "0" * 32 + "." + "1" * 32 + "." + "c" * 43 + "0"
    api.post(f"/auth/verify-email/{link}")
    api.get("/nothing-here", Authorization=f"Bearer {alice.token}")
    written = lines()
    assert '"event": "request"' in written
    for secret in [*secrets, link]:
        assert secret not in written


def test_a_link_of_support_is_in_no_line(api: Api, lines: Any) -> None:
    api.client.get("/impersonate/c" + "0" * 42)
    written = lines()
    assert "/impersonate/[redacted]" in written
    assert "c" + "0" * 42 not in written


def test_a_request_of_support_says_which_session_it_was(alice: Api, lines: Any) -> None:
    support = impersonating(alice)
    support.get("/auth/me")
    line = [json.loads(text) for text in lines().splitlines() if '"/api/v1/auth/me"' in text][-1]
    assert line["impersonation"] == str(verify_access_token(support.token).session_id)
    assert "nora@platform.test" not in lines()


@pytest.mark.parametrize(
    "text",
    [
        "rt_aa.bb.cc",
        "Authorization: Bearer abc.def.ghi",
        "eyJhbGciOi.eyJ0eXAi.c2ln",
        "token vfy_aa.bb.cc in a text",
        "the key ak_aa.bb.cc of a service",
        "/reset-password/rst_aa.bb.cc",
        "/accept-invitation/inv_aa.bb.cc",
    ],
)
def test_tokens_are_blotted_out_of_any_text(text: str) -> None:
    assert REDACTED in redact_text(text)
    assert not any(part in redact_text(text) for part in ("bb", "ghi", "c2ln"))


def test_values_under_secret_names_are_blotted_out(lines: Any) -> None:
    structlog.get_logger("test").warning("something", password="hunter2", nested={"api_key": "k-123", "fine": "yes"})
    (line,) = [json.loads(text) for text in lines().splitlines()]
    assert line["password"] == REDACTED
    assert line["nested"] == {"api_key": REDACTED, "fine": "yes"}


def test_a_line_break_cannot_forge_a_line(api: Api, lines: Any) -> None:
    api.get("/nothing%0a%7B%22event%22:%22forged%22%7D")
    assert all(json.loads(text) for text in lines().splitlines())
