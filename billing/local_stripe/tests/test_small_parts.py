"""Forms, parameters, periods and previous attributes, each by itself."""

from datetime import UTC, datetime
from typing import Any

import pytest

from billing.local_stripe import forms, ids, parameters, periods
from billing.local_stripe.errors import Refusal
from billing.local_stripe.world import previous_attributes

pytestmark = pytest.mark.no_django


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[b][c]=x%20y", {"a": {"b": {"c": "x y"}}}),
        ("items[0][price]=p&items[0][quantity]=2&items[1][price]=q",
         {"items": {"0": {"price": "p", "quantity": "2"}, "1": {"price": "q"}}}),
        ("expand[]=a&expand[]=b", {"expand": {"0": "a", "1": "b"}}),
    ],
)  # fmt: skip
def test_nested_forms(text: str, tree: Any) -> None:
    assert forms.decode(text) == tree


@pytest.mark.parametrize("text", ["a=1&a[b]=2", "nonsense", "a&b"])
def test_forms_that_are_none(text: str) -> None:
    with pytest.raises(Refusal, match="Invalid form"):
        forms.decode(text)


SCHEMA = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "flag": {"type": "boolean"},
        "when": {"anyOf": [{"type": "string", "enum": ["now"]}, {"type": "integer"}]},
        "tags": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string", "enum": [""]}]},
        "notes": {"anyOf": [{"type": "object", "additionalProperties": {"type": "string"}}, {"enum": [""]}]},
        "name": {"type": "string", "maxLength": 3},
    },
}


def test_values_get_their_types() -> None:
    text = "count=-3&flag=true&when=12&tags[1]=b&tags[0]=a&notes[0]=zero&name=abc"
    assert parameters.read(SCHEMA, forms.decode(text)) == {
        "count": -3,
        "flag": True,
        "when": 12,
        "tags": ["a", "b"],
        "notes": {"0": "zero"},
        "name": "abc",
    }
    assert parameters.read(SCHEMA, forms.decode("when=now&tags=&notes=")) == {"when": "now", "tags": "", "notes": {}}


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ("count=1.5", "count"),
        ("flag=yes", "flag"),
        ("when=later", "when"),
        ("tags[0][x]=1", "tags[0]"),
        ("name=abcd", "name"),
        ("count[x]=1", "count"),
    ],
)
def test_values_of_a_wrong_type(text: str, param: str) -> None:
    with pytest.raises(Refusal) as caught:
        parameters.read(SCHEMA, forms.decode(text))
    assert caught.value.param == param


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_months_end_where_the_calendar_says() -> None:
    anchor = moment("2026-01-31T10:00")
    ends = [periods.after(anchor, "month", 1, times) for times in (1, 2, 3)]
    assert ends == [moment("2026-02-28T10:00"), moment("2026-03-31T10:00"), moment("2026-04-30T10:00")]
    assert periods.after(moment("2028-02-29T00:00"), "year", 1, 1) == moment("2029-02-28T00:00")
    assert periods.after(anchor, "week", 2, 1) == moment("2026-02-14T10:00")
    assert periods.next_end(anchor, moment("2026-02-28T10:00"), "month", 1) == moment("2026-03-31T10:00")
    assert periods.next_end(anchor, moment("2026-02-27T00:00"), "month", 3) == moment("2026-04-30T10:00")


def test_old_values_of_what_changed() -> None:
    before: Any = {"a": 1, "map": {"x": 1, "y": 2}, "items": {"object": "list", "data": [1]}, "gone": 5}
    after: Any = {"a": 1, "map": {"x": 1, "y": 3, "z": 4}, "items": {"object": "list", "data": [2]}}
    assert previous_attributes(before, after) == {
        "map": {"y": 2, "z": None},
        "items": {"object": "list", "data": [1]},
        "gone": 5,
    }


def test_ids_tell_their_kind() -> None:
    for kind in ids.PREFIXES:
        assert ids.kind_of(ids.new(kind)) == kind
    assert ids.kind_of("nothing") is None
