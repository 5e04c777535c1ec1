"""A batch is read all at once, and nothing about it may be different from reading its events one by one."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from events.decoding import read_event
from events.decoding_many import read_events
from events.new_event import NewEvent
from events.sent import EARLIEST, MAX_ACTION, MAX_MESSAGE_ID, Bounds, Refused
from events.tests.support import UNKNOWN, event
from platform_site.ids import uuid7, uuid7_texts
from tests.support import scaled

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
BOUNDS = Bounds(NOW, EARLIEST)

# Around all that is looked at: right, wrong, and right in another way than it looks.
_VALUES: dict[str, Any] = {
    "canonicalId": [UNKNOWN, UNKNOWN.upper(), UNKNOWN.replace("-", ""), f"{UNKNOWN}\n", "", None, 7],
    "app": ["sales", "Sales", "1st", "sales\n", "ſales", "a" * 50, "a" * 51, "", None],
    "category": ["engagement", " engagement ", " ", "a" * 51, "a\tb", "a\x85b", "Ä" * 50, ""],
    "action": ["opened", "opened\u2028", "é" * MAX_ACTION, "a" * (MAX_ACTION + 1), "\x00", "say \":\" :"],
    "occurredAt": [
        "2026-11-28T12:00:00Z", "2026-11-28t12:00:00.1234567+05:30", "2026-11-28T13:00:00Z", "2026-11-28T13:00:00.001Z",
        "1971-01-01T00:00:00Z", "1970-12-31T23:59:59Z", "2026-11-28T12:00:00", "2026-02-30T12:00:00Z", "now", "", None,
    ],
    "messageId": ["m-1", " m-1 ", "", "é" * MAX_MESSAGE_ID, "a" * (MAX_MESSAGE_ID + 1), "a\nb", None, 7],
    "actorId": [7, 0, 2**63, UNKNOWN, UNKNOWN.upper(), "somebody", "", None, True],
    "source": [
        {"entityType": "lead", "entityId": 42}, {"entityType": "lead", "entityId": "a/b"},
        {"entityType": "Lead", "entityId": "42"}, {"entityType": "lead"}, {"entityType": "lead", "entityId": 2**70},
        {"entityType": "lead", "entityId": "x", "more": 1}, None, {},
    ],
    "metadata": [
        {}, None, {"$reserved": 1}, {"further": {"$in": "$5"}}, {"nul": "\x00"}, {"no nul": "\\u0000"}, {"n": 2**63},
        {"n": -(2**63)}, {"n": 6.007789165824158e16}, {"n": 1e15}, {"n": 1e300}, {"deep": [[[[[[[[[[]]]]]]]]]]},
        {"text": "note\": :\n:"}, {"long": "x" * 40_000}, {"long": [1e15] * 2_000}, {str(n): n for n in range(301)},
        {"many": [{str(n): n for n in range(300)}] * 17}, {"é": "\ud83d\ude00", "": None, "b": True}, [], "text",
    ],
    "unknown": [1],
}  # fmt: skip


def _written(sent: dict[str, Any], indent: int | None, ascii_only: bool) -> bytes:
    return json.dumps(sent, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


_sent = st.builds(
    _written,
    st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in _VALUES.items()}).map(
        lambda fields: event(UNKNOWN) | fields
    ),
    st.sampled_from([None, 1]),
    st.booleans(),
)
_STRANGE = [
    b'{"canonicalId": "%b", "app": "sales", "category": "a", "action": "b", "metadata": {"a": 1, "a": 2}}',
    b'{"canonicalId": "%b", "app": "sales", "category": "a", "action": "b", "app" : "sales"}',
    b'{"canonicalId": "%b", "app": "sales", "category": "a", "action": "b", "metadata": {"\\u0024set": 1}}',
    b'{"canonicalId": "%b", "app": "sales", "category": "a", "action": "b", "metadata": {"a": "\\u0000"}}',
    b'{"canonicalId": "%b", "app": "sales", "category": "a", "action": "b", "metadata": {"a": 1e999}}',
    b'{"canonicalId": "%b", "app": "sales", "category": "\xff", "action": "b"}',
    b'{"canonicalId": "%b", "app": "\xc3", "category": "a", "action": "b"}',
    b"[]", b"1", b"null", b'""', b"{}",
]  # fmt: skip
_strange = st.sampled_from([text.replace(b"%b", UNKNOWN.encode()) for text in _STRANGE])


def _shown(one: NewEvent | Refused) -> Any:
    if isinstance(one, Refused):
        return one
    values = {name: getattr(one, name) for name in one.__struct_fields__}
    return {**values, "metadata": msgspec.json.encode(one.metadata)}


def _alike(items: list[Raw]) -> None:
    read = read_events(items, BOUNDS)
    ids = [one.id if isinstance(one, NewEvent) else UNKNOWN for one in read]
    alone = [read_event(item, BOUNDS, own_id) for item, own_id in zip(items, ids, strict=True)]
    assert [_shown(one) for one in read] == [_shown(one) for one in alone]


@pytest.mark.no_django
@pytest.mark.timeout(900)
@settings(max_examples=scaled(400, 10_000), deadline=None)
@given(st.lists(_sent | _strange, min_size=1, max_size=4))
def test_a_batch_reads_as_its_events_do_one_by_one(texts: list[bytes]) -> None:
    _alike([Raw(text) for text in texts])


@pytest.mark.no_django
@pytest.mark.parametrize(("field", "value"), [(field, value) for field, some in _VALUES.items() for value in some])
def test_each_value_reads_alike_between_two_that_are_right(field: str, value: Any) -> None:
    right = Raw(_written(event(UNKNOWN, messageId="m-1", metadata={"a": 1}), None, True))
    for indent in (None, 1):
        changed = Raw(_written(event(UNKNOWN) | {field: value}, indent, True))
        _alike([right, changed, right])
        _alike([changed])


@pytest.mark.no_django
@example(b"{},{}")
@example(b"")
@example(b"{}]")
@example(b'{"canonicalId": 1}, {"app": 2')
@settings(max_examples=scaled(100, 10_000), deadline=None)
@given(st.binary(max_size=20))
def test_the_body_of_one_event_is_one_event(body: bytes) -> None:
    _alike([Raw(body)])


@pytest.mark.no_django
def test_ids_made_at_once_are_ids_made_one_by_one() -> None:
    from uuid import RFC_4122, UUID

    before, many, after = uuid7(), uuid7_texts(5_000), uuid7()
    made = [UUID(text) for text in many]
    assert many == [str(one) for one in made]
    assert [before, *made, after] == sorted([before, *made, after])
    assert len(set(made)) == 5_000
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}
    # All of the 62 bits are random: none of them is the same in all.
    noise = [one.int & 2**62 - 1 for one in made]
    assert all(0 < sum(value >> bit & 1 for value in noise) < 5_000 for bit in range(62))
    assert uuid7_texts(0) == []
