"""Views that do what no view should, for the tests of what then happens."""

from django.db import OperationalError
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.catalog import USERS_INVITE
from platform_site.api.permissions import Needs, SignedIn
from platform_site.api.views import ApiView


class Forgetful(ApiView):
    """Declares no access."""

    def get(self, request: Request) -> Response:
        return Response("everybody can read this")


class NeedsAPermission(ApiView):
    access = Needs(USERS_INVITE)

    def get(self, request: Request) -> Response:
        return Response("invited")


class NeedsByMethod(ApiView):
    access = {"GET": Needs(USERS_INVITE), "POST": SignedIn()}

    def get(self, request: Request) -> Response:
        return Response("invited")

    def post(self, request: Request) -> Response:
        return Response("signed in")


class Crashes(ApiView):
    access = SignedIn()

    def get(self, request: Request) -> Response:
        raise ValueError("the password is hunter2")


class DatabaseAway(ApiView):
    access = SignedIn()

    def get(self, request: Request) -> Response:
        raise OperationalError("could not connect to host 10.1.2.3")


urlpatterns = [
    path(
        "api/v1/",
        include(
            [
                path("forgetful", Forgetful.as_view()),
                path("needs-a-permission", NeedsAPermission.as_view()),
                path("needs-by-method", NeedsByMethod.as_view()),
                path("crashes", Crashes.as_view()),
                path("database-away", DatabaseAway.as_view()),
            ]
        ),
    )
]
