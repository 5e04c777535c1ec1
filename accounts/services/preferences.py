"""A person's preferences: one map, changed key by key."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from django.db import transaction

from accounts import errors
from accounts.models import User
from accounts.preferences import KEY, MAX_BYTES, MAX_KEYS, effective, preferences
from platform_site.api.identity import Identity
from platform_site.errors import NOT_FOUND, VALIDATION_FAILED, FieldError, PlatformError


def preferences_get(*, actor: Identity) -> dict[str, Any]:
    """What the person chose, over the defaults of what is known by name."""
    stored = User.objects.filter(pk=actor.user_id).values_list("preferences", flat=True).first()
    return effective(stored or {})


def preferences_merge(*, actor: Identity, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Set the keys in ``changes`` and remove those whose value is None; gives what counts then.

    The row's lock makes two changes of different keys both survive. Raises
    ``validation_failed`` with the key as its field, or ``preferences_too_large``.
    """
    complaints = list(_complaints(changes))
    if complaints:
        raise PlatformError(VALIDATION_FAILED, details=complaints)
    return effective(_merge(actor, changes))


@transaction.atomic
def _merge(actor: Identity, changes: Mapping[str, Any]) -> dict[str, Any]:
    user = User.objects.select_for_update().filter(pk=actor.user_id, status=User.Status.ACTIVE).first()
    if user is None:
        raise PlatformError(NOT_FOUND)
    merged = {key: value for key, value in {**user.preferences, **changes}.items() if value is not None}
    size = len(orjson.dumps(merged))
    if len(merged) > MAX_KEYS or size > MAX_BYTES:
        raise PlatformError(errors.PREFERENCES_TOO_LARGE, context={"maxKeys": MAX_KEYS, "maxBytes": MAX_BYTES})
    if merged != user.preferences:
        user.preferences = merged
        user.save(update_fields=["preferences", "updated_at"])
    return merged


def _complaints(changes: Mapping[str, Any]) -> Iterator[FieldError]:
    for key, value in changes.items():
        if not KEY.fullmatch(key):
            text = "A key has 1 to 64 letters, digits, dots, dashes and underscores and begins with none of the marks."
            yield FieldError(key, "invalid", text)
        elif value is not None and key in preferences and value not in preferences.get(key).choices:
            choices = ", ".join(preferences.get(key).choices)
            yield FieldError(key, "invalid_choice", f"This is none of the choices: {choices}.")
