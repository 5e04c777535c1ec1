"""``docs/asyncapi.json``: every frame of the socket with its schema. ``python -m platform_site.realtime.asyncapi``.

The structs here describe frames and do nothing else; the hub and the apps make
them. A test compares them with ``docs/realtime.md``, and another with what a
running server says. Messages, channels and notifications are what REST gives, so
their schemas are taken from ``docs/openapi.json``.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from platform_site.realtime.protocol import BUDGET_BYTES, FRAME_BYTES, SUBPROTOCOL, WATCHED_PEOPLE, Close

DOCS: Final = Path(__file__).parents[2] / "docs"
DOCUMENT: Final = DOCS / "asyncapi.json"
OPENAPI: Final = DOCS / "openapi.json"

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


def _ref(name: str, kind: str = "schemas") -> dict[str, str]:
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
    """Messages `from` to `to` are to be had by REST. Those that the client has already were changed as well."""

    c: UUID
    from_: Seq
    to: Seq
    ch: ChangeSeq


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

    d: Annotated[dict[str, Any], Meta(extra_json_schema={"oneOf": [_ref(one.__name__) for one in ANSWERS]})]
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

Return = Literal["with positions", "with a new token", "not by itself"]
_BACK: Final[Mapping[int, Return]] = {40: "with positions", 44: "with a new token", 45: "not by itself"}
CLOSE_CODES: Final[Mapping[int, str]] = {
    Close.SHUTDOWN: "The server stops; come back within ten seconds.",
    Close.SLOW: f"Too slow: {BUDGET_BYTES // 1024} KiB waited for this client. Coming back loses nothing.",
    4009: "No answer to pings.",
    Close.STATE_LOST: "The server lost its state.",
    Close.TOO_MANY_FRAMES: "Too many frames; come back slower.",
    Close.TOKEN_ENDED: "The token ended.",
    Close.SOMEBODY_ELSE: "The new token is somebody else's.",
    Close.NOWHERE: "Nothing listens at this path.",
    Close.BAD_FRAMES: "Ten frames were wrong, or the first one was.",
    Close.NO_SIGN_IN: "No sign-in within five seconds.",
    Close.REVOKED: "Signed out, deactivated, or the token is not valid.",
    Close.TOO_MANY_SOCKETS: "Twenty sockets of this person, or twenty from this address that did not sign in.",
    Close.SUSPENDED: "The organisation is suspended, or about to be deleted.",
}


def document(openapi: Mapping[str, Any]) -> dict[str, Any]:
    """The whole of it, with the schemas that REST gives taken from ``openapi``."""
    frames = (*TO_SERVER, *FROM_SERVER)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Core Platform socket",
            "version": openapi["info"]["version"],
            "description": "One socket carries chat, notifications and counters. Whatever it says can also be had by"
            " REST. How positions, resuming and re-connecting work: docs/realtime.md.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "platform": {"host": "core.example.com", "protocol": "wss", "security": [_ref("bearer", "securitySchemes")]}
        },
        "channels": {
            "socket": {
                "address": "/ws/v1",
                "description": f"Subprotocol {SUBPROTOCOL}; JSON text frames of at most {FRAME_BYTES // 1024} KiB;"
                " t names the kind.",
                "messages": {frame.__name__: _ref(frame.__name__, "messages") for frame in frames},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
                "x-close-codes": {
                    str(code): {"meaning": meaning, "comeBack": _BACK[code // 100]}
                    for code, meaning in CLOSE_CODES.items()
                },
            }
        },
        "operations": {
            "hear": _operation("receive", "What a client says.", TO_SERVER),
            "say": _operation("send", "What the server says.", FROM_SERVER),
        },
        "components": {
            "messages": {frame.__name__: _message(frame) for frame in frames},
            "schemas": _schemas(frames, openapi),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "In the first frame, or as the subprotocol bearer.<access token>; never in the"
                    " address. A ticket from POST /auth/ws-ticket does as well.",
                }
            },
        },
    }


def _operation(action: str, summary: str, frames: Sequence[type[Frame]]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{frame.__name__}"} for frame in frames],
    }


def kind(frame: type[Frame]) -> str:
    return str(frame.__struct_config__.tag)


def _message(frame: type[Frame]) -> dict[str, Any]:
    return {
        "name": kind(frame),
        "summary": " ".join((frame.__doc__ or "").split()),
        "payload": _ref(frame.__name__),
    }


def _schemas(frames: Sequence[type[Frame]], openapi: Mapping[str, Any]) -> dict[str, Any]:
    _, ours = msgspec.json.schema_components((*frames, *ANSWERS), ref_template="#/components/schemas/{name}")
    theirs = openapi["components"]["schemas"]
    schemas: dict[str, Any] = {}
    for name in FROM_REST:
        _take(name, theirs, schemas)
    notification = theirs["Notification"]
    schemas["NotificationWithCount"] = {
        **notification,
        "description": ours["NotificationWithCount"]["description"],
        "properties": {**notification["properties"], "unreadCount": {"type": "integer", "minimum": 0}},
        "required": sorted([*notification["required"], "unreadCount"]),
    }
    return dict(sorted({**ours, **schemas}.items()))


def _take(name: str, theirs: Mapping[str, Any], schemas: dict[str, Any]) -> None:
    """A schema of REST, and those that it refers to."""
    if name in schemas:
        return
    schemas[name] = theirs[name]
    for found in _references(theirs[name]):
        _take(found, theirs, schemas)


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for one in schema for name in _references(one)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].rpartition("/")[2]] if isinstance(schema.get("$ref"), str) else []
    return own + [name for one in schema.values() for name in _references(one)]


def written(openapi: Mapping[str, Any]) -> str:
    return json.dumps(document(openapi), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(written(json.loads(OPENAPI.read_text())))
    sys.stdout.write(f"{DOCUMENT} is written.\n")
