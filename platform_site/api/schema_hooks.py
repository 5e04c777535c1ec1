"""Rules for the whole OpenAPI document, applied when all operations are there."""

import re
from collections.abc import Iterator
from typing import Any

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
    """From what creates a thing to what can be done with it, by the ``id`` in the answer."""
    paths = result["paths"]
    for path, methods in paths.items():
        created = methods.get("post", {}).get("responses", {}).get("201")
        if created is None or not _has_id(result, created):
            continue
        for target, parameter in _items_of(path, paths):
            for method in _METHODS:
                if method in paths[target]:
                    operation_id = paths[target][method]["operationId"]
                    created.setdefault("links", {})[operation_id] = {
                        "operationId": operation_id,
                        "parameters": {parameter: "$response.body#/data/id"},
                    }
    return result


def _items_of(path: str, paths: Document) -> Iterator[tuple[str, str]]:
    for other in paths:
        match = re.fullmatch(re.escape(path) + r"/\{(\w+)\}(?:/[\w-]+)*", other)
        if match:
            yield other, match[1]


def _has_id(result: Document, response: Document) -> bool:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    data = _resolve(result, schema).get("properties", {}).get("data", {})
    return "id" in _resolve(result, data).get("properties", {})


def _resolve(result: Document, schema: Document) -> Document:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Document = result["components"]["schemas"][reference.rpartition("/")[2]]
    return found
