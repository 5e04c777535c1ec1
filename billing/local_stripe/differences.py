"""Where Stripe's description and the SDK that we use differ, each with its reason.

The description is of 2026-08-26 (dahlia) and the SDK of 2026-10-28 (endive). The server and the judge both read the
description with these amendments.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter that is described otherwise than it is used."""

    operation: str
    name: str
    schema: Json
    reason: str


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "POST /v1/webhook_endpoints",
        "api_version",
        {"type": "string"},
        "Endpoints are pinned to the version of the SDK, and an older description cannot list it.",
    ),
)

# Properties of answers that the description lacks: schema, property, and its own schema.
PROPERTIES: tuple[tuple[str, str, Json, str], ...] = ()


def amend_input(operation: str, properties: Mapping[str, Json]) -> Json:
    """The properties of an operation's parameters, with ours in the place of those that differ."""
    own = {each.name: each.schema for each in PARAMETERS if each.operation == operation}
    return {**properties, **own}


def amend_schema(name: str, schema: Json) -> Json:
    own = {property: each for of, property, each, _ in PROPERTIES if of == name}
    return {**schema, "properties": {**schema["properties"], **own}} if own else schema
