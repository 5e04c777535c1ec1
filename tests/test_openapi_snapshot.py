"""The OpenAPI document is committed, complete, and says who needs no token."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.validation import validate_schema

from platform_site.api.docs import operation_of
from platform_site.api.schema import BearerScheme
from tests.test_permission_table import METHODS, routes

pytestmark = pytest.mark.no_django

SNAPSHOT = Path(__file__).parents[1] / "docs" / "openapi.json"
# By hand: a view that loses its authentication must turn this red, and the
# document, which is made from the same view, would only follow it.
PUBLIC = {
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/impersonate",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/mfa/enroll",
    "POST /api/v1/auth/mfa/enroll/confirm",
    "POST /api/v1/auth/mfa/verify",
    "POST /api/v1/auth/password/forgot",
    "POST /api/v1/auth/password/reset",
    "POST /api/v1/auth/resend-verification",
    "POST /api/v1/auth/workspaces/forgot",
    "POST /api/v1/users/accept-invitation",
    "GET /api/v1/auth/verify-email/{token}",
    "POST /api/v1/auth/verify-email/{token}",
    "GET /api/v1/notifications/unsubscribe/{token}",
    "POST /api/v1/notifications/unsubscribe/{token}",
    "POST /api/v1/email/webhooks/{provider}",
    "GET /api/v1/billing/plans",
    "POST /api/v1/billing/webhook",
    "POST /api/v1/tenants/register",
    "GET /api/v1/tenants/by-slug/{slug}",
    "GET /api/v1/tenants/check-slug/{slug}",
    "GET /api/v1/health",
    "GET /api/v1/health/system",
    "GET /api/v1/health/live",
    "GET /api/v1/health/ready",
}


@pytest.fixture(scope="module")
def document() -> Any:
    with GENERATOR_STATS.silence():
        made = SchemaGenerator().get_schema(request=None, public=True)
        complaints = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
    assert complaints == []
    validate_schema(made)
    return json.loads(OpenApiJsonRenderer().render(made, renderer_context={}))


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_committed_document_is_the_generated_one(document: Any) -> None:
    assert SNAPSHOT.exists(), "docs/openapi.json is missing: run `make openapi` and commit it."
    committed = json.loads(SNAPSHOT.read_text())
    assert committed == document, "The API changed: run `make openapi`, read the diff of docs/openapi.json, commit it."


def test_every_operation_has_a_name_a_summary_an_example_and_an_error(document: Any) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["tags"], name
        assert any(status.startswith("4") for status in operation["responses"]), name
        for status, response in operation["responses"].items():
            if status.startswith("2") and status != "204":
                assert response["content"]["application/json"]["examples"], name
        for body in operation.get("requestBody", {}).get("content", {}).values():
            assert body.get("examples"), f"{name} has no example of its body"


def test_every_example_fits_its_schema(document: Any) -> None:
    def check(where: str, media: Any) -> None:
        schema = {**media["schema"], "components": document["components"]}
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        for example in media.get("examples", {}).values():
            problems = [error.message for error in validator.iter_errors(example["value"])]
            assert problems == [], where

    for name, operation in operations(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            check(f"{name} body", media)
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                check(f"{name} {status}", media)


def test_only_these_operations_need_no_token(document: Any) -> None:
    assert {name for name, operation in operations(document) if "security" not in operation} == PUBLIC
    for _, operation in operations(document):
        assert operation.get("security", [{BearerScheme.name: []}]) == [{BearerScheme.name: []}]


def test_the_document_names_the_query_parameters_that_the_view_takes() -> None:
    for path, view in routes():
        for method in METHODS:
            described = operation_of(view, method)
            if described is None:
                continue
            documented = {parameter.name for parameter in described.parameters if parameter.location == "query"}
            documented |= {"page": {"page", "limit"}, "cursor": {"cursor", "limit"}}.get(described.listed or "", set())
            assert documented == set(view.parameters.get(method, ())), f"{method} {path}"
