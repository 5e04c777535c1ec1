"""What Stripe says about its own API: an extract of its OpenAPI description, kept beside this file."""

import functools
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing.local_stripe.differences import amend_input, amend_schema

Json = dict[str, Any]

FILE = Path(__file__).with_name("description.json.gz")
_PREFIX = "#/components/schemas/"


@dataclass(frozen=True)
class Operation:
    """One method of one path. `input` is an object schema for the query or the form."""

    method: str  # "GET", "POST" or "DELETE"
    path: str  # as Stripe writes it, such as "/v1/customers/{customer}"
    input: Json
    answer: Json

    def match(self, path: str) -> dict[str, str] | None:
        """The values of the path's parameters, or None when this is another path."""
        wanted, given = self.path.split("/"), path.split("/")
        if len(wanted) != len(given):
            return None
        values = {}
        for pattern, part in zip(wanted, given, strict=True):
            if pattern.startswith("{"):
                values[pattern[1:-1]] = part
            elif pattern != part:
                return None
        return values


@functools.cache
def load() -> Json:
    description: Json = json.loads(gzip.decompress(FILE.read_bytes()))
    schemas = description["components"]["schemas"]
    description["components"]["schemas"] = {name: amend_schema(name, schema) for name, schema in schemas.items()}
    return description


@functools.cache
def operations() -> tuple[Operation, ...]:
    """All of them; a path without parameters stands before one that would also match it."""
    found = [
        Operation(
            method=method.upper(),
            path=path,
            input=_input(f"{method.upper()} {path}", operation),
            answer=operation["answer"],
        )
        for path, methods in load()["paths"].items()
        for method, operation in methods.items()
    ]
    return tuple(sorted(found, key=lambda each: (each.path.count("{"), each.path)))


def operation_for(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation that a request names, and the values of its path's parameters."""
    for operation in operations():
        values = operation.match(path) if operation.method == method else None
        if values is not None:
            return operation, values
    return None


def resolve(schema: Json) -> Json:
    """The schema itself where it is only a reference."""
    while "$ref" in schema:
        schema = load()["components"]["schemas"][schema["$ref"].removeprefix(_PREFIX)]
    return schema


def _input(name: str, operation: Json) -> Json:
    """Query and form are one thing to us: a request has only one of the two."""
    query = list(_query(operation))
    form = operation.get("form") or {"type": "object", "properties": {}}
    properties = amend_input(name, {**form["properties"], **{each["name"]: each["schema"] for each in query}})
    required = [*form.get("required", []), *(each["name"] for each in query if each["required"])]
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _query(operation: Json) -> Iterator[Json]:
    for parameter in operation["parameters"]:
        if parameter["in"] == "query":
            yield parameter
