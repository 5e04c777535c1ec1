"""``/auth/workspaces``: for people who do not know where to sign in."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import AcceptedOutput
from accounts.services.workspaces import workspaces_forgot
from platform_site.api.docs import operation
from platform_site.api.permissions import Public
from platform_site.api.serializers import Shape, Text
from platform_site.api.views import ApiView
from platform_site.errors import RATE_LIMITED


class WorkspacesForgotInput(Shape):
    email = Text(max_length=254)


class WorkspacesForgotView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("workspaces_forgot_origin",)}

    @operation(
        id="auth_workspaces_forgot",
        summary="Have the workspaces of an address mailed to it",
        description="The answer is the same for every address. No mail is sent when there is nothing to tell.",
        input=WorkspacesForgotInput,
        output=AcceptedOutput,
        status=202,
        example_in={"email": "user@company.com"},
        example={"accepted": True},
        errors=[RATE_LIMITED],
    )
    def post(self, request: Request) -> Response:
        workspaces_forgot(**self.read(WorkspacesForgotInput))
        return Response({"accepted": True}, status=202)
