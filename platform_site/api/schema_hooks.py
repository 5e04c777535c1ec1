"""Rules for the whole OpenAPI document, applied when all operations are there."""

import re
from collections.abc import Iterator
from typing import Any

from platform_site.names import camel

Document = dict[str, Any]

_METHODS = ("get", "put", "patch", "post", "delete")


def close_objects(result: Document, **_: Any) -> Document:
    """No object has properties that the document does not name. Free-form maps say so themselves and stay open."""
    for node in _objects(result.get("components", {}).get("schemas", {})):
        node.setdefault("additionalProperties", False)
    return result


def _objects(schema: Any) -> Iterator[Document]:
    if isinstance(schema, dict):
        if "object" in _types(schema) and "properties" in schema:
            yield schema
        for value in schema.values():
            yield from _objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _objects(value)


def _types(schema: Document) -> list[Any]:
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [kind]


def add_links(result: Document, **_: Any) -> Document:
    """From what creates a thing to what can be done with it, by the ``id`` in the answer.

    Where the answer has a field of the path parameter's own name, it is that one: what
    is created may be listed below something else than itself.
    """
    paths = result["paths"]
    for path, methods in paths.items():
        created = methods.get("post", {}).get("responses", {}).get("201")
        names = _names(result, created) if created else set()
        if "id" not in names:
            continue
        for target, parameter in _items_of(path, paths):
            field = camel(parameter) if camel(parameter) in names else "id"
            for method in _METHODS:
                if method in paths[target]:
                    operation_id = paths[target][method]["operationId"]
                    created.setdefault("links", {})[operation_id] = {
                        "operationId": operation_id,
                        "parameters": {parameter: f"$response.body#/data/{field}"},
                    }
    return result


def _items_of(path: str, paths: Document) -> Iterator[tuple[str, str]]:
    for other in paths:
        match = re.fullmatch(re.escape(path) + r"/\{(\w+)\}(?:/[\w-]+)*", other)
        if match:
            yield other, match[1]


def _names(result: Document, response: Document) -> set[str]:
    """What the answer's data have."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    data = _resolve(result, schema).get("properties", {}).get("data", {})
    return set(_resolve(result, data).get("properties", {}))


def _resolve(result: Document, schema: Document) -> Document:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Document = result["components"]["schemas"][reference.rpartition("/")[2]]
    return found
