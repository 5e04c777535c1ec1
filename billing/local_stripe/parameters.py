"""Judges the parameters of a request by Stripe's description, and turns texts into values."""

import re
from typing import Any

from billing.local_stripe.description import Json, resolve
from billing.local_stripe.errors import Refusal, invalid_parameter, missing_parameter, unknown_parameter
from billing.local_stripe.forms import Tree

_INTEGER = re.compile(r"-?\d{1,18}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def read(schema: Json, tree: Tree) -> Json:
    """The parameters as Python values. Raises a Refusal for the first that is wrong."""
    return _object(schema, tree, "")


def _value(schema: Json, given: Any, path: str) -> Any:
    schema = resolve(schema)
    if "anyOf" in schema:
        return _any_of(schema["anyOf"], given, path)
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, given, path)
    if kind == "array":
        return _array(schema, given, path)
    if not isinstance(given, str):
        raise invalid_parameter(f"Invalid {kind or 'string'}: must be a single value", path)
    return _scalar(schema, given, path)


def _any_of(branches: list[Json], given: Any, path: str) -> Any:
    """The first branch that takes it; else what the branch of the same form says of it."""
    refusals: list[tuple[bool, Refusal]] = []
    for branch in branches:
        try:
            return _value(branch, given, path)
        except Refusal as refusal:
            is_group = resolve(branch).get("type") in {"object", "array"}
            refusals.append((is_group == isinstance(given, dict), refusal))
    raise next((refusal for is_alike, refusal in refusals if is_alike), refusals[0][1])


def _object(schema: Json, given: Any, path: str) -> Json:
    if not isinstance(given, dict):
        # An empty text clears a whole map, such as metadata.
        if given == "" and "additionalProperties" in schema and "properties" not in schema:
            return {}
        raise invalid_parameter("Invalid object", path)
    known = schema.get("properties", {})
    others = schema.get("additionalProperties")
    values: Json = {}
    for name, each in given.items():
        inner = f"{path}[{name}]" if path else name
        if name in known:
            values[name] = _value(known[name], each, inner)
        elif isinstance(others, dict):
            values[name] = _value(others, each, inner)
        else:
            raise unknown_parameter(inner)
    for name in schema.get("required", []):
        if name not in values:
            raise missing_parameter(f"{path}[{name}]" if path else name)
    return values


def _array(schema: Json, given: Any, path: str) -> list[Any]:
    if not isinstance(given, dict) or not all(key.isdecimal() for key in given):
        raise invalid_parameter("Invalid array", path)
    in_order = sorted(given.items(), key=lambda pair: int(pair[0]))
    return [_value(schema["items"], each, f"{path}[{index}]") for index, each in in_order]


def _scalar(schema: Json, given: str, path: str) -> Any:
    value = _typed(schema.get("type"), given, path)
    allowed = schema.get("enum")
    if allowed is not None and value not in allowed:
        named = ", ".join(str(each) for each in allowed if each != "")
        raise invalid_parameter(f"Invalid {path}: must be one of {named}", path)
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        message = f"Invalid string: must be at most {schema['maxLength']} characters"
        raise invalid_parameter(message, path, "parameter_invalid_string")
    return value


def _typed(kind: str | None, given: str, path: str) -> Any:
    if kind == "integer":
        if not _INTEGER.fullmatch(given):
            raise invalid_parameter(f"Invalid integer: {given}", path, "parameter_invalid_integer")
        return int(given)
    if kind == "number":
        if not _NUMBER.fullmatch(given):
            raise invalid_parameter(f"Invalid number: {given}", path)
        return float(given)
    if kind == "boolean":
        if given not in {"true", "false"}:
            raise invalid_parameter(f"Invalid boolean: {given}", path)
        return given == "true"
    return given
