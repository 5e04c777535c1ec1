"""What is unread, and marking it as read."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chat import errors
from chat.api import examples
from chat.api.serializers import AllReadOutput, ReadInput, ReadStateOutput, UnreadOutput
from chat.services.reading import channel_mark_read, channels_mark_read
from chat.unread import unread_total
from platform_site.api.docs import operation
from platform_site.api.permissions import SignedIn
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView


class ReadView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access = SignedIn()

    @operation(
        id="chat_channel_read",
        summary="Mark a channel as read",
        description="Up to `seq` or `messageId`, without either up to the last message. A client says what it has"
        " shown: a message that comes in between would be marked unseen. It only goes forward; again is fine.",
        input=ReadInput,
        output=ReadStateOutput,
        example_in={"seq": 414},
        example={"channelId": examples.CHANNEL_ID, "lastReadSeq": 414, "unreadCount": 0, "totalUnread": 1},
        errors=[errors.MESSAGE_NOT_FOUND],
    )
    def post(self, request: Request, channel_id: UUID) -> Response:
        state = channel_mark_read(user_id=self.identity.user_id, channel_id=channel_id, **self.read(ReadInput))
        return Response(
            {
                "channelId": state.channel_id,
                "lastReadSeq": state.last_read_seq,
                "unreadCount": state.unread,
                "totalUnread": state.total,
            }
        )

    put = patch = post


class ReadAllView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access = SignedIn()

    @operation(
        id="chat_read_all",
        summary="Mark all channels as read",
        description="`updated` says how many had something new.",
        output=AllReadOutput,
        example={"updated": 3, "unreadCount": 0},
    )
    def post(self, request: Request) -> Response:
        done = channels_mark_read(user_id=self.identity.user_id)
        return Response({"updated": done.channels, "unreadCount": done.total})


class UnreadCountView(ApiView):
    access = SignedIn()

    @operation(
        id="chat_unread_count",
        summary="How much one has not read, in all channels",
        description="Without channels that are muted or archived.",
        output=UnreadOutput,
        example={"unreadCount": 5, "channelsWithUnread": 2, "mentions": 1},
    )
    def get(self, request: Request) -> Response:
        totals = unread_total(self.identity.user_id)
        return Response(
            {"unreadCount": totals.unread, "channelsWithUnread": totals.channels, "mentions": totals.mentions}
        )
