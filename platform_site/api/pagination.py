"""Lists in parts: by page number with totals, or by cursor.

Both are plain functions over an ordered queryset, for views of four lines::

    items, meta = paginate(users_visible_to(identity), PageQuery.from_request(request))
    return Listed(UserOutput(items, many=True).data, meta)

A page takes two queries whatever its length, three beyond ``EXACT_TOTAL``; a
cursor takes one.
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request

from platform_site import keys
from platform_site.api.serializers import Shape, Text, Whole, YesNo
from platform_site.binding import bound_tenant
from platform_site.errors import INVALID_CURSOR, VALIDATION_FAILED, FieldError, PlatformError

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_PAGE = 1_000_000
# Counting stops here; beyond it the planner's estimate is given and marked.
EXACT_TOTAL = 10_000
MAX_CURSOR_LENGTH = 1000

PAGE_PARAMETERS = ("page", "limit")
CURSOR_PARAMETERS = ("cursor", "limit")

Row = TypeVar("Row", bound=Model)
# Python's int() also takes "+1", " 1", "1_0" and digits of other scripts.
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


class PageMeta(Shape):
    page = Whole(min_value=1)
    limit = Whole(min_value=1)
    total = Whole(min_value=0)
    total_pages = Whole(min_value=0)
    total_is_estimate = YesNo()


class CursorMeta(Shape):
    limit = Whole(min_value=1)
    next_cursor = Text(allow_null=True)
    prev_cursor = Text(allow_null=True)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page of a list, and how long it is."""

    page: int = 1
    limit: int = DEFAULT_LIMIT

    @classmethod
    def from_request(cls, request: Request, *, default: int = DEFAULT_LIMIT, maximum: int = MAX_LIMIT) -> "PageQuery":
        """From ``?page=&limit=``; raises ``validation_failed`` for what is out of range."""
        return cls(
            page=whole_parameter(request, "page", default=1, maximum=MAX_PAGE),
            limit=whole_parameter(request, "limit", default=default, maximum=maximum),
        )


@dataclass(frozen=True, slots=True)
class CursorQuery:
    """From where a list goes on, in which direction, and for how long.

    ``name`` is the list's own: a cursor of another list, or of another tenant's,
    is refused.
    """

    name: str
    limit: int = DEFAULT_LIMIT
    after: tuple[Any, ...] | None = None
    backward: bool = False

    @classmethod
    def from_request(
        cls, request: Request, name: str, *, default: int = DEFAULT_LIMIT, maximum: int = MAX_LIMIT
    ) -> "CursorQuery":
        """From ``?cursor=&limit=``; raises ``validation_failed`` or ``invalid_cursor``."""
        limit = whole_parameter(request, "limit", default=default, maximum=maximum)
        cursor = single_parameter(request, "cursor")
        if cursor is None:
            return cls(name, limit)
        backward, after = _open_cursor(name, cursor)
        return cls(name, limit, after, backward)


def single_parameter(request: Request, name: str) -> str | None:
    """A query parameter that may stand there once."""
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise _refused(name, "invalid", "This parameter may stand here once.")
    return values[0] if values else None


def whole_parameter(request: Request, name: str, *, default: int, minimum: int = 1, maximum: int) -> int:
    """A whole number from the query, strictly read."""
    text = single_parameter(request, name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text):
        raise _refused(name, "invalid", "This must be a whole number.")
    number = int(text)
    if number < minimum:
        raise _refused(name, "min_value", f"This must be at least {minimum}.")
    if number > maximum:
        raise _refused(name, "max_value", f"This must be at most {maximum}.")
    return number


def _refused(name: str, code: str, message: str) -> PlatformError:
    return PlatformError(VALIDATION_FAILED, details=[FieldError(name, code, message)])


