"""``docs/asyncapi.json``: every frame of the socket with its schema. ``python -m platform_site.realtime.asyncapi``.

The frames stand in ``frames.py``. A test compares the document with ``docs/realtime.md``, and another with what a
running server says. What REST gives as well has the schema that it has in ``docs/openapi.json``.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from platform_site.realtime.frames import ANSWERS, FROM_REST, FROM_SERVER, TO_SERVER, Frame, kind, reference
from platform_site.realtime.protocol import BUDGET_BYTES, FRAME_BYTES, SUBPROTOCOL, Close

DOCS: Final = Path(__file__).parents[2] / "docs"
DOCUMENT: Final = DOCS / "asyncapi.json"
OPENAPI: Final = DOCS / "openapi.json"

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
            "platform": {
                "host": "core.example.com",
                "protocol": "wss",
                "security": [reference("bearer", "securitySchemes")],
            }
        },
        "channels": {
            "socket": {
                "address": "/ws/v1",
                "description": f"Subprotocol {SUBPROTOCOL}; JSON text frames of at most {FRAME_BYTES // 1024} KiB;"
                " t names the kind.",
                "messages": {frame.__name__: reference(frame.__name__, "messages") for frame in frames},
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


def _message(frame: type[Frame]) -> dict[str, Any]:
    return {
        "name": kind(frame),
        "summary": " ".join((frame.__doc__ or "").split()),
        "payload": reference(frame.__name__),
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
