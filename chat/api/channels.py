"""``/chat/channels``: the list, opening and making channels, and changing one."""

from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chat import errors
from chat.api import examples
from chat.api.serializers import (
    ChannelInput,
    ChannelOutput,
    ChannelsMeta,
    DirectInput,
    GroupInput,
    OpenedChannelOutput,
)
from chat.presenting_channels import present_channel
from chat.selectors.channels import NEWEST_FIRST, channel_list, channel_view, channel_views
from chat.services.channels import ChannelChanges, channel_change, direct_open, group_create
from chat.unread import unread_total
from platform_site.api.docs import operation, query
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.pagination import CURSOR_PARAMETERS, CursorQuery, paginate_by_cursor
from platform_site.api.permissions import SignedIn
from platform_site.api.query import query_flag
from platform_site.api.renderers import Listed
from platform_site.api.views import ApiView

LIMIT = 200


class ChannelsView(ApiView):
    when_impersonated = WhenImpersonated.MESSAGES
    access = SignedIn()
    parameters: ClassVar = {"GET": (*CURSOR_PARAMETERS, "includeHidden", "archived")}

    @operation(
        id="chat_channels",
        summary="One's own channels, the last active first",
        description="Without those that were put away or archived. `meta.unreadCount` counts all channels, not only"
        " this page, and no muted or archived one.",
        output=ChannelOutput,
        example=examples.CHANNEL,
        listed="cursor",
        limit=(LIMIT, LIMIT),
        meta=ChannelsMeta,
        parameters=[
            query("includeHidden", str, "Also those that were put away.", enum=("true", "false")),
            query("archived", str, "Only those that are archived.", enum=("true", "false")),
        ],
    )
    def get(self, request: Request) -> Response:
        user_id = self.identity.user_id
        hidden, archived = query_flag(request, "includeHidden"), query_flag(request, "archived")
        asked = CursorQuery.from_request(request, "chat_channels", default=LIMIT, maximum=LIMIT)
        rows, meta = paginate_by_cursor(
            channel_list(user_id=user_id, hidden=hidden, archived=archived), asked, NEWEST_FIRST
        )
        shown = [present_channel(view) for view in channel_views(rows)]
        return Listed(shown, {**meta, "unreadCount": unread_total(user_id).unread})


class DirectView(ApiView):
    access = SignedIn()
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="chat_direct_open",
        summary="Start or resume the channel with somebody",
        description="Two people have one, whoever asks. One that was put away comes back for the caller alone."
        " With somebody who was deactivated since it can be read, and `canPost` is false.",
        input=DirectInput,
        output=OpenedChannelOutput,
        status=201,
        also_status={200: "It was there before; `created` is false."},
        example_in={"userId": 5},
        example=examples.DIRECT,
        errors=[errors.USER_NOT_FOUND, errors.USER_INACTIVE, errors.CANNOT_MESSAGE_SELF],
    )
    def post(self, request: Request) -> Response:
        opened = direct_open(actor=self.identity, ref=self.read(DirectInput)["user_id"])
        shown = _shown(self.identity.user_id, opened.channel_id)
        status = 201 if opened.created else 200
        return Response({**shown, "created": opened.created}, status=status, headers=_location(opened.channel_id))


class GroupView(ApiView):
    access = SignedIn()
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="chat_group_create",
        summary="Make a group channel",
        description="The caller is in it and owns it. Is one of `memberIds` nobody here, or not active, nothing is"
        " made, and `context.invalidMemberIds` names all such.",
        input=GroupInput,
        output=ChannelOutput,
        status=201,
        example_in={"name": "Project Alpha", "memberIds": [2, 5, 8]},
        example=examples.NEW_GROUP,
        errors=[errors.INVALID_MEMBERS, errors.TOO_MANY_MEMBERS],
    )
    def post(self, request: Request) -> Response:
        data = self.read(GroupInput)
        channel_id = group_create(actor=self.identity, name=data["name"], member_refs=data["member_ids"])
        return Response(_shown(self.identity.user_id, channel_id), status=201, headers=_location(channel_id))


class ChannelView(ApiView):
    when_impersonated: ClassVar = {"GET": WhenImpersonated.MESSAGES}
    access = SignedIn()

    @operation(id="chat_channel", summary="One of one's own channels", output=ChannelOutput, example=examples.CHANNEL)
    def get(self, request: Request, channel_id: UUID) -> Response:
        return Response(_shown(self.identity.user_id, channel_id))

    @operation(
        id="chat_channel_update",
        summary="Change a channel",
        description="`name` and `archived` are for a group's owner, or a manager who is in it. `muted`, `mutedUntil`"
        " and `hidden` are one's own. `mutedUntil` alone mutes until then, `muted` alone until further notice.",
        input=ChannelInput,
        output=ChannelOutput,
        example_in={"muted": True, "mutedUntil": "2026-12-01T08:00:00.000Z"},
        example={**examples.CHANNEL, "muted": True, "mutedUntil": "2026-12-01T08:00:00.000Z"},
        errors=[errors.NOT_A_GROUP],
    )
    def patch(self, request: Request, channel_id: UUID) -> Response:
        changes = ChannelChanges(**self.read(ChannelInput))
        channel_change(actor=self.identity, channel_id=channel_id, changes=changes)
        return Response(_shown(self.identity.user_id, channel_id))

    put = patch


def _shown(user_id: int, channel_id: UUID) -> dict[str, Any]:
    return present_channel(channel_view(user_id=user_id, channel_id=channel_id))


def _location(channel_id: UUID) -> dict[str, str]:
    return {"Location": f"/api/v1/chat/channels/{channel_id}"}
