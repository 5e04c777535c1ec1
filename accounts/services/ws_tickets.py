"""Tickets for WebSockets: 32 random bytes that stand for a session, once, for 30 seconds.

A browser cannot send a header with a WebSocket, and an access token has no
place in an address. Tickets live in Valkey alone, under their hash; without
Valkey there are no sockets either, so there is nothing to fall back to.
"""

import secrets

import msgspec

from accounts.access_tokens import Claims
from platform_site import limits, valkey
from platform_site.api.identity import Identity
from platform_site.errors import SERVICE_UNAVAILABLE, PlatformError
from platform_site.keys import fingerprint

TICKET_SECONDS = 30
_RETRY_SECONDS = 5

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Claims).decode


def ws_ticket_issue(*, actor: Identity) -> str:
    """A ticket for this session. Raises ``rate_limited``, and ``service_unavailable`` while Valkey is away."""
    limits.spend("ws_ticket_user", f"{actor.tenant.id.hex}:{actor.user_id}")
    ticket = secrets.token_urlsafe(32)
    claims = Claims(tenant_id=actor.tenant.id, session_id=actor.session_id, user_uuid=actor.user_uuid)
    try:
        valkey.client().set(_key(ticket), _encode(claims), ex=TICKET_SECONDS)
    except valkey.ValkeyAway:
        raise _away() from None
    return ticket


def ws_ticket_redeem(ticket: str) -> Claims | None:
    """Whose session the ticket stands for; None when it is unknown, too old, or was redeemed before.

    The claims are as good as those of a genuine access token: whether the
    session still lives is for ``identity_of`` to say. Raises
    ``service_unavailable`` while Valkey is away.
    """
    try:
        stored = valkey.client().getdel(_key(ticket))
    except valkey.ValkeyAway:
        raise _away() from None
    return _decode(stored) if isinstance(stored, bytes) else None


def _key(ticket: str) -> str:
    return valkey.key("ws_ticket", fingerprint(ticket).hex())


def _away() -> PlatformError:
    return PlatformError(SERVICE_UNAVAILABLE, retry_after=_RETRY_SECONDS)
