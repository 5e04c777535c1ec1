"""``/auth/me/profile``: what people say about themselves."""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.models import User
from accounts.selectors import user_get
from accounts.services.own_profile import own_profile_update
from platform_site.api.docs import operation
from platform_site.api.forms import FORM, StrictFormParser, Upload
from platform_site.api.locale_fields import Locale, TimeZone
from platform_site.api.parsers import StrictJSONParser
from platform_site.api.permissions import SignedIn
from platform_site.api.serializers import Shape, Text
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import RATE_LIMITED

PHONE = RegexValidator(
    r"^\+[1-9][0-9]{6,14}$",
    "Give the number as +491701234567: a plus, the country and the number, without spaces or dashes.",
    "invalid",
)


@extend_schema_field({"type": "null"})
class NoAddress(Text):
    """null. The present address is let through, so that what was read can be sent back whole."""

    def run_validation(self, data: Any = None) -> Any:
        return "" if data is None else super().run_validation(data)


class OwnProfileOutput(Shape):
    first_name = Text()
    last_name = Text()
    phone = Text(allow_null=True)
    avatar_url = Text(allow_null=True)
    timezone = Text(allow_null=True)
    locale = Text(allow_null=True)

    def to_representation(self, instance: User) -> dict[str, object]:
        data: dict[str, object] = super().to_representation(instance)
        for name in ("phone", "avatarUrl", "timezone", "locale"):
            data[name] = data[name] or None
        return data


class OwnProfileInput(Shape):
    first_name = Text(max_length=100, allow_blank=True, required=False)
    last_name = Text(max_length=100, allow_blank=True, required=False)
    phone = Text(allow_null=True, allow_blank=True, required=False, validators=[PHONE])
    timezone = TimeZone(allow_null=True, allow_blank=True, required=False, max_length=64)
    locale = Locale(allow_null=True, allow_blank=True, required=False, max_length=35)
    avatar_url = NoAddress(allow_blank=True, required=False)


class OwnProfileForm(Shape):
    """The same as parts of a form, with a picture. An empty text clears."""

    first_name = Text(max_length=100, allow_blank=True, required=False)
    last_name = Text(max_length=100, allow_blank=True, required=False)
    phone = Text(allow_blank=True, required=False, validators=[PHONE])
    timezone = TimeZone(allow_blank=True, required=False, max_length=64)
    locale = Locale(allow_blank=True, required=False, max_length=35)
    avatar_url = Text(allow_blank=True, required=False, max_length=500)
    avatar = Upload(required=False)


EXAMPLE = {
    "firstName": "John",
    "lastName": "Doe",
    "phone": "+491701234567",
    "avatarUrl": None,
    "timezone": "Europe/Berlin",
    "locale": "de-DE",
}


class OwnProfileView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()
    parser_classes = [StrictJSONParser, StrictFormParser]

    @operation(
        id="auth_me_profile",
        summary="Name, telephone, picture, time zone and language of the signed-in person",
        output=OwnProfileOutput,
        example=EXAMPLE,
    )
    def get(self, request: Request) -> Response:
        return Response(OwnProfileOutput(user_get(user_id=self.identity.user_id)).data)

    @operation(
        id="auth_me_profile_update",
        summary="Change some of it",
        description="What is not named stays. null, or an empty text, clears; avatarUrl: null takes the picture away."
        " A picture (PNG, JPEG or WebP, up to 2 MiB and 16 megapixels) comes as the part avatar of a form;"
        " its middle square is kept, 256 pixels wide.",
        input=OwnProfileInput,
        form=OwnProfileForm,
        output=OwnProfileOutput,
        example_in={"phone": "+491701234567", "timezone": "Europe/Berlin"},
        example=EXAMPLE,
        errors=[errors.IMAGE_INVALID, errors.IMAGE_TOO_LARGE, RATE_LIMITED],
    )
    def patch(self, request: Request) -> Response:
        is_form = (request.content_type or "").startswith(FORM)
        data = self.read(OwnProfileForm if is_form else OwnProfileInput)
        picture = data.pop("avatar", None)
        changes = {name: value or "" for name, value in data.items()}
        user = own_profile_update(actor=self.identity, changes=changes, picture=picture)
        return Response(OwnProfileOutput(user).data)

    put = patch
