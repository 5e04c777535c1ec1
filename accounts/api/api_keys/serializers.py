"""What API keys look like on the wire."""

from typing import Any

from rest_framework import serializers

from accounts.models import ApiKey
from platform_site.api.serializers import Moment, Shape, Text, Whole


class ApiKeyOutput(Shape):
    id = serializers.UUIDField()
    name = Text()
    # The end of the key, to tell it from others.
    hint = Text()
    permissions = serializers.ListField(child=Whole())
    created_by = Text()
    created_at = Moment()
    expires_at = Moment(allow_null=True)
    last_used_at = Moment(allow_null=True)


class NewApiKeyOutput(ApiKeyOutput):
    """``key`` is shown here and never again."""

    key = Text()


class ApiKeyInput(Shape):
    name = Text(max_length=100)
    permissions = serializers.ListField(child=Whole(min_value=1, max_value=2**31 - 1), min_length=1, max_length=500)
    expires_at = Moment(required=False, allow_null=True)


class ApiKeyRevokedOutput(Shape):
    revoked = serializers.BooleanField()


def present_api_key(row: ApiKey) -> dict[str, Any]:
    shown: dict[str, Any] = ApiKeyOutput(
        {
            "id": row.id,
            "name": row.name,
            "hint": row.hint,
            "permissions": row.permissions,
            "created_by": row.created_by.display_name,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "last_used_at": row.last_used_at,
        }
    ).data
    return shown
