"""``/auth/me/preferences``: a map of the person's own, with a few keys that are known by name."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.preferences import MAX_KEYS, preferences
from accounts.services.preferences import preferences_get, preferences_merge
from platform_site.api.docs import operation
from platform_site.api.permissions import SignedIn
from platform_site.api.serializers import FIELD_CODES
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError

KEY_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
KNOWN = {item.key: {"type": "string", "enum": list(item.choices), "default": item.default} for item in preferences}
OUTPUT = {"type": "object", "properties": KNOWN, "required": sorted(KNOWN), "additionalProperties": True}
INPUT = {
    "type": "object",
    "properties": {
        item.key: {"oneOf": [{"type": "string", "enum": list(item.choices)}, {"type": "null"}]} for item in preferences
    },
    "propertyNames": {"pattern": KEY_PATTERN},
    "maxProperties": MAX_KEYS,
    "additionalProperties": True,
}
EXAMPLE = {"theme": "dark", "density": "comfortable", "weekStart": "monday", "board.columns": ["open", "done"]}


class PreferencesView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="auth_me_preferences",
        summary="The signed-in person's preferences",
        description="Keys that are known by name have their defaults where nothing was chosen.",
        output=OUTPUT,
        example=EXAMPLE,
    )
    def get(self, request: Request) -> Response:
        return Response(preferences_get(actor=self.identity))

    @operation(
        id="auth_me_preferences_update",
        summary="Set some of them",
        description="Merged key by key: what is not named stays, and null removes a key."
        " At most 100 keys and 16 KiB of JSON in all.",
        input=INPUT,
        output=OUTPUT,
        example_in={"theme": "dark", "board.columns": ["open", "done"]},
        example=EXAMPLE,
        errors=[errors.PREFERENCES_TOO_LARGE],
    )
    def patch(self, request: Request) -> Response:
        return Response(preferences_merge(actor=self.identity, changes=_map(request.data)))

    put = patch


def _map(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        code = FIELD_CODES["not_a_dict"]
        raise PlatformError(VALIDATION_FAILED, details=[FieldError("", code.key, code.message)])
    return body
