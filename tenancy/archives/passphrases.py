"""The encrypted part of an export: a key from a passphrase (scrypt), and AES-256-GCM."""

import os
from base64 import b64decode, b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tenancy.archives.container import ArchiveRefused
from tenancy.archives.manifests import Secrets

PART: Final = "secrets.bin"
SHORTEST: Final = 12
# 128 MiB and about half a second for each guess (OWASP's first choice for scrypt).
_N, _R, _P = 2**17, 8, 1
# What a foreign archive may ask of our memory at most.
_MOST_MEMORY: Final = 1 << 30


def encrypt(text: bytes, *, passphrase: str, about: str) -> tuple[bytes, Secrets]:
    """``text`` for whoever knows the passphrase, and what else it takes to open it, with the same ``about``."""
    salt, nonce = os.urandom(16), os.urandom(12)
    said = Secrets(PART, b64encode(salt).decode(), b64encode(nonce).decode(), _N, _R, _P)
    return AESGCM(_key(passphrase, salt, said)).encrypt(nonce, text, about.encode()), said


def decrypt(sealed: bytes, said: Secrets, *, passphrase: str, about: str) -> bytes:
    """The text again. Raises ``ArchiveRefused`` for another passphrase."""
    if 128 * said.n * said.r * said.p > _MOST_MEMORY:
        raise ArchiveRefused("The archive's secrets ask for more memory than is given.")
    try:
        salt, nonce = b64decode(said.salt, validate=True), b64decode(said.nonce, validate=True)
        return AESGCM(_key(passphrase, salt, said)).decrypt(nonce, sealed, about.encode())
    except InvalidTag:
        raise ArchiveRefused("The passphrase is not the one that the archive's secrets were encrypted with.") from None
    except ValueError as error:
        raise ArchiveRefused(f"The archive's secrets are not as expected: {error}.") from None


def _key(passphrase: str, salt: bytes, said: Secrets) -> bytes:
    return Scrypt(salt=salt, length=32, n=said.n, r=said.r, p=said.p).derive(passphrase.encode())
