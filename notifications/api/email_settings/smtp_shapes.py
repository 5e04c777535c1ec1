"""What the company's mail server looks like on the wire."""

from typing import Any

from rest_framework import serializers

from notifications.email_settings.smtp_server import SECURITIES
from notifications.email_settings.smtp_testing import CODES, STAGES
from notifications.models import SmtpServer
from platform_site.api.serializers import Moment, Secret, Shape, Text, Whole, YesNo
from platform_site.moments import read_moment


class SmtpInput(Shape):
    """What is not named stays; null goes back to the default, and a null ``host`` removes the server."""

    enabled = YesNo(required=False, allow_null=True)
    host = Text(required=False, allow_null=True, max_length=253)
    port = Whole(required=False, allow_null=True, min_value=1, max_value=65535)
    username = Text(required=False, allow_null=True, allow_blank=True, max_length=254)
    password = Secret(required=False, allow_null=True, max_length=500)
    security = serializers.ChoiceField(choices=SECURITIES, required=False, allow_null=True)
    from_email = Text(required=False, allow_null=True, max_length=254)
    fallback_to_platform = YesNo(required=False, allow_null=True)


class TlsOutput(Shape):
    version = Text()
    cipher = Text()


class TestOutput(Shape):
    """``stage`` is the last one it came to; ``code`` is null when it worked."""

    ok = YesNo()
    stage = serializers.ChoiceField(choices=STAGES)
    code = serializers.ChoiceField(choices=CODES, allow_null=True)
    smtp_code = Whole(allow_null=True)
    latency_ms = Whole(min_value=0)
    tls = TlsOutput(allow_null=True)


class LastTestOutput(TestOutput):
    at = Moment()


class SmtpOutput(Shape):
    """The password is never in it. ``verifiedAt``: when exactly these values worked; before that nothing uses them."""

    configured = YesNo()
    enabled = YesNo()
    host = Text(allow_null=True)
    port = Whole(allow_null=True)
    username = Text(allow_null=True)
    security = serializers.ChoiceField(choices=SECURITIES, allow_null=True)
    from_email = Text(allow_null=True)
    has_password = YesNo()
    password_updated_at = Moment(allow_null=True)
    fallback_to_platform = YesNo()
    verified_at = Moment(allow_null=True)
    last_test = LastTestOutput(allow_null=True)
    failures = Whole(min_value=0)
    paused_until = Moment(allow_null=True)


class SmtpTestInput(Shape):
    """``to`` is one's own address, and so is the default."""

    to = Text(required=False, max_length=254)


def present_server(row: SmtpServer | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "configured": row is not None,
        "enabled": row is not None and row.enabled,
        "has_password": row is not None and row.sealed_password is not None,
        "fallback_to_platform": row is not None and row.fallback_to_platform,
        "failures": row.failures if row else 0,
    }
    for name in (
        "host",
        "port",
        "username",
        "security",
        "from_email",
        "password_updated_at",
        "verified_at",
        "paused_until",
    ):
        shown[name] = getattr(row, name) if row else None
    last = row.last_test if row else None
    shown["last_test"] = {**last, "code": last["code"] or None, "at": read_moment(last["at"])} if last else None
    return dict(SmtpOutput(shown).data)
