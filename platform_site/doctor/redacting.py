"""Nothing that the doctor says holds a secret, whatever an error or a URL brought along."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from django.conf import settings

from platform_site.logs import REDACTED, redact_text

_USERINFO: Final = re.compile(r"(?<=://)[^/@\s]+@")
# What is shorter would blot out ordinary words.
_SHORTEST: Final = 4


def without_secrets(text: str) -> str:
    """One line, with every secret of the settings and the sign-in of every URL blotted out."""
    line = " ".join(text.split())
    # The longest first: one secret may be part of another.
    for secret in sorted(_secrets(), key=len, reverse=True):
        line = line.replace(secret, REDACTED)
    return redact_text(_USERINFO.sub("", line))


def _secrets() -> set[str]:
    return {secret for secret in _all() if len(secret) >= _SHORTEST}


def _all() -> Iterator[str]:
    yield from (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    for ring in (settings.JWT_KEYS, settings.TOKEN_KEYS, settings.ENCRYPTION_KEYS):
        yield from (key for _, key in ring)
    yield settings.DATABASES["default"]["PASSWORD"]
    yield settings.DATABASE_OWNER.get("PASSWORD", "")
    for url in (settings.REDIS_URL, settings.CELERY_BROKER_URL):
        yield urlsplit(url).password or ""
        yield unquote(urlsplit(url).password or "")
    yield settings.EMAIL_HOST_PASSWORD
    yield settings.STRIPE_SECRET_KEY
    yield from settings.STRIPE_WEBHOOK_SECRETS
    yield from (value for value in settings.ANYMAIL.values() if isinstance(value, str))
