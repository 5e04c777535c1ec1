"""What ``@operation`` and the view's declarations become in the OpenAPI document."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from django.urls import path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.api.docs import operation, operation_of, query
from platform_site.api.pagination import PageMeta
from platform_site.api.permissions import Public, SignedIn
from platform_site.api.serializers import FreeMap, Identifier, Moment, Secret, Shape, Text, Whole
from platform_site.api.views import ApiView
from platform_site.errors import CONFLICT, INVALID_CURSOR, NOT_FOUND

pytestmark = pytest.mark.no_django

THING = {
    "id": "019aaf1e-5d2c-7a31-9c0e-6f1b7a1d2c3e",
    "fullName": "x",
    "seenAt": None,
    "freeMap": {"snake_key": 1},
    "maker": {"userId": 5},
    "lastOwner": None,
}


class MakerOutput(Shape):
    user_id = Whole()


class ThingOutput(Shape):
    id = Identifier()
    full_name = Text()
    seen_at = Moment(allow_null=True)
    free_map = FreeMap()
    maker = MakerOutput()
    last_owner = MakerOutput(allow_null=True)
    nick_name = Text(required=False)


class ThingInput(Shape):
    full_name = Text(max_length=100)
    pass_word = Secret(required=False)
    kind = serializers.ChoiceField(choices=["a", "b"], required=False)


class InboxMeta(PageMeta):
    unread_count = Whole(min_value=0)


class ThingsView(ApiView):
    access: ClassVar = {"GET": SignedIn(), "POST": Public()}
    limits: ClassVar = {"POST": ("register_origin",)}
    idempotent = frozenset({"POST"})

    @operation(
        id="things_list",
        summary="Things",
        output=ThingOutput,
        listed="page",
        meta=InboxMeta,
        example=THING,
        parameters=[query("search", str, "By name.")],
    )
    def get(self, request: Request) -> Response:
        return Response([])

    @operation(
        id="things_create",
        summary="A new thing",
        input=ThingInput,
        output=ThingOutput,
        status=201,
        example_in={"fullName": "x"},
        example=THING,
        errors=[CONFLICT],
        also_status={200: "It was there already."},
    )
    def post(self, request: Request) -> Response:
        return Response(THING)


class ThingView(ApiView):
    access = SignedIn()

    @operation(id="thing_get", summary="A thing", output=ThingOutput, example=THING)
    def get(self, request: Request, thingId: str) -> Response:
        return Response(THING)

    @operation(id="thing_update", summary="Change it", input=ThingInput, output=ThingOutput, example=THING)
    def patch(self, request: Request, thingId: str) -> Response:
        return Response(THING)

    put = patch

    @operation(id="thing_delete", summary="Away with it", status=204)
    def delete(self, request: Request, thingId: str) -> Response:
        return Response(status=204)


class HistoryView(ApiView):
    access = SignedIn()

    @operation(
        id="history", summary="What happened", output=ThingOutput, listed="cursor", limit=(50, 200), example=[THING]
    )
    def get(self, request: Request) -> Response:
        return Response([])

    @operation(id="history_clear", summary="Forget it")
    def post(self, request: Request) -> Response:
        return Response(None)


class Undescribed(ApiView):
    access = SignedIn()

    def get(self, request: Request) -> Response:
        return Response(None)


PATTERNS = [
    path("api/v1/things", ThingsView.as_view()),
    path("api/v1/things/<uuid:thingId>", ThingView.as_view()),
    path("api/v1/history", HistoryView.as_view()),
]


@contextmanager
def warnings_counted() -> Iterator[list[int]]:
    count: list[int] = []
    with GENERATOR_STATS.silence():
        yield count
        count.append(len(GENERATOR_STATS._warn_cache) + len(GENERATOR_STATS._error_cache))


def generated(patterns: list[Any]) -> Any:
    with warnings_counted() as count:
        document = SchemaGenerator(patterns=patterns).get_schema(public=True)
    return document, count[0]


@pytest.fixture(scope="module")
def document() -> Any:
    made, warnings = generated(PATTERNS)
    assert warnings == 0
    validate_schema(made)
    return made


def at(document: Any, method: str, route: str) -> Any:
    return document["paths"][f"/api/v1{route}"][method]


def resolved(document: Any, node: Any) -> Any:
    while "$ref" in node:
        _, *names = node["$ref"].split("/")
        node = document
        for name in names:
            node = node[name]
    return node


def codes(document: Any, operation: Any, status: str) -> set[str]:
    response = resolved(document, operation["responses"][status])
    return set(response["content"]["application/json"]["schema"]["properties"]["error"]["properties"]["code"]["enum"])


def envelope(document: Any, operation: Any, status: str = "200") -> Any:
    return resolved(document, operation["responses"][status]["content"]["application/json"]["schema"])


def test_an_undescribed_method_is_a_warning() -> None:
    assert generated([path("api/v1/x", Undescribed.as_view())])[1] > 0


def test_data_is_wrapped_once(document: Any) -> None:
    wrapped = envelope(document, at(document, "get", "/things/{thingId}"))
    assert wrapped == {
        "type": "object",
        "properties": {
            "success": {"type": "boolean", "const": True},
            "data": {"$ref": "#/components/schemas/Thing"},
        },
        "required": ["data", "success"],
        "additionalProperties": False,
    }


def test_a_shape_is_camel_case_closed_and_complete(document: Any) -> None:
    thing = document["components"]["schemas"]["Thing"]
    assert thing["additionalProperties"] is False
    assert thing["required"] == ["freeMap", "fullName", "id", "lastOwner", "maker", "seenAt"]
    assert thing["properties"] == {
        "id": {"type": "string", "format": "uuid"},
        "fullName": {"type": "string"},
        "seenAt": {"type": ["string", "null"], "format": "date-time"},
        "freeMap": {"type": "object", "additionalProperties": True},
        "maker": {"$ref": "#/components/schemas/Maker"},
        "lastOwner": {"oneOf": [{"$ref": "#/components/schemas/Maker"}, {"type": "null"}]},
        "nickName": {"type": "string"},
    }


def test_input_is_closed_and_patch_needs_what_it_says(document: Any) -> None:
    for method, route in (("post", "/things"), ("patch", "/things/{thingId}"), ("put", "/things/{thingId}")):
        body = at(document, method, route)["requestBody"]
        assert body["required"] is True
        shape = resolved(document, body["content"]["application/json"]["schema"])
        assert shape["required"] == ["fullName"]
        assert shape["additionalProperties"] is False
        assert shape["properties"]["passWord"] == {"type": "string", "writeOnly": True, "minLength": 1}


def test_a_page_has_its_parameters_and_its_own_meta(document: Any) -> None:
    listing = at(document, "get", "/things")
    assert {parameter["name"] for parameter in listing["parameters"]} == {"page", "limit", "search"}
    wrapped = envelope(document, listing)
    assert wrapped["properties"]["data"] == {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}
    meta = resolved(document, wrapped["properties"]["meta"])
    assert set(meta["properties"]) == {"page", "limit", "total", "totalPages", "totalIsEstimate", "unreadCount"}
    example = listing["responses"]["200"]["content"]["application/json"]["examples"]["example"]["value"]
    assert example["data"] == [THING]
    assert set(example["meta"]) == set(meta["properties"])


def test_a_cursor_list_says_its_limits_and_the_cursor_s_error(document: Any) -> None:
    listing = at(document, "get", "/history")
    limit = next(parameter for parameter in listing["parameters"] if parameter["name"] == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert INVALID_CURSOR.key in codes(document, listing, "400")
    assert INVALID_CURSOR.key not in codes(document, at(document, "get", "/things"), "400")


def test_errors_follow_from_what_the_view_declares(document: Any) -> None:
    create, show = at(document, "post", "/things"), at(document, "get", "/things/{thingId}")
    assert set(create["responses"]) == {"200", "201", "400", "409", "413", "415", "422", "429", "503"}
    assert set(show["responses"]) == {"200", "400", "401", "402", "403", "404", "503"}
    assert codes(document, create, "409") == {"conflict", "idempotency_in_progress"}
    assert codes(document, show, "404") == {NOT_FOUND.key}
    assert "session_revoked" in codes(document, show, "401")


def test_a_retry_says_when(document: Any) -> None:
    for status in ("429", "503"):
        response = resolved(document, at(document, "post", "/things")["responses"][status])
        assert response["headers"]["Retry-After"]["required"] is True


def test_only_public_operations_need_no_token(document: Any) -> None:
    assert "security" not in at(document, "post", "/things")
    assert at(document, "get", "/things")["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_a_key_may_be_sent_where_it_is_honoured(document: Any) -> None:
    names = {parameter["name"] for parameter in at(document, "post", "/things")["parameters"]}
    assert names == {"Idempotency-Key"}
    assert "parameters" not in at(document, "post", "/history")


def test_one_method_under_two_names_is_two_operations(document: Any) -> None:
    assert at(document, "patch", "/things/{thingId}")["operationId"] == "thing_update"
    assert at(document, "put", "/things/{thingId}")["operationId"] == "thing_update_put"


def test_what_is_created_leads_to_what_can_be_done_with_it(document: Any) -> None:
    links = at(document, "post", "/things")["responses"]["201"]["links"]
    assert set(links) == {"thing_get", "thing_update", "thing_update_put", "thing_delete"}
    assert links["thing_get"]["parameters"] == {"thingId": "$response.body#/data/id"}


def test_nothing_to_say_is_null_and_204_has_no_body(document: Any) -> None:
    assert envelope(document, at(document, "post", "/history"))["properties"]["data"] == {"type": "null"}
    assert "content" not in at(document, "delete", "/things/{thingId}")["responses"]["204"]


def test_the_tag_is_the_first_part_of_the_path(document: Any) -> None:
    assert at(document, "get", "/things/{thingId}")["tags"] == ["things"]


def test_the_description_can_be_read_from_the_view() -> None:
    described = operation_of(ThingView, "PUT")
    assert described is not None
    assert described.id == "thing_update"
    assert operation_of(Undescribed, "GET") is None
