"""The frames of the socket, as a table of their shapes: what each is called, what it holds, and what it is for.

The structs describe and do nothing else; the hub and the apps make frames. ``asyncapi.py`` makes the document of them.
Messages, channels and notifications are what REST gives: here they are names, and their schemas come from there.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from platform_site.realtime.protocol import WATCHED_PEOPLE

Seq = Annotated[int, Meta(ge=0, description="The number of a message in its channel.")]
ChangeSeq = Annotated[int, Meta(ge=0, description="The number of a change in its channel.")]
Count = Annotated[int, Meta(ge=0)]
UserId = Annotated[int, Meta(ge=1, description="The number of a person in the tenant.")]
FrameId = Annotated[str | int, Meta(description="Chosen by the client, and given back in the answer.")]
Moment = Annotated[datetime, Meta(tz=True)]
Position = Annotated[tuple[Seq, ChangeSeq], Meta(description="[seq, changeSeq]")]


def _wire(name: str) -> str:
    """camelCase. A name that Python keeps for itself ends with an underscore."""
    first, *more = name.rstrip("_").split("_")
    return first + "".join(part.capitalize() for part in more)


def reference(name: str, kind: str = "schemas") -> dict[str, str]:
    """To a part of the document that is made of these."""
    return {"$ref": f"#/components/{kind}/{name}"}


class Frame(msgspec.Struct, tag_field="t", rename=_wire):
    pass


class Shape(msgspec.Struct, rename=_wire):
    pass


# What REST gives; the schemas come from there.
class Message(Shape):
    pass


class Channel(Shape):
    pass


class Notification(Shape):
    pass


class NotificationWithCount(Shape):
    """The notification as the inbox gives it, with the count that is left."""


FROM_REST: Final = ("Message", "Channel", "Notification")


class Me(Shape):
    id: UUID
    user_id: UserId


class Counts(Shape):
    """What is unread or waits, as absolute numbers."""

    email: Count
    tasks: Count
    chat: Count
    notifications: Count


class ReadCounts(Shape):
    unread_count: Count
    total_unread: Count


class ReadState(ReadCounts):
    channel_id: UUID
    last_read_seq: Seq


class Online(Shape):
    online: list[UserId]


class Renewed(Shape):
    exp: Annotated[int, Meta(description="When the new token ends, in seconds since 1970.")]


# What ok says, by what it answers.
ANSWERS: Final = (ReadState, Online, Renewed)


class NotificationChanged(Shape):
    id: UUID
    unread_count: Count


class NotificationsRead(Shape):
    before: Moment
    unread_count: Count


# -- to the server ---------------------------------------------------------------------------


class Auth(Frame, tag="auth"):
    """Sign in with the first frame, and again before the token ends. One of token and ticket is given."""

    token: str | UnsetType = UNSET
    ticket: str | UnsetType = UNSET
    since: dict[UUID, Position] | UnsetType = UNSET
    last_notification_id: UUID | UnsetType = UNSET
    id: FrameId | UnsetType = UNSET


class Ping(Frame, tag="ping"):
    """Answered by pong."""

    id: FrameId | UnsetType = UNSET


class Typing(Frame, tag="typing"):
    """Shown to the others, in groups of at most 50. More than one in three seconds is dropped."""

    channel_id: UUID


class Read(Frame, tag="read"):
    """Everything up to seq was seen. As POST /chat/channels/:id/read; answered by ok."""

    channel_id: UUID
    seq: Seq
    id: FrameId | UnsetType = UNSET


class Presence(Frame, tag="presence"):
    """Whose coming and going one wants to hear; replaces the list before. Answered by ok with those who are there."""

    user_ids: Annotated[list[UserId], Meta(max_length=WATCHED_PEOPLE)]
    id: FrameId | UnsetType = UNSET


# -- from the server -------------------------------------------------------------------------


class Ready(Frame, tag="ready"):
    """The first frame of the server; live frames wait for it."""

    sid: str
    user: Me
    server_time: Moment
    heartbeat: Annotated[int, Meta(description="Seconds of silence after which the server says ping.")]
    exp: Annotated[int, Meta(description="When the token ends, in seconds since 1970.")]
    epoch: Annotated[int, Meta(description="Another one means that numbers may have gone back.")]
    counts: Counts
    channels: Annotated[list[tuple[UUID, Seq, ChangeSeq, Seq]], Meta(description="id, lastSeq, changeSeq, lastReadSeq")]
    left: list[UUID]
    last_notification_id: UUID | None


class MessageCreated(Frame, tag="message.created"):
    """The next message of a channel."""

    c: UUID
    seq: Seq
    d: Message


class MessageUpdated(Frame, tag="message.updated"):
    """A message was edited, deleted (a tombstone without content) or reacted to; ch is its changeSeq."""

    c: UUID
    seq: Seq
    ch: ChangeSeq
    d: Message


class Resumed(Frame, tag="resumed"):
    """Everything of this channel up to `to`, and every change up to `ch`, has been sent."""

    c: UUID
    from_: Seq
    to: Seq
    ch: ChangeSeq


class Gap(Frame, tag="gap"):
    """Messages `from` to `to` are to be had by REST. Those that the client has already were changed as well.

    Without `ch` it says nothing of changes: they are sent.
    """

    c: UUID
    from_: Seq
    to: Seq
    ch: ChangeSeq | UnsetType = UNSET


class ChannelAdded(Frame, tag="channel.added"):
    """One is in it now. What comes after seq and ch is sent."""

    c: UUID
    seq: Seq
    ch: ChangeSeq
    d: Channel


class ChannelUpdated(Frame, tag="channel.updated"):
    """Name, archive or members changed: load it again when it is shown."""

    c: UUID
    d: Annotated[dict[str, Any], Meta(description="What changed.")]


class ChannelRemoved(Frame, tag="channel.removed"):
    """One is no longer in it."""

    c: UUID


class ChannelRead(Frame, tag="channel.read"):
    """Somebody has read up to seq. One's own for all devices, with counts; that of others in groups of at most 50."""

    c: UUID
    user_id: UserId
    seq: Seq
    d: ReadCounts | UnsetType = UNSET


