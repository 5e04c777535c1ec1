"""Makes `description.json.gz`: the part of Stripe's own OpenAPI description that we use.

    python -m billing.local_stripe.extract spec3.json[.gz]

The whole description is published at https://github.com/stripe/openapi under the MIT licence. What
is kept is the paths below with their parameters, and the schemas that can be reached from them.
Words meant for people are dropped, and so are kinds of objects that our server never answers.
"""

import gzip
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from billing.local_stripe.description import FILE, Json

# The paths are as Stripe writes them, names of the parameters included.
OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "/v1/customers": ("get", "post"),
    "/v1/customers/{customer}": ("get", "post", "delete"),
    "/v1/customers/{customer}/payment_methods": ("get",),
    "/v1/products": ("get", "post"),
    "/v1/products/{id}": ("get", "post"),
    "/v1/prices": ("get", "post"),
    "/v1/prices/{price}": ("get", "post"),
    "/v1/checkout/sessions": ("get", "post"),
    "/v1/checkout/sessions/{session}": ("get",),
    "/v1/checkout/sessions/{session}/expire": ("post",),
    "/v1/checkout/sessions/{session}/line_items": ("get",),
    "/v1/billing_portal/sessions": ("post",),
    "/v1/billing_portal/configurations": ("get", "post"),
    "/v1/billing_portal/configurations/{configuration}": ("get", "post"),
    "/v1/subscriptions": ("get", "post"),
    "/v1/subscriptions/{subscription_exposed_id}": ("get", "post", "delete"),
    "/v1/subscriptions/{subscription}/resume": ("post",),
    "/v1/subscription_items": ("get",),
    "/v1/subscription_items/{item}": ("get", "post"),
    "/v1/subscription_schedules": ("get", "post"),
    "/v1/subscription_schedules/{schedule}": ("get", "post"),
    "/v1/subscription_schedules/{schedule}/release": ("post",),
    "/v1/invoices": ("get",),
    "/v1/invoices/{invoice}": ("get",),
    "/v1/invoices/{invoice}/lines": ("get",),
    "/v1/invoices/{invoice}/pay": ("post",),
    "/v1/invoices/{invoice}/void": ("post",),
    "/v1/invoices/create_preview": ("post",),
    "/v1/payment_methods": ("get", "post"),
    "/v1/payment_methods/{payment_method}": ("get",),
    "/v1/payment_methods/{payment_method}/attach": ("post",),
    "/v1/payment_methods/{payment_method}/detach": ("post",),
    "/v1/webhook_endpoints": ("get", "post"),
    "/v1/webhook_endpoints/{webhook_endpoint}": ("get", "post", "delete"),
    "/v1/events": ("get",),
    "/v1/events/{id}": ("get",),
}

# The kinds of objects that our server knows. A reference to any other kind is left out.
RESOURCES = frozenset(
    {
        "billing_portal.configuration",
        "billing_portal.session",
        "checkout.session",
        "customer",
        "deleted_customer",
        "deleted_product",
        "deleted_webhook_endpoint",
        "event",
        "invoice",
        "item",
        "line_item",
        "payment_method",
        "price",
        "product",
        "subscription",
        "subscription_item",
        "subscription_schedule",
        "webhook_endpoint",
    }
)

_FOR_PEOPLE = frozenset({"description", "title", "example"})
_PREFIX = "#/components/schemas/"

NOTICE = (
    "Reduced from the OpenAPI description of the Stripe API, https://github.com/stripe/openapi. "
    "MIT License. Copyright (c) 2011- Stripe, Inc. (https://stripe.com). Permission is hereby granted, free "
    "of charge, to any person obtaining a copy of this software and associated documentation files (the "
    '"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, '
    "modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to "
    "whom the Software is furnished to do so, subject to the following conditions: The above copyright notice and "
    "this permission notice shall be included in all copies or substantial portions of the Software. THE SOFTWARE "
    'IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE '
    "WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE "
    "AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF "
    "CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER "
    "DEALINGS IN THE SOFTWARE."
)


def reduce(whole: Json) -> Json:
    """The extract of a whole description, itself a description."""
    schemas = whole["components"]["schemas"]
    kept: Json = {}
    paths: Json = {}
    waiting = ["error"]
    for path, methods in OPERATIONS.items():
        paths[path] = {method: _operation(whole["paths"][path][method], schemas) for method in methods}
        waiting.extend(_references(paths[path]))
    while waiting:
        name = waiting.pop()
        if name in kept:
            continue
        kept[name] = _schema(schemas[name], schemas)
        waiting.extend(_references(kept[name]))
    return {
        "openapi": whole["openapi"],
        "info": {"title": whole["info"]["title"], "version": whole["info"]["version"], "license": NOTICE},
        "paths": paths,
        "components": {"schemas": dict(sorted(kept.items()))},
    }


def _operation(operation: Json, schemas: Json) -> Json:
    reduced: Json = {
        "parameters": [
            {
                "name": parameter["name"],
                "in": parameter["in"],
                "required": parameter.get("required", False),
                "schema": _schema(parameter["schema"], schemas),
            }
            for parameter in operation.get("parameters", [])
        ]
    }
    form = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
    if form.get("schema", {}).get("properties"):
        reduced["form"] = _schema(form["schema"], schemas)
    reduced["answer"] = _schema(operation["responses"]["200"]["content"]["application/json"]["schema"], schemas)
    return reduced


def _schema(schema: Json, schemas: Json) -> Json:
    """Without words for people, extensions, and references to kinds of objects that are not kept."""
    result: Json = {}
    for key, value in schema.items():
        if key in _FOR_PEOPLE or key.startswith("x-"):
            continue
        if key == "properties":
            result[key] = {name: _schema(each, schemas) for name, each in value.items()}
        elif key == "anyOf":
            branches = [_schema(each, schemas) for each in value if not _is_left_out(each, schemas)]
            result[key] = branches or [{}]
        elif isinstance(value, dict):
            result[key] = {} if _is_left_out(value, schemas) else _schema(value, schemas)
        else:
            result[key] = value
    return {} if _is_left_out(result, schemas) else result


def _is_left_out(schema: Json, schemas: Json) -> bool:
    name = schema.get("$ref", "").removeprefix(_PREFIX)
    return bool(name) and "x-resourceId" in schemas[name] and name not in RESOURCES


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(_PREFIX)
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print((__doc__ or "").strip())  # noqa: T201  a program for the terminal
        return 2
    content = Path(arguments[0]).read_bytes()
    whole = json.loads(gzip.decompress(content) if arguments[0].endswith(".gz") else content)
    text = json.dumps(reduce(whole), separators=(",", ":"), sort_keys=True)
    # Without a time in its header, the same description gives the same file.
    FILE.write_bytes(gzip.compress(text.encode(), mtime=0))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
