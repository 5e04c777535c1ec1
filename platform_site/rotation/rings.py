"""The four things that hold keys, and what they look like with a new key, or without the old one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from platform_site.local import secrets

JWT, TOKEN, ENCRYPTION, DJANGO = "JWT_KEYS", "TOKEN_KEYS", "ENCRYPTION_KEYS", "SECRET_KEY"
NAMES: Final = (JWT, TOKEN, ENCRYPTION, DJANGO)
FALLBACK: Final = "SECRET_KEY_FALLBACK"
# Django's own key has no name; these stand for the one that signs and for the one before.
CURRENT, BEFORE = "current", "fallback"

Variables = Mapping[str, str]


class RotationRefused(Exception):
    """A step that would lose something, or cannot be meant."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """``kid``, and the variables for each of two deployments: first it is only known, then it makes new values."""

    kid: str
    known: Variables
    first: Variables


def key_ids(name: str) -> list[str]:
    """The ids of the keys, the one that makes new values first."""
    if name == DJANGO:
        return [CURRENT, *([BEFORE] if settings.SECRET_KEY_FALLBACKS else [])]
    return [kid for kid, _ in getattr(settings, name)]


def with_new_key(name: str) -> NewKey:
    """Raises ``RotationRefused`` while the rotation before is not finished."""
    if len(key_ids(name)) > 1:
        raise RotationRefused(f"{name} has two keys already. Finish that rotation first.")
    if name == DJANGO:
        new, old = secrets.plain_key(), settings.SECRET_KEY
        # A fallback is only read, whichever of the two is newer.
        return NewKey(CURRENT, {DJANGO: old, FALLBACK: new}, {DJANGO: new, FALLBACK: old})
    pair, old = secrets.key_pair(), _text(getattr(settings, name))
    return NewKey(pair.partition(":")[0], {name: f"{old},{pair}"}, {name: f"{pair},{old}"})


def without_old_key(name: str) -> Variables:
    """Raises ``RotationRefused`` when there is only one."""
    if len(key_ids(name)) < 2:
        raise RotationRefused(f"{name} has one key. There is nothing to finish.")
    if name == DJANGO:
        return {DJANGO: settings.SECRET_KEY, FALLBACK: ""}
    return {name: _text(getattr(settings, name)[:1])}


def _text(ring: list[tuple[str, str]]) -> str:
    return ",".join(f"{kid}:{key}" for kid, key in ring)
