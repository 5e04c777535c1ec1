"""``/chat/channels/<id>/members``: who is in a channel, coming and going."""

from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chat import errors
from chat.api import examples
from chat.api.serializers import (
    AddedOutput,
    LeftOutput,
    MemberOutput,
    MembersInput,
    MembersMeta,
    RemovedOutput,
    present_member,
)
from chat.presenting_people import present_person
from chat.selectors.channels import member_count, members_of, membership
from chat.services.members import member_leave, member_remove, members_add
from platform_site.api.docs import operation
from platform_site.api.pagination import CURSOR_PARAMETERS, CursorQuery, paginate_by_cursor
from platform_site.api.permissions import SignedIn
from platform_site.api.renderers import Listed
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView

DEFAULT_LIMIT, MAX_LIMIT = 50, 200


class MembersView(ApiView):
    access = SignedIn()
    parameters: ClassVar = {"GET": CURSOR_PARAMETERS}
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="chat_members",
        summary="Who is in a channel, by number",
        description="With up to where each has read, in groups of at most fifty.",
        output=MemberOutput,
        example=examples.MEMBER,
        listed="cursor",
        limit=(DEFAULT_LIMIT, MAX_LIMIT),
        meta=MembersMeta,
    )
    def get(self, request: Request, channel_id: UUID) -> Response:
        membership(user_id=self.identity.user_id, channel_id=channel_id)
        asked = CursorQuery.from_request(request, "chat_members", default=DEFAULT_LIMIT, maximum=MAX_LIMIT)
        members, meta = paginate_by_cursor(members_of(channel_id), asked, ("user_id",))
        count = member_count(channel_id)
        return Listed([present_member(one, count=count) for one in members], {**meta, "memberCount": count})

    @operation(
        id="chat_members_add",
        summary="Let people into a group",
        description="Any member may. Who is in it already is left out of `added`. What was said before is theirs to"
        " read, unless the organisation says otherwise (`chat.history_for_new_members`); nothing of it is unread.",
        input=MembersInput,
        output=AddedOutput,
        example_in={"memberIds": [5]},
        example={"added": [examples.JANE]},
        errors=[errors.INVALID_MEMBERS, errors.TOO_MANY_MEMBERS, errors.NOT_A_GROUP, errors.CHANNEL_ARCHIVED],
    )
    def post(self, request: Request, channel_id: UUID) -> Response:
        refs = self.read(MembersInput)["member_ids"]
        added = members_add(actor=self.identity, channel_id=channel_id, member_refs=refs)
        return Response({"added": [present_person(person) for person in added]})


class MemberView(ApiView):
    access = SignedIn()

    @operation(
        id="chat_member_remove",
        summary="Take somebody out of a group",
        description="For its owner, or a manager who is in it. Oneself: the same as leaving.",
        output=RemovedOutput,
        example={
            "channelId": examples.CHANNEL_ID,
            "id": examples.JANE["id"],
            "userId": examples.JANE["userId"],
            "removed": True,
        },
        errors=[errors.NOT_A_GROUP],
    )
    def delete(self, request: Request, channel_id: UUID, ref: int | UUID) -> Response:
        person = member_remove(actor=self.identity, channel_id=channel_id, ref=ref)
        return Response({"channelId": channel_id, "id": person.uuid, "userId": person.id, "removed": True})


class LeaveView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access = SignedIn()

    @operation(
        id="chat_channel_leave",
        summary="Leave a group",
        description="When its last owner leaves, it is the one's who has been in it for longest.",
        output=LeftOutput,
        example={"channelId": examples.CHANNEL_ID, "left": True},
        errors=[errors.NOT_A_GROUP],
    )
    def post(self, request: Request, channel_id: UUID) -> Response:
        member_leave(actor=self.identity, channel_id=channel_id)
        return Response({"channelId": channel_id, "left": True})
