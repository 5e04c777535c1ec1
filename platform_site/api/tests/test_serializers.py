"""Shapes: camelCase outside, snake_case inside, strict about types and names."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from rest_framework import serializers

from platform_site.api.exceptions import field_errors
from platform_site.api.serializers import (
    FreeMap,
    Identifier,
    Moment,
    Secret,
    Shape,
    Text,
    Whole,
    YesNo,
)
from platform_site.names import camel

pytestmark = pytest.mark.no_django


class Address(Shape):
    street_name = Text(max_length=20)


class Everything(Shape):
    first_name = Text(max_length=5, required=False)
    nick_name = Text(required=False, allow_blank=True)
    pass_word = Secret(required=False)
    user_id = Whole(required=False, min_value=1, max_value=100)
    is_open = YesNo(required=False)
    starts_at = Moment(required=False, allow_null=True)
    link_id = Identifier(required=False)
    user_values = FreeMap(required=False)
    home_address = Address(required=False)
    old_addresses = Address(many=True, required=False)
    tag_list = serializers.ListField(child=Text(max_length=3), required=False, max_length=2)
    created_by = Text(read_only=True)


def read(**data: Any) -> Any:
    serializer = Everything(data=data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def complaints(data: Any) -> list[tuple[str, str]]:
    serializer = Everything(data=data)
    assert not serializer.is_valid()
    return [(error.field, error.code) for error in field_errors(serializer.errors)]


@pytest.mark.parametrize(
    ("name", "wire"),
    [("name", "name"), ("first_name", "firstName"), ("line_2_text", "line2Text"), ("a_b_c", "aBC")],
)
def test_names_are_camel_case_on_the_wire(name: str, wire: str) -> None:
    assert camel(name) == wire


def test_what_comes_in_is_snake_case_inside() -> None:
    assert read(firstName="Jane", homeAddress={"streetName": "Elm"}, oldAddresses=[{"streetName": "Oak"}]) == {
        "first_name": "Jane",
        "home_address": {"street_name": "Elm"},
        "old_addresses": [{"street_name": "Oak"}],
    }


def test_keys_of_a_free_map_are_left_alone() -> None:
    values = {"snake_key": 1, "camelKey": {"inner_key": [1]}}
    assert read(userValues=values) == {"user_values": values}


def test_what_goes_out_is_camel_case() -> None:
    shown = Everything(
        {
            "first_name": "Jane",
            "starts_at": datetime(2025, 1, 31, 12, 0, 0, 123456, UTC),
            "home_address": {"street_name": "Elm"},
            "old_addresses": [{"street_name": "Oak"}],
            "user_values": {"snake_key": 1},
            "created_by": "me",
            "pass_word": "never shown",
        }
    ).data
    assert shown == {
        "firstName": "Jane",
        "startsAt": "2025-01-31T12:00:00.123Z",
        "homeAddress": {"streetName": "Elm"},
        "oldAddresses": [{"streetName": "Oak"}],
        "userValues": {"snake_key": 1},
        "createdBy": "me",
    }


def test_a_source_of_its_own_is_kept() -> None:
    class Person(Shape):
        id = Text(source="uuid")
        user_id = Whole(source="id")
        full_name = Text(source="profile.name")

    assert Person({"uuid": "u", "id": 7, "profile": {"name": "Jane"}}).data == {
        "id": "u",
        "userId": 7,
        "fullName": "Jane",
    }


def test_unknown_names_are_refused_all_at_once() -> None:
    assert complaints({"first_name": "x", "colour": 1}) == [
        ("first_name", "unknown_field"),
        ("colour", "unknown_field"),
    ]


def test_unknown_names_are_refused_inside_too() -> None:
    assert complaints({"homeAddress": {"streetName": "Elm", "zip": 1}}) == [("homeAddress.zip", "unknown_field")]
    assert complaints({"oldAddresses": [{"streetName": "Elm"}, {"street_name": "Oak"}]}) == [
        ("oldAddresses.1.street_name", "unknown_field")
    ]


def test_a_read_only_field_cannot_be_written() -> None:
    assert complaints({"createdBy": "mallory"}) == [("createdBy", "unknown_field")]


@pytest.mark.parametrize("body", [None, [], [1], "text", 1, True])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    [(field, code)] = complaints(body)
    assert field == ""
    assert code in {"invalid", "null"}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"firstName": 5}, ("firstName", "not_text")),
        ({"firstName": True}, ("firstName", "not_text")),
        ({"firstName": 1.5}, ("firstName", "not_text")),
        ({"firstName": []}, ("firstName", "not_text")),
        ({"firstName": {}}, ("firstName", "not_text")),
        ({"firstName": None}, ("firstName", "null")),
        ({"firstName": ""}, ("firstName", "blank")),
        ({"firstName": "  "}, ("firstName", "blank")),
        ({"firstName": "Jo\u0007"}, ("firstName", "control")),
        ({"firstName": "Jo\u0085n"}, ("firstName", "control")),
        ({"firstName": "Joanna"}, ("firstName", "max_length")),
        ({"passWord": 12345678}, ("passWord", "not_text")),
        ({"userId": "5"}, ("userId", "invalid")),
        ({"userId": True}, ("userId", "invalid")),
        ({"userId": 1.5}, ("userId", "invalid")),
        ({"userId": None}, ("userId", "null")),
        ({"userId": [1]}, ("userId", "invalid")),
        ({"userId": 0}, ("userId", "min_value")),
        ({"userId": 1e300}, ("userId", "max_value")),
        ({"isOpen": "true"}, ("isOpen", "invalid")),
        ({"isOpen": 1}, ("isOpen", "invalid")),
        ({"isOpen": None}, ("isOpen", "null")),
        ({"isOpen": {}}, ("isOpen", "invalid")),
        ({"startsAt": 1738324800}, ("startsAt", "invalid")),
        ({"startsAt": "2025-01-31"}, ("startsAt", "invalid")),
        ({"startsAt": "2025-01-31T12:00:00"}, ("startsAt", "naive")),
        ({"startsAt": "2025-02-30T12:00:00Z"}, ("startsAt", "invalid")),
        ({"startsAt": "0001-01-01T00:00:00+10:00"}, ("startsAt", "invalid")),
        ({"startsAt": "2025-01-31T12:00:00+99:99"}, ("startsAt", "invalid")),
        ({"linkId": 5}, ("linkId", "invalid")),
        ({"linkId": "{019aaf1e-5d2c-7a31-9c0e-6f1b7a1d2c3e}"}, ("linkId", "invalid")),
        ({"linkId": "019aaf1e5d2c7a319c0e6f1b7a1d2c3e"}, ("linkId", "invalid")),
        ({"userValues": []}, ("userValues", "not_a_dict")),
        ({"userValues": "{}"}, ("userValues", "not_a_dict")),
        ({"userValues": None}, ("userValues", "null")),
        ({"homeAddress": {}}, ("homeAddress.streetName", "required")),
        ({"homeAddress": "Elm"}, ("homeAddress", "invalid")),
        ({"oldAddresses": {}}, ("oldAddresses", "not_a_list")),
        ({"tagList": ["a", 5]}, ("tagList.1", "not_text")),
        ({"tagList": ["a", "b", "c"]}, ("tagList", "max_length")),
        ({"tagList": "a"}, ("tagList", "not_a_list")),
    ],
)
def test_the_complaint_names_the_client_s_field_and_a_code(data: Any, complaint: tuple[str, str]) -> None:
    assert complaints(data) == [complaint]


def test_what_json_schema_calls_an_integer_is_one() -> None:
    value = read(userId=5.0)["user_id"]
    assert (value, type(value)) == (5, int)


def test_text_is_trimmed_and_a_secret_is_not() -> None:
    assert read(firstName=" Jo ", passWord=" correct horse ") == {"first_name": "Jo", "pass_word": " correct horse "}


@pytest.mark.parametrize(
    "sent",
    [
        "2025-01-31T12:00:00Z",
        "2025-01-31t12:00:00z",
        "2025-01-31T14:00:00+02:00",
        "2025-01-31T12:00:00.000000Z",
        "2025-01-31T12:00:00.000000000Z",
    ],
)
def test_a_time_comes_in_with_any_offset_and_is_utc_inside(sent: str) -> None:
    assert read(startsAt=sent)["starts_at"] == datetime(2025, 1, 31, 12, tzinfo=UTC)


def test_an_identifier_is_a_uuid_inside() -> None:
    text = "019aaf1e-5d2c-7a31-9c0e-6f1b7a1d2c3e"
    assert read(linkId=text.upper()) == {"link_id": UUID(text)}
