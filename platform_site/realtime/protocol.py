"""What client and server may say to each other: codes, limits, and reading a client's frame.

``docs/realtime.md`` is the same for people.
"""

from typing import Any, Final

import msgspec

SUBPROTOCOL: Final = "core.v1"
HEARTBEAT_SECONDS: Final = 25
# Until then somebody has to say who they are, in a frame of at most so many bytes.
SIGN_IN_SECONDS: Final = 5.0
SIGN_IN_BYTES: Final = 8 * 1024
FRAME_BYTES: Final = 64 * 1024
# What may wait for a socket that does not read; the kernel and the server hold 64 KiB more.
BUDGET_BYTES: Final = 256 * 1024
BUDGET_FRAMES: Final = 500
SOCKETS_PER_PERSON: Final = 20
STRANGERS_PER_ADDRESS: Final = 20
FRAMES_PER_SECOND: Final = 20
WRONG_FRAMES: Final = 10
WATCHED_PEOPLE: Final = 200
EXPIRING_SECONDS: Final = 60
# After the end of the token: a client that is renewing it right now keeps its socket.
GRACE_SECONDS: Final = 30


class Close:
    """Close codes. 40xx: come back. 44xx: come back with a new token. 45xx: do not come back by yourself."""

    SHUTDOWN: Final = 4000
    SLOW: Final = 4008
    STATE_LOST: Final = 4010
    TOO_MANY_FRAMES: Final = 4013
    TOKEN_ENDED: Final = 4401
    SOMEBODY_ELSE: Final = 4403
    NOWHERE: Final = 4404
    BAD_FRAMES: Final = 4500
    NO_SIGN_IN: Final = 4501
    REVOKED: Final = 4503
    TOO_MANY_SOCKETS: Final = 4504
    SUSPENDED: Final = 4507


class Refused(Exception):
    """A frame that is not done; the socket stays. ``code`` is lower_snake_case, as in REST.

    ``ours``: the server's trouble, which is not counted as a mistake of the client's.
    """

    def __init__(self, code: str, message: str, *, ours: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.ours = code, message, ours


def away() -> Refused:
    return Refused("service_unavailable", "The database is away.", ours=True)


class Closing(Exception):
    """The socket ends with this code."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class SignIn(msgspec.Struct, rename="camel", forbid_unknown_fields=False):
    """The ``auth`` frame. ``since``: the position ``[seq, changeSeq]`` that the client has of each channel."""

    t: str
    token: str = ""
    ticket: str = ""
    since: dict[str, tuple[int, int] | int] | None = None
    last_notification_id: str | None = None
    id: str | int | None = None

    def __post_init__(self) -> None:
        # Bounds in the type would be shorter; msgspec 0.22 crashes on those of a union, in a garbage collection.
        for position in (self.since or {}).values():
            for number in position if isinstance(position, tuple) else (position,):
                if not 0 <= number < 2**63:
                    raise ValueError("No database has counted so far.")


class _Any(msgspec.Struct):
    t: str


_sign_in = msgspec.json.Decoder(SignIn)
_kind = msgspec.json.Decoder(_Any)


def read_sign_in(text: str) -> SignIn:
    """Raises ``Closing``: who cannot say who they are has nothing else to say."""
    try:
        frame = _sign_in.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise Closing(Close.BAD_FRAMES, "the first frame has to be auth") from None
    if frame.t != "auth":
        raise Closing(Close.BAD_FRAMES, "the first frame has to be auth")
    return frame


def read_frame(text: str) -> tuple[str, dict[str, Any]]:
    """Kind and fields of a later frame; raises ``Refused``."""
    try:
        kind = _kind.decode(text).t
        return kind, msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise Refused("malformed_frame", "A frame is a JSON object with a kind in t.") from None


def named(frame: dict[str, Any]) -> dict[str, str | int]:
    """By which ``id`` the answer to a frame is known. One that is no word and no number of JavaScript's is none."""
    number = frame.get("id")
    return {"id": number} if isinstance(number, str) or (type(number) is int and abs(number) < 2**53) else {}


def whole(frame: dict[str, Any], name: str) -> int:
    """A whole number that a frame has to have."""
    value = frame.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise Refused("validation_failed", f"{name} has to be a whole number.")
    return value
