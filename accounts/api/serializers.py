"""What people, sessions and sign-ins look like on the wire."""

from rest_framework import serializers

from accounts.models import User
from accounts.roles import Role
from accounts.services.sessions import Tokens
from platform_site.api.serializers import Moment, Secret, Shape, Text, Whole, YesNo


class ProfileOutput(Shape):
    id = Whole()
    name = Text()


class UserOutput(Shape):
    """A user, the same wherever one appears: ``id`` is the UUID, ``userId`` the tenant's own number."""

    id = serializers.UUIDField(source="uuid")
    user_id = Whole(source="id")
    email = Text()
    first_name = Text()
    last_name = Text()
    display_name = Text()
    role = serializers.ChoiceField(choices=Role.choices)
    profile = ProfileOutput()
    status = serializers.ChoiceField(choices=User.Status.choices)
    email_verified = YesNo()
    avatar_url = Text(allow_null=True)
    timezone = Text(allow_null=True)
    locale = Text(allow_null=True)
    last_sign_in_at = Moment(allow_null=True)
    created_at = Moment()

    def to_representation(self, instance: User) -> dict[str, object]:
        data: dict[str, object] = super().to_representation(instance)
        for name in ("avatarUrl", "timezone", "locale"):
            data[name] = data[name] or None
        return data


class SignInInput(Shape):
    email = Text(max_length=254)
    password = Secret(max_length=1024)
    tenant_slug = Text(max_length=40)


class RefreshInput(Shape):
    refresh_token = Secret(max_length=200)


class SignOutInput(Shape):
    """``refreshToken`` proves the session when the access token has expired."""

    refresh_token = Secret(max_length=200, required=False)


class TokensOutput(Shape):
    access_token = Text()
    refresh_token = Text()
    expires_in = Whole()


class RevokedOutput(Shape):
    revoked = Whole(min_value=0)


class AcceptedOutput(Shape):
    """For requests of nobody in particular: the same, whatever comes of it."""

    accepted = YesNo()


class VerifiedOutput(Shape):
    verified = YesNo()
    already_verified = YesNo()


def present_user(user: User) -> dict[str, object]:
    return dict(UserOutput(user).data)


def present_tokens(tokens: Tokens) -> dict[str, object]:
    return {
        "accessToken": tokens.access_token,
        "refreshToken": tokens.refresh_token,
        "expiresIn": tokens.expires_in,
    }
