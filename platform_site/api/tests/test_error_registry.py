"""One registry of error codes: what the source uses is in it, and what is in it is well-formed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rest_framework import serializers

from platform_site.api.schema import SIGNED_IN
from platform_site.api.serializers import Shape
from platform_site.errors import ErrorCode, error_codes

pytestmark = pytest.mark.no_django

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = (
    "platform_site", "tenancy", "accounts", "events", "billing", "chat", "registry", "notifications", "setup_hub",
)  # fmt: skip
STATUSES = {400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 422, 429, 500, 502, 503}
# Codes of DRF's fields that no JSON value can bring about here, each with what stands before it.
UNREACHABLE = {
    "max_string_length",  # Whole refuses every text.
    "overflow",  # Moment finds it first and says invalid.
    "date",  # A date is no JSON value.
    "datetime",  # Nor is a moment.
    "make_aware",  # Moment refuses naive times.
}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "tests" not in path.parts and "migrations" not in path.parts:
                yield path, ast.parse(path.read_text())


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a function of one of these names, with its place."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                function = node.func
                name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if name in names:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    return named.get(name) or (call.args[position] if len(call.args) > position else None)


def shapes(parent: type[Any] = Shape) -> Iterator[type[Shape]]:
    for shape in parent.__subclasses__():
        yield shape
        yield from shapes(shape)


def fields(owner: Any) -> Iterator[Any]:
    for field in owner.fields.values() if isinstance(owner, serializers.Serializer) else [owner]:
        yield field
        child = getattr(field, "child", None)
        if isinstance(field, serializers.Serializer):
            yield from fields(field)
        elif child is not None:
            yield from fields(child)


def test_the_registry_is_filled() -> None:
    assert len(error_codes) > 30


def test_every_code_is_lower_snake_case_with_a_status_of_the_conventions_and_a_sentence() -> None:
    for code in error_codes:
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", code.key), code
        assert code.status in STATUSES, code
        assert code.message.endswith("."), code


def test_codes_are_declared_in_one_way_only() -> None:
    made = [place for place, _ in calls("ErrorCode")]
    assert [place.partition(":")[0] for place in made] == ["platform_site/errors.py"]


def test_every_declared_code_is_loaded() -> None:
    """A declaration in a module that nobody imports would leave a hole."""
    for place, call in calls("error_code"):
        key = literal(argument(call, 0, "key"))
        assert key is None or key in error_codes, f"{place} declares {key!r}, which is not in the registry"


def test_errors_are_raised_with_a_code_of_the_registry() -> None:
    for place, call in calls("PlatformError", "invalid_field"):
        for given in (*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "code")):
            assert not isinstance(given, ast.Call) or getattr(given.func, "id", "") != "ErrorCode", place
    for place, call in calls("PlatformError"):
        assert literal(argument(call, 0, "code")) is None, f"{place} raises a text instead of a code"


def test_every_detail_code_is_in_the_registry() -> None:
    for place, call in calls("FieldError", "ErrorDetail"):
        code = literal(argument(call, 1, "code"))
        assert code is None or code in error_codes, f"{place} uses {code!r}"
    for place, call in calls("ValidationError"):
        code = literal(argument(call, 1, "code"))
        assert code is None or code in error_codes, f"{place} uses {code!r}"


def test_whatever_a_field_can_complain_about_is_in_the_registry() -> None:
    from django.urls import get_resolver

    # Brings in every view, and with it every shape.
    assert get_resolver().url_patterns
    for shape in shapes():
        for field in fields(shape()):
            codes = set(field.error_messages) | {getattr(v, "code", "invalid") for v in field.validators}
            codes -= UNREACHABLE | {"null_characters_not_allowed", "surrogate_characters_not_allowed"}
            missing = {code for code in codes if code not in error_codes}
            assert not missing, f"{shape.__name__}.{field.field_name}: {missing}"


@pytest.mark.parametrize("key", SIGNED_IN)
def test_what_the_document_says_of_tokens_exists(key: str) -> None:
    assert isinstance(error_codes.get(key), ErrorCode)
