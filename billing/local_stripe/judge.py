"""Judges requests and answers by Stripe's own description. For tests: it needs jsonschema.

    with running(LocalStripe()) as server, judged(server) as judge:
        ...                     # whatever talks to the server
    # leaving raises an AssertionError that lists what was against the description

The server checks parameters by the same description with code of its own; the judge does it with jsonschema, so that
a mistake in one of them is seen by the other.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError, best_match

from billing.local_stripe import forms
from billing.local_stripe.api import Exchange
from billing.local_stripe.description import load, operation_for, resolve
from billing.local_stripe.errors import Refusal
from billing.local_stripe.server import LocalStripe

Json = dict[str, Any]

_PREFIX = "#/components/schemas/"


@dataclass(frozen=True)
class Finding:
    """Something that is against the description."""

    request: str  # "POST /v1/customers"
    part: str  # "request", "answer" or "event"
    place: str  # "items.data.0.quantity"
    message: str

    def __str__(self) -> str:
        return f"{self.request}, {self.part}: {self.place or '(whole)'}: {self.message}"


class Judge:
    """Collects findings; `judge` can be called with any exchange, whoever it was between."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.judged = 0

    def judge(self, exchange: Exchange) -> None:
        self.judged += 1
        name = f"{exchange.method} {exchange.path}"
        self.findings += [Finding(name, part, place, message) for part, place, message in _judge(exchange)]

    def require_nothing(self) -> None:
        """Raises an AssertionError that lists everything."""
        if self.findings:
            lines = "\n".join(str(finding) for finding in self.findings)
            raise AssertionError(f"{len(self.findings)} against the description of Stripe:\n{lines}")


@contextmanager
def judged(server: LocalStripe) -> Iterator[Judge]:
    """Everything that is said to this server and by it, while inside."""
    judge = Judge()
    server.on_exchange.append(judge.judge)
    try:
        yield judge
    finally:
        server.on_exchange.remove(judge.judge)
    judge.require_nothing()


def findings_of_object(value: Json) -> list[str]:
    """What is wrong with one object of Stripe, such as the one in an event."""
    return [f"{place}: {message}" for place, message in _errors({"$ref": _PREFIX + _kind(value)}, value)]


def _judge(exchange: Exchange) -> Iterator[tuple[str, str, str]]:
    found = operation_for(exchange.method, exchange.path)
    if found is None:
        yield "request", "", "no operation of the description that we use"
        return
    operation, _ = found
    try:
        given = _coerced(operation.input, forms.decode(exchange.form))
    except Refusal as refusal:
        yield "request", "", refusal.message
        return
    for place, message in _errors(operation.input, given):
        yield "request", place, message
    schema = operation.answer if exchange.status < 400 else {"$ref": f"{_PREFIX}error"}
    for place, message in _errors(schema, exchange.body):
        yield "answer", place, message
    for event in _events_in(exchange.body):
        for message in findings_of_object(event["data"]["object"]):
            yield "event", event["type"], message


def _events_in(body: Json) -> list[Json]:
    every = body.get("data", []) if body.get("object") == "list" else [body]
    return [each for each in every if each.get("object") == "event"]


def _kind(value: Json) -> str:
    return f"deleted_{value['object']}" if value.get("deleted") else str(value["object"])


def _errors(schema: Json, value: Any) -> list[tuple[str, str]]:
    validator = _validator(_key(schema))
    return [_told(error) for error in validator.iter_errors(value)]


def _told(error: ValidationError) -> tuple[str, str]:
    """Of an anyOf, what is wrong with the branch that fits best."""
    deepest = best_match([error]) or error
    while deepest.context and (inner := best_match(deepest.context)) is not None:
        deepest = inner
    place = ".".join(str(step) for step in deepest.absolute_path)
    return place, str(deepest.message)[:300]


# A dict is no key for a cache, and the same few schemas are asked for again and again.
_SCHEMAS: dict[int, Json] = {}


def _key(schema: Json) -> int | str:
    if set(schema) == {"$ref"}:
        return str(schema["$ref"])
    _SCHEMAS[id(schema)] = schema
    return id(schema)


@functools.cache
def _validator(key: int | str) -> Draft4Validator:
    schema = {"$ref": key} if isinstance(key, str) else _SCHEMAS[key]
    return Draft4Validator({"allOf": [_strict(schema)], "components": {"schemas": _strict_components()}})


@functools.cache
def _strict_components() -> Json:
    return {name: _strict(schema) for name, schema in load()["components"]["schemas"].items()}


def _strict(schema: Any) -> Any:
    """As JSON Schema says it: OpenAPI's `nullable` is an anyOf, and unknown properties are mistakes."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _strict_value(key, value) for key, value in schema.items() if key not in {"nullable", "format"}}
    if "properties" in result:
        result.setdefault("additionalProperties", False)
    return {"anyOf": [result, {"type": "null"}]} if schema.get("nullable") else result


def _strict_value(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: _strict(each) for name, each in value.items()}
    return value if key in {"required", "enum"} else _strict(value)


# -- forms -----------------------------------------------------------------------------------------


def _coerced(schema: Json, given: Any) -> Any:
    """Texts of a form as the types that the schema names. What does not fit stays as it is, to be found."""
    schema = resolve(schema)
    if "anyOf" in schema:
        return _coerced_any(schema["anyOf"], given)
    if isinstance(given, dict):
        if schema.get("type") == "array" and all(key.isdecimal() for key in given):
            return [_coerced(schema["items"], given[key]) for key in sorted(given, key=int)]
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        inner: Callable[[str], Json] = lambda name: known.get(name, others if isinstance(others, dict) else {})  # noqa: E731
        return {name: _coerced(inner(name), each) for name, each in given.items()}
    if given == "" and schema.get("type") == "object" and "properties" not in schema:
        return {}
    return _coerced_text(schema.get("type"), given)


def _coerced_any(branches: list[Json], given: Any) -> Any:
    values = [(_coerced(branch, given), branch) for branch in branches]
    fitting = [value for value, branch in values if not _errors(branch, value)]
    # When none fits, the branch of the same form tells best what is wrong.
    return (fitting or [value for value, _ in values if isinstance(value, dict | list)] or [values[0][0]])[0]


def _coerced_text(kind: str | None, given: str) -> Any:
    if kind == "boolean":
        return {"true": True, "false": False}.get(given, given)
    if kind in {"integer", "number"}:
        try:
            return int(given) if kind == "integer" else float(given)
        except ValueError:
            return given
    return given
