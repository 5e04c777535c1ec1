"""What profiles and permissions look like on the wire."""

from rest_framework import serializers

from platform_site.api.serializers import Moment, Shape, Text, Whole, YesNo


class FullProfileOutput(Shape):
    id = Whole()
    name = Text()
    description = Text(allow_blank=True)
    is_system = YesNo()
    is_active = YesNo()
    user_count = Whole(min_value=0)
    version = Whole()
    permissions = serializers.ListField(child=Whole())
    created_at = Moment(allow_null=True)
    updated_at = Moment(allow_null=True)


class ProfileInput(Shape):
    name = Text(max_length=100)
    description = Text(max_length=500, required=False, allow_blank=True)
    permissions = serializers.ListField(child=Whole(min_value=1, max_value=2**31 - 1), max_length=500)


class UpdateProfileInput(Shape):
    """Only what is to change. ``version`` is the one that was seen; another one in the meantime is 409."""

    name = Text(max_length=100, required=False)
    description = Text(max_length=500, required=False, allow_blank=True)
    permissions = serializers.ListField(child=Whole(min_value=1, max_value=2**31 - 1), max_length=500, required=False)
    version = Whole(min_value=1, max_value=2**31 - 1, required=False)


class PermissionOutput(Shape):
    id = Whole()
    key = Text()
    label = Text()  # type: ignore[assignment]
    min_role = Text()


class PermissionModuleOutput(Shape):
    module = Text()
    permissions = PermissionOutput(many=True)
