"""``/api-keys``: keys for a tenant's own services."""

from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.api.api_keys.serializers import (
    ApiKeyInput,
    ApiKeyOutput,
    ApiKeyRevokedOutput,
    NewApiKeyOutput,
    present_api_key,
)
from accounts.catalog import API_KEYS_MANAGE
from accounts.services.api_keys import api_key_create, api_key_revoke, live_keys
from platform_site.api.docs import operation
from platform_site.api.permissions import Needs
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView

EXAMPLE = {
    "id": "019aaf1e-5d2c-7a31-9c0e-6f1b7a1d2c3e",
    "name": "CRM import",
    "hint": "x9Q0",
    "permissions": [1, 2],
    "createdBy": "Jane Doe",
    "createdAt": "2026-11-23T08:00:00.000Z",
    "expiresAt": None,
    "lastUsedAt": None,
}
EXAMPLE_KEY = "ak_019aaf1e5d2c7a319c0e000000000001.019aaf1e5d2c7a319c0e6f1b7a1d2c3e.c2VjcmV0"


class ApiKeysView(ApiView):
    access = Needs(API_KEYS_MANAGE, person=True)
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="api_keys_list",
        summary="The keys that work, newest first",
        output=ApiKeyOutput,
        example=EXAMPLE,
        listed="all",
    )
    def get(self, request: Request) -> Response:
        return Response([present_api_key(row) for row in live_keys().select_related("created_by")])

    @operation(
        id="api_keys_create",
        summary="Make a key for one of the tenant's services",
        description="It holds these permissions and no others. Where rank counts it ranks as a manager. The key is"
        " shown this once. Needs a recent re-authentication.",
        input=ApiKeyInput,
        output=NewApiKeyOutput,
        status=201,
        example_in={"name": "CRM import", "permissions": [1, 2]},
        example={**EXAMPLE, "key": EXAMPLE_KEY},
        errors=[
            errors.REAUTH_REQUIRED,
            errors.UNKNOWN_PERMISSION,
            errors.PERMISSION_NOT_GRANTABLE,
            errors.API_KEY_LIMIT_REACHED,
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.read(ApiKeyInput)
        made = api_key_create(
            actor=self.identity,
            name=data["name"],
            permission_numbers=data["permissions"],
            expires_at=data.get("expires_at"),
        )
        body = {**present_api_key(made.row), "key": made.token}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})


class ApiKeyView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access = Needs(API_KEYS_MANAGE, person=True)

    @operation(
        id="api_keys_revoke",
        summary="Take a key back",
        description="It stops working within a second.",
        output=ApiKeyRevokedOutput,
        example={"revoked": True},
    )
    def delete(self, request: Request, key_id: UUID) -> Response:
        api_key_revoke(key_id=key_id)
        return Response({"revoked": True})
