"""``/chat/search``: messages by their words."""

from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response

from chat.api import examples
from chat.api.message_pages import uuid_parameter
from chat.api.message_shapes import FoundMessageOutput
from chat.api.messages import MESSAGE
from chat.presenting_messages import message_from_row
from chat.selectors.messages import Row, messages_found
from platform_site.api.docs import operation, query
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.pagination import CURSOR_PARAMETERS, CursorQuery, seal_cursor, single_parameter
from platform_site.api.permissions import SignedIn
from platform_site.api.renderers import Listed
from platform_site.api.views import ApiView
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError

SHORTEST: Final = 2
LONGEST: Final = 200
_NAME: Final = "chat_search"


class SearchView(ApiView):
    when_impersonated = WhenImpersonated.MESSAGES
    access = SignedIn()
    parameters: ClassVar = {"GET": (*CURSOR_PARAMETERS, "q", "channelId")}

    @operation(
        id="chat_search",
        summary="Messages that hold all these words, newest first",
        description='Of the channels that one is in. Whole words, in any case of the letters. `"in quotes"` is a'
        " phrase, `-word` leaves out, `or` is either. Deleted messages are never found.",
        output=FoundMessageOutput,
        example={**MESSAGE, "channel": {"id": examples.CHANNEL_ID, "type": "group", "name": "Project Alpha"}},
        listed="cursor",
        parameters=[
            query("q", {"type": "string", "minLength": SHORTEST, "maxLength": LONGEST}, "Words.", required=True),
            query("channelId", {"type": "string", "format": "uuid"}, "Only in this channel."),
        ],
    )
    def get(self, request: Request) -> Response:
        page = CursorQuery.from_request(request, _NAME)
        found = messages_found(
            user_id=self.identity.user_id,
            query=_words(request),
            channel_id=uuid_parameter(request, "channelId"),
            before=page.after[0] if page.after else None,
            limit=page.limit + 1,
        )
        items = found[: page.limit]
        more = seal_cursor(_NAME, [items[-1]["id"]]) if len(found) > page.limit else None
        return Listed([_present(row) for row in items], {"limit": page.limit, "nextCursor": more, "prevCursor": None})


def _words(request: Request) -> str:
    words = (single_parameter(request, "q") or "").strip()
    if "\x00" in words:
        raise _refused("control", "Control characters are not allowed.")
    if len(words) < SHORTEST:
        raise _refused("min_length", f"Give at least {SHORTEST} characters.")
    if len(words) > LONGEST:
        raise _refused("max_length", f"Give at most {LONGEST} characters.")
    return words


def _refused(code: str, message: str) -> PlatformError:
    return PlatformError(VALIDATION_FAILED, details=[FieldError("q", code, message)])


def _present(row: Row) -> dict[str, Any]:
    channel = {"id": str(row["channel_id"]), "type": row["channel_kind"], "name": row["channel_name"]}
    return {**message_from_row(row), "channel": channel}
