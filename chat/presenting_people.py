"""A person as others in a channel see one, in answers and in frames alike."""

from typing import Any

from accounts.models import User

# What it takes of a person's row; for ``only`` and ``select_related``.
SHOWN = ("id", "uuid", "first_name", "last_name", "email", "status", "avatar_url")


def present_person(user: User) -> dict[str, Any]:
    """``active`` is false for whoever was deactivated or deleted; the latter have a number for a name."""
    return {
        "id": str(user.uuid),
        "userId": user.id,
        "displayName": user.display_name,
        "avatarUrl": user.avatar_url or None,
        "active": user.status == User.Status.ACTIVE,
    }
