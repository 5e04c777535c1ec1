"""Shapes of ``/users``."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from accounts.api.serializers import ProfileOutput, UserOutput
from accounts.models import User
from accounts.roles import Role
from accounts.selectors import with_profiles
from platform_site.api.identity import Identity
from platform_site.api.serializers import Moment, Secret, Shape, Text, Whole, YesNo

# The states that somebody can be put into by name.
SETTABLE = ("active", "inactive")
# What a plain user does not see of others (ASVS 8.2.3).
_HIDDEN = ("profile", "emailVerified", "timezone", "locale", "lastSignInAt", "createdAt")


class SeenUserOutput(UserOutput):
    """A user as somebody else sees one: to a plain user some fields are null."""

    profile = ProfileOutput(allow_null=True)
    email_verified = YesNo(allow_null=True)
    created_at = Moment(allow_null=True)


class InviteInput(Shape):
    email = serializers.EmailField(max_length=254)
    first_name = Text(max_length=100, required=False, allow_blank=True)
    last_name = Text(max_length=100, required=False, allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    profile_id = Whole(min_value=1, max_value=2**31 - 1, required=False)


class UpdateUserInput(Shape):
    """Only what is to change. ``email`` is for people who have not accepted their invitation yet."""

    first_name = Text(max_length=100, required=False, allow_blank=True)
    last_name = Text(max_length=100, required=False, allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    profile_id = Whole(min_value=1, max_value=2**31 - 1, required=False)
    status = serializers.ChoiceField(choices=SETTABLE, required=False)
    email = serializers.EmailField(max_length=254, required=False)


class AcceptInput(Shape):
    token = Secret(max_length=200)
    password = Secret(max_length=1024)
    first_name = Text(max_length=100, required=False, allow_blank=True)
    last_name = Text(max_length=100, required=False, allow_blank=True)


class AssignableProfileOutput(Shape):
    id = Whole()
    name = Text()
    description = Text(allow_blank=True)
    is_system = YesNo()


class ErasedOutput(Shape):
    id = serializers.UUIDField()
    user_id = Whole()
    erased = YesNo()


def present_people(people: Sequence[User], *, to: Identity) -> list[dict[str, Any]]:
    """People as this caller may see them: oneself always whole. One query at most for all of them."""
    return [_present(user, to) for user in with_profiles(people)]


def present_person(user: User, *, to: Identity) -> dict[str, Any]:
    return present_people([user], to=to)[0]


def _present(user: User, to: Identity) -> dict[str, Any]:
    shown: dict[str, Any] = dict(UserOutput(user).data)
    if to.role == Role.USER and user.uuid != to.user_uuid:
        shown |= dict.fromkeys(_HIDDEN)
    return shown
