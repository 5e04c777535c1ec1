"""The arithmetic of the second factor: time-based codes (RFC 6238) and recovery codes. Touches no table.

A recovery code has 50 bits, too few for a plain hash, so its hash is keyed with
the person's own secret, which is stored sealed: a copy of the database opens
neither.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from io import BytesIO

import pyotp
import segno
from django.utils import timezone

STEP_SECONDS = 30
RECOVERY_CODES = 10
# Crockford's: nothing in it looks like something else in it.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LOOK_ALIKES = str.maketrans("oil", "011")
_TOTP = re.compile(r"[0-9]{6}")
_RECOVERY = re.compile(f"[{_ALPHABET}]{{10}}")


def new_secret() -> str:
    """160 bits in base32, as RFC 4226 recommends."""
    return pyotp.random_base32()


def current_step() -> int:
    """The number of the 30 seconds that are running."""
    return int(timezone.now().timestamp()) // STEP_SECONDS


def code_at(secret: str, step: int) -> str:
    """The six digits that are right during this step."""
    return pyotp.TOTP(secret).generate_otp(step)


def matching_step(secret: str, code: str) -> int | None:
    """The step whose code this is: the one that is running, the one before or the one after. Always three compared."""
    now, found = current_step(), None
    for step in (now - 1, now, now + 1):
        if hmac.compare_digest(code_at(secret, step), code):
            found = step
    return found


def as_totp(text: str) -> str:
    """Six digits, whatever spaces stand between them, or ""."""
    digits = "".join(text.split())
    return digits if _TOTP.fullmatch(digits) else ""


def as_recovery_code(text: str) -> str:
    """A recovery code as it was made, however somebody copied it from paper, or ""."""
    letters = "".join(text.lower().replace("-", "").split()).translate(_LOOK_ALIKES)
    return f"{letters[:5]}-{letters[5:]}" if _RECOVERY.fullmatch(letters) else ""


def new_recovery_codes() -> list[str]:
    """Ten codes of the form ``xxxxx-xxxxx``."""
    texts = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    return [f"{text[:5]}-{text[5:]}" for text in texts]


def recovery_hash(secret: str, code: str) -> bytes:
    return hmac.digest(secret.encode(), f"recovery:{code}".encode(), hashlib.sha256)


def without_code(secret: str, code: str, hashes: Sequence[bytes]) -> list[bytes] | None:
    """The hashes that are left when this code is used, or None when it is none of them. All are compared."""
    used = recovery_hash(secret, code)
    kept = [stored for stored in hashes if not hmac.compare_digest(stored, used)]
    return kept if len(kept) < len(hashes) else None


def otpauth_uri(secret: str, *, account: str, issuer: str) -> str:
    """What the QR code says. A colon parts issuer and account in it, so neither may hold one.

    Both are cut to what fits into a QR code whatever letters they are written in.
    """
    return pyotp.TOTP(secret).provisioning_uri(name=_label(account, 80), issuer_name=_label(issuer, 40))


def _label(text: str, length: int) -> str:
    return text.replace(":", " ").strip()[:length]


def qr_svg(text: str) -> str:
    """A QR code as one SVG element: no styles and no scripts, dark on white in any colour scheme."""
    picture = BytesIO()
    segno.make(text, error="m", micro=False).save(
        picture, kind="svg", xmldecl=False, nl=False, svgclass=None, lineclass=None, light="#fff", scale=4, unit="px"
    )
    return picture.getvalue().decode()
