"""Lists in parts, over a tenant's journal."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db.models import QuerySet
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries
from rest_framework.request import Request

from platform_site.api import pagination
from platform_site.api.pagination import CursorQuery, PageQuery, paginate, paginate_by_cursor, seal_cursor
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.journal.models import JournalEntry

pytestmark = pytest.mark.as_owner
NAME = "journal"
START = datetime(2025, 1, 1, tzinfo=UTC)


def asked(**parameters: Any) -> Request:
    return Request(RequestFactory().get(f"/?{urlencode(parameters, doseq=True)}"))


def refusal(call: Callable[[], object]) -> tuple[str, list[tuple[str, str]]]:
    with pytest.raises(PlatformError) as caught:
        call()
    return caught.value.code.key, [(detail.field, detail.code) for detail in caught.value.details]


@pytest.fixture
def entries(in_tenant: Any) -> "QuerySet[JournalEntry]":
    """Twelve entries, three of each second, so that time alone does not order them."""
    JournalEntry.objects.filter(key="test.listed").delete()
    JournalEntry.objects.bulk_create(
        JournalEntry(id=UUID(int=number + 1), key="test.listed", at=START + timedelta(seconds=number // 3))
        for number in range(12)
    )
    return JournalEntry.objects.filter(key="test.listed")


def numbers(items: list[Any]) -> list[int]:
    return [item.id.int for item in items]


# -- by page ----------------------------------------------------------------------------------


@pytest.mark.no_django
def test_a_page_is_the_first_one_of_twenty_unless_asked() -> None:
    assert PageQuery.from_request(asked()) == PageQuery(page=1, limit=20)
    assert PageQuery.from_request(asked(page=3, limit=100)) == PageQuery(page=3, limit=100)
    assert PageQuery.from_request(asked(limit=200), default=50, maximum=200) == PageQuery(page=1, limit=200)


@pytest.mark.no_django
@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"page": "0"}, ("page", "min_value")),
        ({"page": "-1"}, ("page", "invalid")),
        ({"page": "1000001"}, ("page", "max_value")),
        ({"page": "9" * 30}, ("page", "invalid")),
        ({"page": "one"}, ("page", "invalid")),
        ({"page": ""}, ("page", "invalid")),
        ({"page": "1.0"}, ("page", "invalid")),
        ({"page": "+1"}, ("page", "invalid")),
        ({"page": " 1"}, ("page", "invalid")),
        ({"page": "1\n"}, ("page", "invalid")),
        ({"page": "01"}, ("page", "invalid")),
        ({"page": "1_0"}, ("page", "invalid")),
        ({"page": "\u0661"}, ("page", "invalid")),
        ({"page": ["1", "2"]}, ("page", "invalid")),
        ({"limit": "0"}, ("limit", "min_value")),
        ({"limit": "101"}, ("limit", "max_value")),
        ({"limit": "null"}, ("limit", "invalid")),
    ],
)
def test_a_page_outside_its_range_is_refused(parameters: dict[str, Any], complaint: tuple[str, str]) -> None:
    assert refusal(lambda: PageQuery.from_request(asked(**parameters))) == ("validation_failed", [complaint])


def test_pages_cover_the_list(entries: "QuerySet[JournalEntry]") -> None:
    ordered = entries.order_by("id")
    pages = [paginate(ordered, PageQuery(page=number, limit=5)) for number in (1, 2, 3, 4)]
    assert [numbers(items) for items, _ in pages] == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12], []]
    assert pages[2][1] == {"page": 3, "limit": 5, "total": 12, "totalPages": 3, "totalIsEstimate": False}


def test_an_empty_list_has_no_pages(entries: "QuerySet[JournalEntry]") -> None:
    items, meta = paginate(entries.none().order_by("id"), PageQuery())
    assert (items, meta["total"], meta["totalPages"]) == ([], 0, 0)


def test_a_list_without_an_order_is_a_bug(entries: "QuerySet[JournalEntry]") -> None:
    with pytest.raises(ValueError, match="without an order"):
        paginate(entries.order_by(), PageQuery())


@pytest.mark.parametrize("limit", [1, 100])
def test_a_page_takes_the_count_and_the_rows(
    entries: "QuerySet[JournalEntry]", limit: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        paginate(entries.order_by("id"), PageQuery(limit=limit))


def test_a_large_total_is_estimated_and_says_so(
    entries: "QuerySet[JournalEntry]",
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(pagination, "EXACT_TOTAL", 12)
    assert paginate(entries.order_by("id"), PageQuery())[1]["totalIsEstimate"] is False
    monkeypatch.setattr(pagination, "EXACT_TOTAL", 11)
    # The count up to the limit, the planner's estimate, the rows.
    with django_assert_num_queries(3):
        items, meta = paginate(entries.order_by("id"), PageQuery(limit=5))
    assert len(items) == 5
    assert meta["totalIsEstimate"] is True
    assert meta["total"] >= 12
    assert meta["totalPages"] == -(-meta["total"] // 5)


# -- by cursor --------------------------------------------------------------------------------


def cut(
    entries: "QuerySet[JournalEntry]", order: tuple[str, ...], cursor: str | None = None, limit: int = 5
) -> tuple[list[int], dict[str, Any]]:
    parameters = {"limit": limit} | ({} if cursor is None else {"cursor": cursor})
    items, meta = paginate_by_cursor(entries, CursorQuery.from_request(asked(**parameters), NAME), order)
    return numbers(items), meta


@pytest.mark.parametrize("order", [("at", "id"), ("-at", "-id"), ("at", "-id"), ("-at", "id"), ("id",), ("-id",)])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 12, 100])
def test_a_cursor_walks_the_whole_list_and_back(
    entries: "QuerySet[JournalEntry]", order: tuple[str, ...], limit: int
) -> None:
    whole = [entry.id.int for entry in entries.order_by(*order)]
    forth, back, cursor = [], [], None
    while True:
        part, meta = cut(entries, order, cursor, limit)
        forth.append(part)
        if meta["nextCursor"] is None:
            break
        cursor = meta["nextCursor"]
    assert [number for part in forth for number in part] == whole
    back.append(part)
    while meta["prevCursor"] is not None:
        part, meta = cut(entries, order, meta["prevCursor"], limit)
        back.insert(0, part)
    assert [number for part in back for number in part] == whole


@pytest.mark.as_owner
def test_a_row_that_comes_or_goes_moves_no_other(entries: "QuerySet[JournalEntry]") -> None:
    part, meta = cut(entries, ("at", "id"))
    assert part == [1, 2, 3, 4, 5]
    JournalEntry.objects.filter(id=UUID(int=5)).delete()
    JournalEntry.objects.create(id=UUID(int=99), key="test.listed", at=START - timedelta(days=1))
    assert cut(entries, ("at", "id"), meta["nextCursor"])[0] == [6, 7, 8, 9, 10]


@pytest.mark.parametrize("limit", [1, 100])
def test_a_cursor_takes_one_query(
    entries: "QuerySet[JournalEntry]", limit: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cursor = cut(entries, ("at", "id"), limit=2)[1]["nextCursor"]
    with django_assert_num_queries(1):
        cut(entries, ("at", "id"), cursor, limit)


def test_a_cursor_of_another_list_is_refused(entries: "QuerySet[JournalEntry]") -> None:
    cursor = cut(entries, ("at", "id"))[1]["nextCursor"]
    assert refusal(lambda: CursorQuery.from_request(asked(cursor=cursor), "another")) == (
        "invalid_cursor",
        [("cursor", "invalid_cursor")],
    )


def test_a_cursor_of_another_tenant_is_refused(tenant: Any, other_tenant: Any) -> None:
    with bind(tenant.ref):
        cursor = seal_cursor(NAME, [5])
        assert CursorQuery.from_request(asked(cursor=cursor), NAME).after == (5,)
    with bind(other_tenant.ref):
        assert refusal(lambda: CursorQuery.from_request(asked(cursor=cursor), NAME))[0] == "invalid_cursor"
    assert refusal(lambda: CursorQuery.from_request(asked(cursor=cursor), NAME))[0] == "invalid_cursor"


@pytest.mark.no_django
def test_every_changed_character_is_noticed() -> None:
    cursor = seal_cursor(NAME, [START, UUID(int=7), "text", 5])
    assert CursorQuery.from_request(asked(cursor=cursor), NAME).after == (START, UUID(int=7), "text", 5)
    for place, character in enumerate(cursor):
        request = asked(cursor=cursor[:place] + ("A" if character != "A" else "B") + cursor[place + 1 :])
        with pytest.raises(PlatformError):
            CursorQuery.from_request(request, NAME)


@pytest.mark.no_django
@pytest.mark.parametrize(
    "cursor",
    ["", ".", "x", "bnVsbA.", "W10.x", "WzEsMiwzXQ.x", "\u00e4.\u00e4", "A" * 5000, "W1siYSJdLDEsW11d." + "A" * 22],
)
def test_a_forged_cursor_is_refused(cursor: str) -> None:
    assert refusal(lambda: CursorQuery.from_request(asked(cursor=cursor), NAME))[0] == "invalid_cursor"


@pytest.mark.no_django
def test_a_cursor_lives_on_when_keys_rotate_and_dies_with_its_key(settings: Any) -> None:
    cursor = seal_cursor(NAME, [5])
    old = settings.TOKEN_KEYS[0]
    settings.TOKEN_KEYS = [("new", "n" * 32), old]
    assert CursorQuery.from_request(asked(cursor=cursor), NAME).after == (5,)
    settings.TOKEN_KEYS = [("new", "n" * 32)]
    assert refusal(lambda: CursorQuery.from_request(asked(cursor=cursor), NAME))[0] == "invalid_cursor"


def test_a_cursor_of_another_order_is_refused(entries: "QuerySet[JournalEntry]") -> None:
    cursor = cut(entries, ("at", "id"))[1]["nextCursor"]
    assert refusal(lambda: cut(entries, ("id",), cursor))[0] == "invalid_cursor"
