"""``/chat/channels/:id/messages``: reading, sending, changing, deleting, and emojis."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from chat import errors
from chat.api import examples
from chat.api.message_pages import DEFAULT, LARGEST_NUMBER, MOST, PARAMETERS, Asked
from chat.api.message_shapes import EditInput, MessageOutput, MessagesMeta, SendInput
from chat.selectors.messages import messages_in, place_in
from chat.services.message_changes import message_delete, message_edit
from chat.services.messages import message_send
from chat.services.reactions import reaction_add, reaction_remove
from platform_site.api.docs import operation, query
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.permissions import SignedIn
from platform_site.api.renderers import Listed
from platform_site.api.views import ApiView
from platform_site.errors import RATE_LIMITED

MESSAGE = {
    "id": "019aaf1e-5d2c-7a31-9c0e-0000000000a1",
    "channelId": examples.CHANNEL_ID,
    "seq": 414,
    "changeSeq": 0,
    "sender": examples.JANE,
    "senderName": "Jane Doe",
    "content": "Hello team!",
    "contentType": "text/plain",
    "clientMessageId": "b7a0c9d2",
    "replyTo": None,
    "mentions": [],
    "mentionsEveryone": False,
    "reactions": [],
    "createdAt": "2026-11-27T09:00:00.000Z",
    "editedAt": None,
    "deletedAt": None,
}
CHANGED = {**MESSAGE, "changeSeq": 3}
TOMBSTONE = {**CHANGED, "content": "", "deletedAt": "2026-11-27T09:05:00.000Z"}
REACTED = {**CHANGED, "reactions": [{"emoji": "👍", "count": 2, "userIds": [2, 5]}]}
NUMBER = {"type": "integer", "minimum": 1, "maximum": LARGEST_NUMBER}
UNCHANGEABLE = [errors.MESSAGE_DELETED, errors.CHANNEL_ARCHIVED, RATE_LIMITED]
EMOJI = OpenApiParameter("emoji", str, OpenApiParameter.PATH, description="One emoji, URL-encoded.")


class MessagesView(ApiView):
    when_impersonated: ClassVar = {"GET": WhenImpersonated.MESSAGES}
    access = SignedIn()
    parameters: ClassVar = {"GET": PARAMETERS}
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="chat_messages",
        summary="Messages of a channel, newest first",
        description="`nextCursor` leads to older and `prevCursor` to newer ones. Instead of a cursor: `before` a"
        " number, `after` a number (the oldest first), or `around` a message. Messages that come in move no page."
        " The position in `meta` is one from which nothing is missed.",
        output=MessageOutput,
        example=MESSAGE,
        listed="cursor",
        limit=(DEFAULT, MOST),
        meta=MessagesMeta,
        parameters=[
            query("before", NUMBER, "Older than this `seq`."),
            query("after", {**NUMBER, "minimum": 0}, "Newer than this `seq`, the oldest first."),
            query("around", {"type": "string", "format": "uuid"}, "A message's id: with it in the middle."),
        ],
    )
    def get(self, request: Request, channel_id: UUID) -> Response:
        asked = Asked.from_request(request, channel_id)
        place = place_in(user_id=self.identity.user_id, channel_id=channel_id, around=asked.around)
        page = messages_in(channel_id, asked.window(place))
        return Listed(page if asked.ascending else page[::-1], asked.meta(channel_id, place, page))

    @operation(
        id="chat_message_send",
        summary="Send a message",
        description="The same `clientMessageId` of the same sender is the same message, for ever; a repetition is"
        " answered with 200 and `Idempotency-Replayed: true`. People are mentioned by `<@userId>`, `<@id>` and"
        " `<@all>`. Sending counts as having read what is above.",
        input=SendInput,
        output=MessageOutput,
        status=201,
        also_status={200: "It was sent before."},
        example_in={"content": "Hello team!", "clientMessageId": "b7a0c9d2"},
        example=MESSAGE,
        errors=[
            errors.IDEMPOTENCY_CONFLICT,
            errors.CHANNEL_ARCHIVED,
            errors.RECIPIENT_INACTIVE,
            errors.REPLY_NOT_FOUND,
            RATE_LIMITED,
        ],
    )
    def post(self, request: Request, channel_id: UUID) -> Response:
        sent = message_send(actor=self.identity, channel_id=channel_id, **self.read(SendInput))
        if sent.again:
            return Response(sent.message, headers={"Idempotency-Replayed": "true"})
        return Response(sent.message, status=201)


class MessageView(ApiView):
    access = SignedIn()

    @operation(
        id="chat_message_edit",
        summary="Change an own message",
        description="For as long as the setting `chat.edit_minutes` says. Who is named now and was not before is told.",
        input=EditInput,
        output=MessageOutput,
        example_in={"content": "Hello everybody!"},
        example={**CHANGED, "content": "Hello everybody!", "editedAt": "2026-11-27T09:05:00.000Z"},
        errors=[errors.EDIT_TIME_OVER, *UNCHANGEABLE],
    )
    def patch(self, request: Request, channel_id: UUID, message_id: UUID) -> Response:
        content = self.read(EditInput)["content"]
        changed = message_edit(actor=self.identity, channel_id=channel_id, message_id=message_id, content=content)
        return Response(changed)

    put = patch

    @operation(
        id="chat_message_delete",
        summary="Delete a message",
        description="A tombstone without content stays, so that no number is missing. Again is fine. The sender may,"
        " the owner of the channel, and a member who is a manager or more.",
        output=MessageOutput,
        example=TOMBSTONE,
        errors=[RATE_LIMITED],
    )
    def delete(self, request: Request, channel_id: UUID, message_id: UUID) -> Response:
        return Response(message_delete(actor=self.identity, channel_id=channel_id, message_id=message_id))


class ReactionView(ApiView):
    access = SignedIn()

    @operation(
        id="chat_reaction_add",
        summary="React to a message with an emoji",
        description="A message takes 20 different emojis. Again is fine.",
        output=MessageOutput,
        example=REACTED,
        parameters=[EMOJI],
        errors=[errors.TOO_MANY_REACTIONS, *UNCHANGEABLE],
    )
    def put(self, request: Request, channel_id: UUID, message_id: UUID, emoji: str) -> Response:
        changed = reaction_add(actor=self.identity, channel_id=channel_id, message_id=message_id, emoji=emoji)
        return Response(changed)

    @operation(
        id="chat_reaction_remove",
        summary="Take an own emoji away again",
        output=MessageOutput,
        example=CHANGED,
        parameters=[EMOJI],
        errors=UNCHANGEABLE,
    )
    def delete(self, request: Request, channel_id: UUID, message_id: UUID, emoji: str) -> Response:
        changed = reaction_remove(actor=self.identity, channel_id=channel_id, message_id=message_id, emoji=emoji)
        return Response(changed)
