"""Metadata come back as they were sent, or are refused with a reason before the database sees them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from events.decoding import read_event
from events.metadata import MAX_BYTES
from events.sent import Bounds, Refused
from events.tests.support import PATH, UNKNOWN, batch, complaints, entity, error, event, listed, write
from tests.support import Api, scaled


@pytest.fixture
def jane(alice: Api) -> str:
    return entity(alice)


def with_metadata(canonical_id: str, metadata: bytes) -> bytes:
    return json.dumps(event(canonical_id)).encode()[:-1] + b', "metadata": ' + metadata + b"}"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


REFUSED = {
    "NUL": b'{"a": "x\\u0000y"}',
    "NUL in a key": b'{"x\\u0000y": 1}',
    "NUL further in": b'{"a": [{"b": ["\\u0000"]}]}',
    "a number that becomes infinite": b'{"a": 1e999999}',
    "a number just beyond a double": b'{"a": 1e400}',
    "the same further in": b'{"a": {"b": [1, -1e400]}}',
    "a whole number of 30 digits": b'{"a": 123456789012345678901234567890}',
    "a whole number of 64 bits without a sign": b'{"a": 9223372036854775808}',
    "a whole number of 5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "11 levels": json.dumps(nested(11)).encode(),
    "11 levels of lists": b'{"a": ' + b"[" * 10 + b"]" * 10 + b"}",
    "301 keys": json.dumps(dict.fromkeys(map(str, range(301)))).encode(),
    "5001 keys in all": json.dumps({"a": [{"b": 1}] * 5000}, separators=(",", ":")).encode(),
    "a reserved key": b'{"$snapshot": 1}',
}
MALFORMED = {
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone low surrogate": b'{"a": "\\udc00"}',
    "bytes that are not UTF-8": b'{"a": "\xff"}',
    "a surrogate in bytes": b'{"a": "\xed\xa0\x80"}',
    "a key twice": b'{"a": 1, "a": 1}',
    "a key twice, once escaped": b'{"a": 1, "\\u0061": 2}',
    "a key twice, with space": b'{"a" : 1, "a"\n: 2, "b\\":": "x"}',
    "a key twice, deep inside": b'{"x": [{"a": 1, "a": 2}]}',
    "a word": b'{"a": undefined}',
    "2000 levels": json.dumps({"a": None}).encode().replace(b"null", b"[" * 2000 + b"]" * 2000),
}


@pytest.mark.parametrize("metadata", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_kept_is_refused(alice: Api, jane: str, metadata: bytes) -> None:
    sent = with_metadata(jane, metadata)
    assert complaints(alice.call("POST", PATH, sent)) == [("metadata", "invalid_metadata")]
    # And by its index among others.
    report = batch(alice, b"[" + sent + b"," + json.dumps(event(jane)).encode() + b"]", 207)
    assert [(one["index"], one["field"], one["code"]) for one in report["errors"]] == [
        (0, "metadata", "invalid_metadata")
    ]
    assert len(listed(alice, jane)["data"]) == 1


@pytest.mark.parametrize("metadata", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_strict_json_is_refused(alice: Api, jane: str, metadata: bytes) -> None:
    sent = with_metadata(jane, metadata)
    assert error(alice.call("POST", PATH, sent)) == (400, "malformed_json")
    answer = alice.call("POST", f"{PATH}/batch", b"[" + json.dumps(event(jane)).encode() + b"," + sent + b"]")
    if answer.status_code == 207:
        assert [(one["index"], one["code"]) for one in answer.json()["data"]["errors"]] == [(1, "malformed_json")]
    else:
        # Where the events cannot even be told apart, it is all of them.
        assert error(answer) == (400, "malformed_json")
        assert listed(alice, jane)["data"] == []


@pytest.mark.parametrize("where", ["action", "messageId", "x"])
def test_half_a_character_elsewhere_is_refused_too(alice: Api, jane: str, where: str) -> None:
    sent = json.dumps(event(jane, **{where: "HERE"})).encode().replace(b"HERE", b"\\ud800")
    assert error(alice.call("POST", PATH, sent)) == (400, "malformed_json")


@pytest.mark.parametrize("key", ["app", "metadata", "source"])
def test_a_field_twice_is_refused(alice: Api, jane: str, key: str) -> None:
    fields = {"metadata": {"b": 1}, "source": {"entityType": "deal", "entityId": 1}}
    sent = json.dumps(event(jane, **fields))
    again = {"app": '"sales"', **{name: json.dumps(value) for name, value in fields.items()}}[key]
    answer = alice.call("POST", PATH, f'{sent[:-1]}, "{key}": {again}}}'.encode())
    assert error(answer) == (400, "malformed_json")


def test_32_kilobytes_are_the_most(alice: Api, jane: str) -> None:
    fits = {"a": "x" * (MAX_BYTES - len('{"a":""}'))}
    write(alice, event(jane, metadata=fits))
    assert listed(alice, jane)["data"][0]["metadata"] == fits
    too_large = event(jane, metadata={"a": fits["a"] + "x"})
    assert error(alice.post(PATH, too_large)) == (413, "metadata_too_large")
    # Bytes count, not characters, and not the spaces between.
    write(alice, event(jane, metadata={"a": "é" * (len(fits["a"]) // 2)}))
    assert alice.call("POST", PATH, with_metadata(jane, b'{"a": 1' + b" " * MAX_BYTES + b"}")).status_code == 201
    report = batch(alice, [too_large, event(jane)], 207)
    assert [(one["index"], one["code"]) for one in report["errors"]] == [(0, "metadata_too_large")]


@pytest.mark.parametrize(
    "metadata",
    [
        {"": {"$ref": "#/x"}},
        {"text": '\\u0000 \\ud800 " / \u2028 \U0001f389 \x7f\x1f'},
        {"colons": 'a":b : c', "more": ' : ":'},
        {"numbers": [0, -1, 2**63 - 1, -(2**63), 0.1, 1e-7, 5e-324, 1.7976931348623157e308, 1e20, 1.0, 1e15]},
        {"doubles": [6.007789165824158e16, -9.1e18, 1e16, 9.3e18, 1.2345678901234567e17], "a": {"b": 2.5e17}},
        {"deep": nested(9)},
        {"empty": [{}, [], "", None, False]},
        dict.fromkeys(map(str, range(300))),
        {"many": [{"b": 1}] * 3000},
    ],
)
def test_it_comes_back_equal(alice: Api, jane: str, metadata: Any) -> None:
    write(alice, event(jane, metadata=metadata))
    assert listed(alice, jane)["data"][0]["metadata"] == metadata


KEYS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
METADATA = st.dictionaries(KEYS.filter(lambda key: not key.startswith("$")), VALUES, max_size=6)


@settings(max_examples=scaled(25, 2000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(METADATA, st.sampled_from([None, 2]), st.booleans())
def test_whatever_it_is_it_comes_back_equal(
    alice: Api, jane: str, metadata: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    sent = json.dumps(event(jane, metadata=metadata), indent=indent, ensure_ascii=ascii_only).encode()
    made = alice.call("POST", PATH, sent)
    if made.status_code == 400:
        # Too deep is all that can be wrong with it.
        assert "nested" in made.json()["error"]["details"][0]["message"]
        return
    assert made.status_code == 201, made.content
    # It happened last.
    (found,) = listed(alice, jane, "?limit=1")["data"]
    assert (found["id"], found["metadata"]) == (made.json()["data"]["id"], metadata)


@pytest.mark.no_django
@settings(max_examples=scaled(300, 20_000), deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["canonicalId", "app", "source", "metadata", "x"]), inner, max_size=5)
        ),
        max_leaves=10,
    )
)
def test_whatever_is_sent_there_is_an_event_or_a_reason(value: Any) -> None:
    bounds = Bounds(datetime.now(UTC), datetime(1971, 1, 1, tzinfo=UTC))
    text = json.dumps(value).replace("Infinity", "1e999").encode()
    read = read_event(Raw(text), bounds, UNKNOWN)
    assert not isinstance(read, Refused) or read.problems
    sent = json.dumps({**event(UNKNOWN), "metadata": value}).replace("Infinity", "1e999").encode()
    read = read_event(Raw(sent), bounds, UNKNOWN)
    assert not isinstance(read, Refused) or read.problems
