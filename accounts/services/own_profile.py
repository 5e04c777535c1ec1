"""What people change about themselves."""

from collections.abc import Mapping

from django.db import transaction

from accounts import catalog
from accounts.models import User
from accounts.services.avatars import avatar_remove, avatar_store
from accounts.services.pictures import picture_remade
from platform_site import limits
from platform_site.api.identity import Identity
from platform_site.errors import NOT_FOUND, VALIDATION_FAILED, FieldError, PlatformError
from platform_site.journal.services import record

# Columns by the names that clients and the journal know them by.
FIELDS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "phone": "phone",
    "timezone": "timezone",
    "locale": "locale",
    "avatar_url": "avatarUrl",
}


def own_profile_update(*, actor: Identity, changes: Mapping[str, str], picture: bytes | None = None) -> User:
    """Change what is named in ``changes`` (columns; "" clears) and, if one is given, the picture.

    An empty ``avatar_url`` takes the picture away; the present one leaves it.
    Raises ``image_invalid``, ``image_too_large``, ``rate_limited`` for too many
    pictures, and ``validation_failed`` for any other ``avatar_url``.
    """
    image = None
    if picture is not None:
        if "avatar_url" in changes:
            raise _not_this_address("Send either a new picture or avatarUrl.")
        limits.spend("avatar_user", str(actor.user_uuid))
        # Before the row is locked: this takes a second.
        image = picture_remade(picture, field="avatar")
    return _store(actor, dict(changes), image)


@transaction.atomic
def _store(actor: Identity, values: dict[str, str], image: bytes | None) -> User:
    user = User.objects.select_for_update().filter(pk=actor.user_id, status=User.Status.ACTIVE).first()
    if user is None:
        raise PlatformError(NOT_FOUND)
    if values.get("avatar_url") not in (None, "", user.avatar_url):
        raise _not_this_address("Send a picture as the part avatar of a form; here null takes it away.")
    if image is not None:
        values["avatar_url"] = avatar_store(user=user, image=image)
    elif values.get("avatar_url") == "":
        avatar_remove(user=user)
    changed = [name for name in FIELDS if name in values and getattr(user, name) != values[name]]
    if changed:
        for name in changed:
            setattr(user, name, values[name])
        user.save(update_fields=[*changed, "updated_at"])
        # Which, not what: a journal is no place for telephone numbers.
        record(
            catalog.OWN_PROFILE_UPDATED,
            subject=("user", user.uuid),
            data={"changed": [FIELDS[name] for name in changed]},
        )
    return user


def _not_this_address(message: str) -> PlatformError:
    return PlatformError(VALIDATION_FAILED, details=[FieldError("avatarUrl", "invalid", message)])