def paginate(queryset: "QuerySet[Row, Any]", query: PageQuery) -> tuple[list[Any], dict[str, Any]]:
    """One page of an ordered queryset, and its ``meta``. A page behind the last one is empty."""
    if not queryset.ordered:
        raise ValueError("A list without an order has no pages.")
    total, estimated = _total(queryset)
    start = (query.page - 1) * query.limit
    items = list(queryset[start : start + query.limit])
    return items, {
        "page": query.page,
        "limit": query.limit,
        "total": total,
        "totalPages": -(-total // query.limit),
        "totalIsEstimate": estimated,
    }


def _total(queryset: "QuerySet[Row, Any]") -> tuple[int, bool]:
    unordered = queryset.order_by()
    counted = unordered[: EXACT_TOTAL + 1].count()
    if counted <= EXACT_TOTAL:
        return counted, False
    plan = json.loads(unordered.explain(format="json"))
    return max(counted, int(plan[0]["Plan"]["Plan Rows"])), True


def paginate_by_cursor(
    queryset: "QuerySet[Row, Any]", query: CursorQuery, order: Sequence[str]
) -> tuple[list[Any], dict[str, Any]]:
    """The part of a list that ``query`` names, ordered by the fields of ``order``, and its ``meta``.

    ``order`` is like ``("-at", "-id")``: fields that are never null, the last of
    them unique, so that no two rows share a place and a row that is added or
    removed meanwhile moves no other.
    """
    keyset = [(name.lstrip("-"), name.startswith("-")) for name in order]
    if query.after is not None:
        if len(query.after) != len(keyset):
            raise PlatformError(INVALID_CURSOR)
        queryset = queryset.filter(_beyond(keyset, query.after, query.backward))
    directed = [f"-{name}" if descending != query.backward else name for name, descending in keyset]
    found = list(queryset.order_by(*directed)[: query.limit + 1])
    more = len(found) > query.limit
    items = found[: query.limit]
    if query.backward:
        items.reverse()
    follows = bool(items) and (more or query.backward)
    precedes = bool(items) and (more if query.backward else query.after is not None)
    return items, {
        "limit": query.limit,
        "nextCursor": _cursor(query.name, items[-1], keyset, backward=False) if follows else None,
        "prevCursor": _cursor(query.name, items[0], keyset, backward=True) if precedes else None,
    }


def _beyond(keyset: Sequence[tuple[str, bool]], values: Sequence[Any], backward: bool) -> Q:
    """Strictly after ``values`` in this order (before them when ``backward``)."""
    condition = Q()
    for (name, descending), value in reversed(list(zip(keyset, values, strict=True))):
        comparison = "lt" if descending != backward else "gt"
        strictly = Q(**{f"{name}__{comparison}": value})
        # The bound on the first field is implied by the rest; it is what an index can use.
        condition = (
            strictly
            if not condition
            else (Q(**{f"{name}__{comparison}e": value}) & (strictly | (Q(**{name: value}) & condition)))
        )
    return condition


def _cursor(name: str, row: Any, keyset: Sequence[tuple[str, bool]], *, backward: bool) -> str:
    return seal_cursor(name, [getattr(row, field) for field, _ in keyset], backward=backward)


def seal_cursor(name: str, values: Sequence[Any], *, backward: bool = False) -> str:
    """A cursor of the list ``name`` in the bound tenant: opaque to clients, and ours alone to make."""
    kid = keys.current_token_key()
    payload = _encode(json.dumps([kid, backward, [_pack(value) for value in values]]).encode())
    return f"{payload}.{_signature(kid, name, payload)}"


def _open_cursor(name: str, cursor: str) -> tuple[bool, tuple[Any, ...]]:
    payload, _, signature = cursor.partition(".")
    try:
        if len(cursor) > MAX_CURSOR_LENGTH or not cursor.isascii():
            raise ValueError(cursor)
        kid, backward, packed = json.loads(_decode(payload))
        if not hmac.compare_digest(signature, _signature(str(kid), name, payload)):
            raise ValueError(cursor)
        return bool(backward), tuple(_unpack(*item) for item in packed)
    except (ValueError, TypeError, RecursionError, binascii.Error, keys.UnknownKey):
        raise PlatformError(INVALID_CURSOR, details=[_CURSOR_DETAIL]) from None


_CURSOR_DETAIL = FieldError("cursor", INVALID_CURSOR.key, INVALID_CURSOR.message)


def _signature(kid: str, name: str, payload: str) -> str:
    tenant = bound_tenant()
    owner = "public" if tenant is None else str(tenant.id)
    # 128 bits and a little: nobody can try them offline.
    return keys.derived_secret(kid, "cursor", name, owner, payload)[:22]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _pack(value: Any) -> tuple[str, Any]:
    if isinstance(value, datetime):
        return "t", value.isoformat()
    if isinstance(value, UUID):
        return "u", value.hex
    # A double is the same one again after JSON.
    if isinstance(value, (int, float, str)):
        return "v", value
    raise TypeError(f"{type(value).__name__} cannot be part of a cursor")


_UNPACK: Mapping[str, Any] = {"t": datetime.fromisoformat, "u": UUID, "v": lambda value: value}


def _unpack(kind: str, value: Any) -> Any:
    return _UNPACK[kind](value)
