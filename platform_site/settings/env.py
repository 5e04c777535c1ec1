"""Typed readers of the environment: the only way in for configuration.

Each reader takes the variable's name and a default, and raises
``ImproperlyConfigured`` with the variable's name when the value does not fit.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def flag(name: str, *, default: bool = False) -> bool:
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be one of 1, 0, true, false, yes, no, on, off; got {value!r}.")


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    value = os.environ.get(name)
    if value is None or not value.strip():
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number; got {value!r}.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}; got {number}.")
    return number


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas, empty parts left out."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def secret(name: str, default: str = "") -> str:
    """A secret by its name, or from the file that ``<name>_FILE`` points to."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from error
    return os.environ.get(name, default).strip()


def keyring(name: str) -> list[tuple[str, str]]:
    """Named keys, newest first: ``kid:key,kid:key``.

    The first signs; all verify. At most two are live at a time, so that a key
    can be replaced without signing anyone out.
    """
    pairs: list[tuple[str, str]] = []
    for part in secret(name).split(","):
        if not part.strip():
            continue
        kid, colon, key = part.strip().partition(":")
        if not colon or not kid or not key:
            raise ImproperlyConfigured(f"{name} must look like kid:key,kid:key.")
        pairs.append((kid, key))
    return pairs


def mapping(name: str) -> dict[str, str]:
    """A JSON object of text to text."""
    import json

    value = os.environ.get(name, "").strip()
    if not value:
        return {}
    try:
        parsed = json.loads(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a JSON object: {error}.") from None
    if not isinstance(parsed, dict) or not all(isinstance(v, str) for v in parsed.values()):
        raise ImproperlyConfigured(f"{name} must be a JSON object of text to text.")
    return parsed