class SomebodyTypes(Frame, tag="typing"):
    """For four seconds. It may be lost."""

    c: UUID
    user_id: UserId


class SomebodyIs(Frame, tag="presence"):
    """Somebody who is watched came or went. It may be lost."""

    user_id: UserId
    online: bool


class NotificationCreated(Frame, tag="notification.created"):
    """A new notification, or one that came in since lastNotificationId."""

    d: NotificationWithCount


class NotificationRead(Frame, tag="notification.read"):
    """It was read, on this device or another."""

    d: NotificationChanged


class NotificationReadAll(Frame, tag="notification.readAll"):
    """All from before then were read."""

    d: NotificationsRead


class NotificationDismissed(Frame, tag="notification.dismissed"):
    """It was put away."""

    d: NotificationChanged


class CountsChanged(Frame, tag="counts"):
    """Absolute, at most four times a second."""

    d: Counts


class Refresh(Frame, tag="refresh"):
    """The server may have missed what is not numbered: load channels and counts again."""


class AuthExpiring(Frame, tag="auth.expiring"):
    """Send auth with a new token."""

    in_: Annotated[int, Meta(ge=0, description="Seconds until the token ends.")]


class Ok(Frame, tag="ok"):
    """The answer to read, presence and a second auth."""

    d: Annotated[dict[str, Any], Meta(extra_json_schema={"oneOf": [reference(one.__name__) for one in ANSWERS]})]
    id: FrameId | UnsetType = UNSET


class Pong(Frame, tag="pong"):
    """The answer to ping."""

    id: FrameId | UnsetType = UNSET


class Heartbeat(Frame, tag="ping"):
    """Nothing was sent for 25 seconds. Needs no answer."""


class Error(Frame, tag="error"):
    """The frame was refused; the socket stays."""

    code: Annotated[str, Meta(description="lower_snake_case, as in REST.")]
    message: str
    id: FrameId | UnsetType = UNSET


TO_SERVER: Final[Sequence[type[Frame]]] = (Auth, Ping, Typing, Read, Presence)
FROM_SERVER: Final[Sequence[type[Frame]]] = (
    *(Ready, MessageCreated, MessageUpdated, Resumed, Gap),
    *(ChannelAdded, ChannelUpdated, ChannelRemoved, ChannelRead),
    *(SomebodyTypes, SomebodyIs),
    *(NotificationCreated, NotificationRead, NotificationReadAll, NotificationDismissed),
    *(CountsChanged, Refresh, AuthExpiring, Ok, Pong, Heartbeat, Error),
)


def kind(frame: type[Frame]) -> str:
    """What ``t`` says of this one."""
    return str(frame.__struct_config__.tag)
