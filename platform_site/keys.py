"""Secrets derived from, and sealed with, the platform's key rings.

A *derived* secret is an HMAC of a public name: the server can make it again,
so nothing secret needs to be stored (RFC 2104 with SHA-256). A *sealed* text is
AES-256-GCM under a named key, bound to the place it was made for.
"""

import base64
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings


class UnknownKey(LookupError):
    """A value names a key that is no longer in the ring."""


class SealBroken(ValueError):
    """A sealed text was changed, or belongs to another place."""


def current_token_key() -> str:
    """The id of the key that new derived secrets are made with."""
    kid: str = settings.TOKEN_KEYS[0][0]
    return kid


def _key(ring: list[tuple[str, str]], kid: str) -> bytes:
    for name, key in ring:
        if name == kid:
            return key.encode()
    raise UnknownKey(kid)


def is_token_key(kid: str) -> bool:
    """Whether the key of this name is still in the ring. What was derived with one that is not opens nothing."""
    return any(name == kid for name, _ in settings.TOKEN_KEYS)


def derived_secret(kid: str, *parts: str) -> str:
    """43 characters of base64url, the same for the same key and parts."""
    message = "\x1f".join(parts).encode()
    digest = hmac.digest(_key(settings.TOKEN_KEYS, kid), message, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def fingerprint(text: str) -> bytes:
    """SHA-256, for secrets of 128 bits and more (ASVS 6.5.2 allows a plain hash for these)."""
    return hashlib.sha256(text.encode()).digest()


@lru_cache(maxsize=8)
def _cipher(key: str) -> AESGCM:
    return AESGCM(hashlib.sha256(key.encode()).digest())


def seal(text: bytes, place: str) -> bytes:
    """Encrypt ``text`` for ``place``; opening it for another place fails."""
    kid, key = settings.ENCRYPTION_KEYS[0]
    nonce = os.urandom(12)
    return kid.encode() + b":" + nonce + _cipher(key).encrypt(nonce, text, place.encode())


def current_encryption_key() -> str:
    """The id of the key that is sealed with."""
    kid: str = settings.ENCRYPTION_KEYS[0][0]
    return kid


def unseal(sealed: bytes, place: str) -> bytes:
    """The text again. Raises ``UnknownKey`` or ``SealBroken``."""
    kid, _, rest = bytes(sealed).partition(b":")
    key = _key(settings.ENCRYPTION_KEYS, kid.decode()).decode()
    try:
        return _cipher(key).decrypt(rest[:12], rest[12:], place.encode())
    except InvalidTag:
        raise SealBroken(place) from None
