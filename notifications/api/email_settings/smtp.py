"""``/settings/email/smtp``: the company's own mail server, and a test of it."""

from dataclasses import asdict
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from notifications import errors
from notifications.api.email_settings import examples
from notifications.api.email_settings.smtp_shapes import (
    SmtpInput,
    SmtpOutput,
    SmtpTestInput,
    TestOutput,
    present_server,
)
from notifications.catalog import EMAIL_SETTINGS_MANAGE
from notifications.email_settings.smtp_server import server_row, server_set
from notifications.email_settings.smtp_testing import server_test
from platform_site.api.docs import operation
from platform_site.api.permissions import Needs
from platform_site.api.views import ApiView


class SmtpView(ApiView):
    access = Needs(EMAIL_SETTINGS_MANAGE)

    @operation(
        id="email_smtp",
        summary="The company's own mail server; never its password",
        output=SmtpOutput,
        example=examples.SMTP,
    )
    def get(self, request: Request) -> Response:
        return Response(present_server(server_row()))

    @operation(
        id="email_smtp_set",
        summary="Change the company's own mail server",
        description="What is not named stays; a null `host` removes the server. The password is kept only while host,"
        " port, user and security stay what they are; else give it again (`password_required`). The host is a public"
        " one, the port 25, 465, 587 or 2525, and a user signs in over an encrypted connection only. Nothing goes"
        " through it before a test has succeeded. With `enabled` false the platform's server is used.",
        input=SmtpInput,
        output=SmtpOutput,
        example_in=examples.SMTP_IN,
        example=examples.SMTP,
    )
    def put(self, request: Request) -> Response:
        return Response(present_server(server_set(self.read(SmtpInput))))

    patch = post = put


class SmtpTestView(ApiView):
    access: ClassVar = Needs(EMAIL_SETTINGS_MANAGE, person=True)

    @operation(
        id="email_smtp_test",
        summary="Send a mail to oneself through the company's own mail server",
        description="A test that fails is a request that succeeds: `ok` is false, `stage` says how far it came and"
        " `code` why it ended. Five a minute and thirty a day. It takes 15 seconds at most.",
        input=SmtpTestInput,
        output=TestOutput,
        example_in={},
        example=examples.TESTED,
        errors=[errors.SMTP_NOT_CONFIGURED],
    )
    def post(self, request: Request) -> Response:
        asked = self.read(SmtpTestInput).get("to")
        result = asdict(server_test(user_id=self.identity.user_id, to=asked))
        return Response(dict(TestOutput({**result, "code": result["code"] or None}).data))
