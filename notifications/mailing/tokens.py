"""Signed tokens in mails and in what providers report: they name their tenant and need no row.

One token has one purpose. Purpose, tenant and all else stand under the signature,
so it opens nothing else and nothing of another tenant's. It holds only letters,
digits, "-" and "_", and is short, because providers limit both. It never expires:
a mail may be read after years. It ends with the key that signed it.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.conf import settings

from platform_site.binding import TenantRef, require_tenant
from platform_site.keys import current_token_key, derived_secret
from platform_site.tenants import ACTIVE, SUSPENDED, find_tenant

# 132 bits.
_MAC_LENGTH: Final = 22
_LONGEST: Final = 4096
_HEAD: Final = 1 + 16 + 16
# What a token that unsubscribes is about, where it is not "<event>:<delivery>".
DIGEST_SCOPE: Final = "digest"
EVERYTHING_SCOPE: Final = "all"


class Purpose(StrEnum):
    """One letter each: it stands in the token."""

    UNSUBSCRIBE = "u"
    OPEN = "o"
    CLICK = "c"
    REPORT = "r"


@dataclass(frozen=True, slots=True)
class MailToken:
    """``subject_id`` is a person's, a delivery's or a digest's; ``scope`` is what the purpose makes of it."""

    purpose: Purpose
    tenant_id: UUID
    subject_id: UUID
    scope: str = ""


def make_mail_token(purpose: Purpose, subject_id: UUID, scope: str = "") -> str:
    """A token of the bound tenant; the same every time while the key is the same."""
    payload = purpose.encode() + require_tenant().id.bytes + subject_id.bytes + scope.encode()
    text = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    return text + _mac(current_token_key(), text)


def read_mail_token(text: str, purpose: Purpose) -> MailToken | None:
    """What it says, or None when it is no genuine token for this. Asks no database."""
    if not _HEAD < len(text) <= _LONGEST or not text.isascii():
        return None
    body, mac = text[:-_MAC_LENGTH], text[-_MAC_LENGTH:]
    if not any(hmac.compare_digest(_mac(kid, body), mac) for kid, _ in settings.TOKEN_KEYS):
        return None
    try:
        payload = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        scope = payload[_HEAD:].decode()
    except (binascii.Error, ValueError):
        return None
    if len(payload) < _HEAD or payload[:1] != purpose.encode():
        return None
    return MailToken(purpose, UUID(bytes=payload[1:17]), UUID(bytes=payload[17:_HEAD]), scope)


def tenant_of_mail_token(token: MailToken) -> TenantRef | None:
    """The tenant in which it counts, to be bound. A suspended one still honours what readers of its mails say."""
    tenant = find_tenant(id=token.tenant_id)
    return tenant if tenant is not None and tenant.status in (ACTIVE, SUSPENDED) else None


def _mac(key_id: str, text: str) -> str:
    return derived_secret(key_id, "mail token", text)[:_MAC_LENGTH]
