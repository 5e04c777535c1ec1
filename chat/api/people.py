"""``/chat/users``: whom one can write to."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.catalog import USERS_VIEW
from chat.api import examples
from chat.api.serializers import PickedPersonOutput, present_picked
from chat.selectors.people import BY_NAME, people_to_pick
from platform_site.api.docs import operation, query
from platform_site.api.pagination import CURSOR_PARAMETERS, CursorQuery, paginate_by_cursor, single_parameter
from platform_site.api.permissions import SignedIn
from platform_site.api.renderers import Listed
from platform_site.api.views import ApiView
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError
from platform_site.realtime.presence import online

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
MAX_SEARCH = 100


class PeopleView(ApiView):
    access = SignedIn()
    parameters: ClassVar = {"GET": (*CURSOR_PARAMETERS, "search")}

    @operation(
        id="chat_users",
        summary="Active people but oneself, by name",
        description="Every word of `search` must occur in the name, or in the address for who may see people."
        " `online` is what was heard last, and false while nothing is known.",
        output=PickedPersonOutput,
        example=examples.PERSON,
        listed="cursor",
        limit=(DEFAULT_LIMIT, MAX_LIMIT),
        parameters=[query("search", {"type": "string", "maxLength": MAX_SEARCH}, "Parts of names or of the address.")],
    )
    def get(self, request: Request) -> Response:
        me = self.identity
        sees = USERS_VIEW.key in me.permissions
        found = people_to_pick(user_id=me.user_id, search=_search(request), by_address=sees)
        asked = CursorQuery.from_request(request, "chat_users", default=DEFAULT_LIMIT, maximum=MAX_LIMIT)
        people, meta = paginate_by_cursor(found, asked, BY_NAME)
        there = online(me.tenant.id, [person.id for person in people])
        return Listed([present_picked(one, online=one.id in there, with_address=sees) for one in people], meta)


def _search(request: Request) -> str:
    search = single_parameter(request, "search") or ""
    if len(search) > MAX_SEARCH or "\x00" in search:
        raise PlatformError(
            VALIDATION_FAILED, details=[FieldError("search", "max_length", f"Use at most {MAX_SEARCH} characters.")]
        )
    return search
