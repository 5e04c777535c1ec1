"""Addresses of pictures: ``/avatars/<tenant><picture><signature>.webp``.

An ``<img>`` sends no access token, so the address is all there is. The
signature makes a guess cost no query; the picture's id is random and new for
each picture, so that whoever had the old address has only the old picture.
"""

import hmac
import re
from uuid import UUID

from django.conf import settings

from platform_site.keys import current_token_key, derived_secret

_FORM = re.compile(r"(?P<tenant>[0-9a-f]{32})(?P<id>[0-9a-f]{32})(?P<signature>[A-Za-z0-9_-]{22})")


def _signature(key_id: str, tenant_id: UUID, avatar_id: UUID) -> str:
    """132 bits."""
    return derived_secret(key_id, "avatar", tenant_id.hex, avatar_id.hex)[:22]


def avatar_token(tenant_id: UUID, avatar_id: UUID) -> str:
    return f"{tenant_id.hex}{avatar_id.hex}{_signature(current_token_key(), tenant_id, avatar_id)}"


def avatar_address(tenant_id: UUID, avatar_id: UUID) -> str:
    """The public address of the picture, absolute."""
    return f"{settings.PUBLIC_URL}/avatars/{avatar_token(tenant_id, avatar_id)}.webp"


def parse_avatar_token(token: str) -> tuple[UUID, UUID] | None:
    """(tenant, picture) when this platform made the token, with any key that is still in the ring; else None."""
    match = _FORM.fullmatch(token)
    if match is None or not any(signed_by(key_id, token) for key_id, _ in settings.TOKEN_KEYS):
        return None
    return UUID(match["tenant"]), UUID(match["id"])


def signed_by(key_id: str, token: str) -> bool:
    """Whether the token was made with this key."""
    match = _FORM.fullmatch(token)
    return match is not None and hmac.compare_digest(
        _signature(key_id, UUID(match["tenant"]), UUID(match["id"])), match["signature"]
    )
