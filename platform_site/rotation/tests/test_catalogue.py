"""Whatever seals, and whatever is stored under a key, is in the catalogues."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings

from platform_site.derived_values import derived_values
from platform_site.idempotency.models import IdempotencyFields
from platform_site.sealed_columns import sealed_columns

pytestmark = pytest.mark.no_django


def callers_of(name: str) -> Iterator[str]:
    """Functions of our own code that call ``platform_site.keys.<name>``, as "module.function"."""
    for path in sorted(Path(settings.BASE_DIR).glob("*/**/*.py")):
        parts = path.relative_to(settings.BASE_DIR).with_suffix("").parts
        if "tests" in parts or parts[0] in {".venv", "var", "benchmarks", "clients"}:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and _calls(function, name):
                yield ".".join((*parts, function.name))


def _calls(function: Any, name: str) -> bool:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(
        (isinstance(called, ast.Name) and called.id == name)
        or (isinstance(called, ast.Attribute) and called.attr == name)
        for called in calls
    )


def test_every_caller_of_seal_has_a_column_in_the_catalogue() -> None:
    # Seals again what is in the catalogue: when keys are replaced, and what an archive brought.
    again = {"platform_site.sealed_columns.write_sealed"}
    callers = set(callers_of("seal"))
    assert again <= callers
    assert callers - again == {column.sealed_by for column in sealed_columns}


def test_every_table_of_stored_answers_is_in_it() -> None:
    tables = {model._meta.label for model in apps.get_models() if issubclass(model, IdempotencyFields)}
    assert tables
    assert tables <= {column.model for column in sealed_columns}


def test_every_column_is_there_and_holds_bytes() -> None:
    for column in sealed_columns:
        field = apps.get_model(column.model)._meta.get_field(column.column)
        assert field.get_internal_type() == "BinaryField"


def test_every_table_that_names_a_key_is_counted() -> None:
    named = {model._meta.label for model in apps.get_models() if "key_id" in {f.name for f in model._meta.get_fields()}}
    counted = {"accounts.Session", "accounts.LinkToken", "accounts.ApiKey", "directory.DirectoryEntry"}
    assert named == counted
    assert {"accounts.sessions", "accounts.links", "accounts.api_keys", "accounts.directory"} <= {
        value.key for value in derived_values
    }
