"""Query parameters of the lists of events, read strictly, and the pages that they ask for."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from rest_framework.request import Request

from events.models import Event
from events.selectors.lists import EventFilter, events_beyond, events_page, events_total
from events.sent import MAX_ACTION, MAX_CATEGORY, NAME
from platform_site.api.pagination import CursorQuery, PageQuery, seal_cursor, single_parameter
from platform_site.errors import INVALID_CURSOR, VALIDATION_FAILED, FieldError, PlatformError
from platform_site.moments import NaiveMoment, read_moment

DEFAULT: Final = 50
MOST: Final = 200
FILTERS: Final = ("app", "category", "action", "from", "to", "q")
PARAMETERS: Final = ("cursor", "page", "limit", *FILTERS)


def event_filter(request: Request) -> EventFilter:
    """Raises ``validation_failed``."""
    app = single_parameter(request, "app")
    if app is not None and not NAME.fullmatch(app):
        raise _refused("app", "invalid", "This is no name of an app.")
    since, until = _moment(request, "from"), _moment(request, "to")
    if since and until and since > until:
        raise _refused("to", "invalid", "This is before the beginning.")
    return EventFilter(
        app=app,
        category=_text(request, "category", MAX_CATEGORY),
        action=_text(request, "action", MAX_ACTION),
        since=since,
        until=until,
        words=_text(request, "q", MAX_ACTION),
    )


def _text(request: Request, name: str, longest: int) -> str | None:
    value = single_parameter(request, name)
    if value is None:
        return None
    text = value.strip()
    if not text:
        raise _refused(name, "blank", "This may not be blank.")
    if len(text) > longest:
        raise _refused(name, "max_length", f"Give at most {longest} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise _refused(name, "control", "Control characters are not allowed.")
    return text


def _moment(request: Request, name: str) -> datetime | None:
    text = single_parameter(request, name)
    if text is None:
        return None
    try:
        return read_moment(text)
    except ValueError as error:
        raise _refused(name, "naive" if isinstance(error, NaiveMoment) else "invalid", str(error)) from None


def _refused(name: str, code: str, message: str) -> PlatformError:
    return PlatformError(VALIDATION_FAILED, details=[FieldError(name, code, message)])


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the list: the beginning, by cursor from there on, or by number for those who want to jump."""

    wanted: EventFilter
    cursor: CursorQuery
    page: PageQuery

    @classmethod
    def from_request(cls, request: Request, canonical_id: UUID) -> "Asked":
        """Raises ``validation_failed`` or ``invalid_cursor``."""
        if "page" in request.query_params and "cursor" in request.query_params:
            raise _refused("page", "invalid", "Give a page or a cursor, not both.")
        # The list of one id is none of another's.
        name = f"platform_events:{canonical_id.hex}"
        return cls(
            event_filter(request),
            CursorQuery.from_request(request, name, default=DEFAULT, maximum=MOST),
            PageQuery.from_request(request, default=DEFAULT, maximum=MOST),
        )

    def of(self, ids: Sequence[UUID]) -> tuple[list[Event], dict[str, Any]]:
        """The events and their ``meta``: one query by cursor, two by number, three beyond what is counted."""
        return self._by_number(ids) if self.cursor.after is None else self._by_cursor(ids, self.cursor.after)

    def _by_number(self, ids: Sequence[UUID]) -> tuple[list[Event], dict[str, Any]]:
        page, name = self.page, self.cursor.name
        total, estimated = events_total(ids, self.wanted)
        found = events_page(ids, self.wanted, offset=(page.page - 1) * page.limit, limit=page.limit + 1)
        shown, more = found[: page.limit], len(found) > page.limit
        return shown, {
            "limit": page.limit,
            # From the end of any page one can go on by cursor.
            "nextCursor": _cursor(name, shown[-1], backward=False) if more else None,
            "prevCursor": None,
            "page": page.page,
            "total": total,
            "totalPages": -(-total // page.limit),
            "totalIsEstimate": estimated,
        }

    def _by_cursor(self, ids: Sequence[UUID], after: tuple[Any, ...]) -> tuple[list[Event], dict[str, Any]]:
        query = self.cursor
        if len(after) != 2:
            raise PlatformError(INVALID_CURSOR)
        found = events_beyond(ids, self.wanted, place=(after[0], after[1]), newer=query.backward, limit=query.limit + 1)
        more, page = len(found) > query.limit, found[: query.limit]
        if query.backward:
            page.reverse()
        older = bool(page) and (more or query.backward)
        newer = bool(page) and (more or not query.backward)
        return page, {
            "limit": query.limit,
            "nextCursor": _cursor(query.name, page[-1], backward=False) if older else None,
            "prevCursor": _cursor(query.name, page[0], backward=True) if newer else None,
        }


def _cursor(name: str, event: Event, *, backward: bool) -> str:
    return seal_cursor(name, [event.occurred_at, event.id], backward=backward)
