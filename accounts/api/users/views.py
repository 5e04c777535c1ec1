"""``/users``. ``/users/me`` is ``/auth/me`` under its second name."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.auth import examples
from accounts.api.auth.views import MeView
from accounts.api.serializers import UserOutput
from platform_site.api.docs import operation


class UsersMeView(MeView):
    @operation(
        id="users_me",
        summary="The signed-in user, as /auth/me gives it",
        output=UserOutput,
        example=examples.USER,
    )
    def get(self, request: Request) -> Response:
        return super().get(request)
