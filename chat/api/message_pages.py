"""Which part of a channel's messages a request asks for.

Numbers have no holes, so a page is a range of numbers: no cursor can skip or
repeat anything, whatever is sent meanwhile, and whether there is more on either
side is known without looking.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from rest_framework.request import Request

from chat.selectors.messages import Place, Window
from platform_site.api.pagination import CursorQuery, seal_cursor, single_parameter, whole_parameter
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError

DEFAULT: Final = 50
MOST: Final = 200
PARAMETERS: Final = ("cursor", "limit", "before", "after", "around")
LARGEST_NUMBER: Final = 999_999_999
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """One of four ways to say which part; without any it is the newest page."""

    cursor: CursorQuery
    before: int | None = None
    after: int | None = None
    around: UUID | None = None

    @classmethod
    def from_request(cls, request: Request, channel_id: UUID) -> "Asked":
        """Raises ``validation_failed`` or ``invalid_cursor``."""
        given = [name for name in ("cursor", "before", "after", "around") if name in request.query_params]
        if len(given) > 1:
            raise _refused(given[1], "Give only one of cursor, before, after and around.")
        return cls(
            CursorQuery.from_request(request, _name(channel_id), default=DEFAULT, maximum=MOST),
            before=_number(request, "before", minimum=1),
            after=_number(request, "after", minimum=0),
            around=uuid_parameter(request, "around"),
        )

    @property
    def ascending(self) -> bool:
        return self.after is not None

    def window(self, place: Place) -> Window:
        """Raises ``not_found`` when there is no such message to be around of."""
        limit = self.cursor.limit
        if self.around is not None:
            return place.around(limit)
        if self.after is not None:
            return place.after(self.after, limit)
        if self.before is not None:
            return place.before(self.before, limit)
        if self.cursor.after is None:
            return place.newest(limit)
        (seq,) = self.cursor.after
        return place.after(seq, limit) if self.cursor.backward else place.before(seq, limit)

    def meta(self, channel_id: UUID, place: Place, page: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """``nextCursor`` is older and ``prevCursor`` newer, in whichever order the page is."""
        numbers = [message["seq"] for message in page]
        older = bool(numbers) and min(numbers) > place.floor_seq + 1
        newer = bool(numbers) and max(numbers) < place.last_seq
        name = _name(channel_id)
        return {
            "limit": self.cursor.limit,
            "nextCursor": seal_cursor(name, [min(numbers)]) if older else None,
            "prevCursor": seal_cursor(name, [max(numbers)], backward=True) if newer else None,
            "lastSeq": place.last_seq,
            "changeSeq": place.change_seq,
            "lastReadSeq": place.last_read_seq,
        }


def uuid_parameter(request: Request, name: str) -> UUID | None:
    """An id from the query, strictly read."""
    text = single_parameter(request, name)
    if text is None:
        return None
    if not _UUID.fullmatch(text):
        raise _refused(name, "This must be a UUID.")
    return UUID(text)


def _number(request: Request, name: str, *, minimum: int) -> int | None:
    if name not in request.query_params:
        return None
    return whole_parameter(request, name, default=minimum, minimum=minimum, maximum=LARGEST_NUMBER)


def _name(channel_id: UUID) -> str:
    """Cursors of one channel are none of another."""
    return f"chat_messages:{channel_id.hex}"


def _refused(name: str, message: str) -> PlatformError:
    return PlatformError(VALIDATION_FAILED, details=[FieldError(name, "invalid", message)])
