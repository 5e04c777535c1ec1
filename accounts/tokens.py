"""Opaque tokens: ``<kind>_<tenant>.<id>.<secret>``.

The tenant in front says where to look; the secret is derived from the
platform's key, so that the same token can be made again and nothing that opens
a door is stored. Kinds: ``rt`` refresh token, ``ak`` API key, and the mailed links ``vfy``
(verification), ``rst`` (password reset), ``inv`` (invitation).
"""

import hmac
import re
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from platform_site.keys import derived_secret

_FORM = re.compile(
    r"(?P<kind>[a-z]{2,3})_(?P<tenant>[0-9a-f]{32})\.(?P<id>[0-9a-f]{32})\.(?P<secret>[A-Za-z0-9_-]{43,60})"
)
_MAC_LENGTH = 43


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """A token in its parts; ``str`` gives it whole."""

    kind: str
    tenant_id: UUID
    id: UUID
    secret: str

    def __str__(self) -> str:
        return f"{self.kind}_{self.tenant_id.hex}.{self.id.hex}.{self.secret}"


def parse_token(text: str, kind: str) -> OpaqueToken | None:
    """The parts of a well-formed token of this kind, or None. Says nothing about whether it is genuine."""
    match = _FORM.fullmatch(text) if len(text) <= 200 else None
    if match is None or match["kind"] != kind:
        return None
    return OpaqueToken(kind, UUID(match["tenant"]), UUID(match["id"]), match["secret"])


def make_token(kind: str, tenant_id: UUID, token_id: UUID, *, key_id: str, counter: int = 0) -> OpaqueToken:
    """The token for this id and counter; the same every time. The counter stands behind the secret."""
    mac = derived_secret(key_id, kind, tenant_id.hex, token_id.hex, str(counter))
    return OpaqueToken(kind, tenant_id, token_id, f"{mac}{counter}")


def is_genuine(token: OpaqueToken) -> bool:
    """Whether this platform made the token at some time, with any key that is still in the ring."""
    counter = token.secret[_MAC_LENGTH:]
    if not counter.isdigit():
        return False
    return any(
        hmac.compare_digest(
            make_token(token.kind, token.tenant_id, token.id, key_id=kid, counter=int(counter)).secret, token.secret
        )
        for kid, _ in settings.TOKEN_KEYS
    )
